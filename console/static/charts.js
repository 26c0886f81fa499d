// Draws the columns that the console serves, in the colours of the page and on the site's clock.
const uPlot = globalThis.uPlot;
const locale = document.documentElement.lang === "en" ? "en-GB" : "zh-CN";
const number = new Intl.NumberFormat(locale, { maximumSignificantDigits: 4 });
const HEIGHTS = { tall: 300, full: 230, strip: 120 };
const REFRESH_MS = 5000;
const drawn = new Map();

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

function clock(zone) {
  const format = (options) => new Intl.DateTimeFormat(locale, { timeZone: zone, ...options });
  const hour = format({ hour: "2-digit", minute: "2-digit" });
  const day = format({ day: "numeric", month: "short" });
  const both = format({ weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });
  return { hour, day, both };
}

function seriesOf(line, plot) {
  const value = (_, v) => (v == null ? "" : plot.states.length ? plot.states[Math.round(v)] : `${number.format(v)} ${plot.unit}`);
  const main = colour("--series");
  const second = colour("--series-2");
  const plain = { label: line.label, value, points: { show: false }, spanGaps: false };
  // Where live figures share the axis of hours, hours have holes between them that mean nothing; elsewhere a hole is silence.
  const gap = { spanGaps: plot.lines.some((other) => other.shape === "thin") };
  switch (line.shape) {
    case "lo": case "hi": return { ...plain, ...gap, class: "in-band", stroke: "transparent", width: 0, paths: uPlot.paths.stepped({ align: 1 }) };
    case "dashed": return { ...plain, ...gap, stroke: colour("--ink-2"), width: 1.4, dash: [5, 4], paths: uPlot.paths.stepped({ align: 1 }) };
    case "step": return { ...plain, ...gap, stroke: main, width: 2.2, paths: uPlot.paths.stepped({ align: 1 }) };
    case "state": return { ...plain, ...gap, stroke: second, fill: `${second}40`, width: 2, paths: uPlot.paths.stepped({ align: 1 }) };
    case "thin": return { ...plain, ...gap, stroke: second, width: 1.3 };
    case "part": return { ...plain, stroke: colour("--bar"), fill: colour("--bar") + "44", width: 1.5, paths: uPlot.paths.bars({ size: [0.62, 36], radius: 0.25 }) };
    case "bars": return { ...plain, stroke: colour("--bar"), fill: colour("--bar"), width: 0, paths: uPlot.paths.bars({ size: [0.62, 36], radius: 0.25 }) };
    case "mark": return { ...plain, stroke: colour("--ink"), width: 0, paths: () => null, points: { show: true, size: 1, fill: colour("--ink"), paths: marks } };
    default: return { ...plain, ...gap, stroke: main, width: 1.8 };
  }
}

// An expected day is a short stroke across its bar.
function marks(u, index, first, last) {
  const path = new Path2D();
  const [xs, ys] = [u.data[0], u.data[index]];
  const step = xs.length > 1 ? Math.abs(u.valToPos(xs[1], "x", true) - u.valToPos(xs[0], "x", true)) : 30;
  const half = Math.min(0.4 * step, 22 * devicePixelRatio);
  for (let i = first; i <= last; i++) {
    if (ys[i] == null) continue;
    const [x, y] = [u.valToPos(xs[i], "x", true), u.valToPos(ys[i], "y", true)];
    path.rect(x - half, y - devicePixelRatio, 2 * half, 2 * devicePixelRatio);
  }
  return { fill: path, stroke: null, clip: null, flags: 1 };
}

function shade(plot) {
  return (u) => {
    const { ctx, bbox } = u;
    ctx.save();
    ctx.fillStyle = colour("--act-soft");
    for (const span of plot.spans) {
      const from = Math.max(u.valToPos(span.start, "x", true), bbox.left);
      const to = Math.min(u.valToPos(span.end, "x", true), bbox.left + bbox.width);
      if (to > from) ctx.fillRect(from, bbox.top, to - from, bbox.height);
    }
    ctx.restore();
  };
}

function axes(plot, times) {
  const style = { stroke: colour("--ink-2"), font: `12px ${getComputedStyle(document.body).fontFamily}`, ticks: { show: false } };
  const grid = { stroke: colour("--grid"), width: 1 };
  const long = plot.end - plot.start > 2 * 86400;
  const label = (s) => (long ? times.day : times.hour).format(new Date(s * 1000));
  const x = { ...style, grid: { show: false }, space: 64, values: (_, splits) => splits.map(label), size: 30 };
  if (plot.grain === "day") x.splits = (u) => {
    const every = Math.max(1, Math.ceil((plot.x.length * 72) / u.width));
    return plot.x.filter((_, i) => (plot.x.length - 1 - i) % every === 0);
  };
  else if (long) x.incrs = [1, 2, 3, 5, 7, 10, 15].map((days) => days * 86400);
  const y = plot.states.length
    ? { ...style, grid, size: 64, splits: () => [0, 1], values: () => plot.states }
    : { ...style, grid, size: 56, space: 42, values: (_, splits) => splits.map((v) => number.format(v)) };
  return [x, y];
}

function options(plot, place) {
  const times = clock(plot.zone);
  const index = (shape) => plot.lines.findIndex((line) => line.shape === shape) + 1;
  const zone = plot.zone;
  return {
    width: place.clientWidth,
    height: HEIGHTS[[...place.classList].find((name) => name.startsWith("chart-"))?.slice(6)] ?? 230,
    tzDate: (s) => uPlot.tzDate(new Date(s * 1000), zone),
    scales: {
      x: { time: true, min: plot.start, max: plot.end, range: [plot.start, plot.end] },
      y: { range: (_, low, high) => (plot.states.length ? [-0.05, 1.15] : [Math.min(0, low ?? 0), (high || 1) * 1.08]) },
    },
    series: [
      { class: "when", value: (_, s) => (s == null ? "" : (plot.grain === "day" ? times.day : times.both).format(new Date(s * 1000))), label: "" },
      ...plot.lines.map((line) => seriesOf(line, plot)),
    ],
    bands: index("hi") && index("lo") ? [{ series: [index("hi"), index("lo")], fill: colour("--band") }] : [],
    axes: axes(plot, times),
    // The time says itself what it is: its heading has no words.
    hooks: { drawClear: [shade(plot)], ready: [(u) => u.root.querySelector(".when th")?.setAttribute("role", "presentation")] },
    cursor: { sync: { key: place.dataset.chart }, drag: { x: false, y: false }, points: { size: 6 } },
    legend: { live: true, markers: { width: 0, fill: (u, i) => (i ? u.series[i]._stroke ?? u.series[i].stroke?.() : "transparent") } },
  };
}

const isEmpty = (plot) => plot.lines.every((line) => line.y.every((v) => v == null));

// A plot without a single figure is a sentence: axes alone would look like a use of nothing.
function draw(place, plot) {
  drawn.get(place)?.chart.destroy();
  drawn.delete(place);
  place.replaceChildren();
  if (isEmpty(plot)) {
    place.append(Object.assign(document.createElement("p"), { className: "chart-waiting", textContent: place.dataset.nothing }));
    return;
  }
  const columns = [plot.x, ...plot.lines.map((line) => line.y)];
  const chart = new uPlot(options(plot, place), columns, place);
  drawn.set(place, { chart, plot });
}

async function load(place) {
  const answer = await fetch(place.dataset.chart, { headers: { Accept: "application/json" } });
  if (!answer.ok) return;
  const found = await answer.json();
  draw(place, Array.isArray(found) ? found[Number(place.dataset.index)] : found);
}

async function refresh(place) {
  const answer = await fetch(place.dataset.chart, { headers: { Accept: "application/json" } });
  if (!answer.ok) return;
  const plot = await answer.json();
  const known = drawn.get(place);
  if (known && !isEmpty(plot) && plot.lines.length === known.plot.lines.length && plot.start === known.plot.start) {
    known.plot = plot;
    known.chart.setData([plot.x, ...plot.lines.map((line) => line.y)], false);
    known.chart.redraw(true, true);
  } else draw(place, plot);
}

const places = [...document.querySelectorAll("[data-chart]")];
for (const place of places) load(place);
const watch = new ResizeObserver((entries) => {
  for (const { target } of entries) {
    const known = drawn.get(target);
    if (known && known.chart.width !== target.clientWidth) known.chart.setSize({ width: target.clientWidth, height: known.chart.height });
  }
});
for (const place of places) watch.observe(place);

const redraw = () => { for (const [place, { plot }] of drawn) draw(place, plot); };
document.addEventListener("theme", redraw);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);

let last = 0;
document.addEventListener("live", () => {
  if (Date.now() - last < REFRESH_MS) return;
  last = Date.now();
  for (const place of places) if (place.dataset.index === "live") refresh(place);
});
