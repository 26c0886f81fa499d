// Keeps live figures honest: counts their age, greys the old ones, pauses on demand, asks when the stream is gone.
const language = document.documentElement.lang;
const words = new Intl.RelativeTimeFormat(language === "en" ? "en-GB" : "zh-CN", { style: "short", numeric: "always" });
const STEPS = [[60, 1, "second"], [3600, 60, "minute"], [86400, 3600, "hour"], [Infinity, 86400, "day"]];
const POLL_MS = 5000;

function ago(seconds) {
  const [, size, unit] = STEPS.find(([limit]) => seconds < limit);
  return words.format(-Math.floor(seconds / size), unit).replace(/(?<=\d)(?=[\u4e00-\u9fff])/, " ");
}

// A tile whose age shows only once it is old comes without one.
function ageOf(tile) {
  const age = document.createElement("span");
  age.className = "age age-if-stale";
  age.append(document.createElement("b"), " · ", document.createElement("time"));
  tile.append(age);
  return age;
}

function grow() {
  const now = Date.now();
  const said = document.body.dataset;
  for (const tile of document.querySelectorAll("[data-at]")) {
    const seconds = Math.max(0, (now - Number(tile.dataset.at)) / 1000);
    const isStale = seconds > Number(tile.dataset.staleS);
    tile.classList.toggle("stale", isStale);
    const age = tile.querySelector(".age") ?? (isStale ? ageOf(tile) : null);
    if (!age) continue;
    const [word, time] = age.children;
    word.textContent = isStale ? said.stale : said.live;
    time.textContent = ago(seconds);
  }
}

const pause = document.querySelector("[data-pause]");
const isPaused = () => pause?.getAttribute("aria-pressed") === "true";
pause?.addEventListener("click", () => pause.setAttribute("aria-pressed", String(!isPaused())));

let heard = Date.now();
document.body.addEventListener("htmx:sseOpen", () => { heard = Date.now(); });
document.body.addEventListener("htmx:sseBeforeMessage", (event) => {
  heard = Date.now();
  if (isPaused()) event.preventDefault();
  else document.dispatchEvent(new Event("live"));
});
document.body.addEventListener("htmx:sseMessage", grow);
document.body.addEventListener("htmx:load", grow);

// An act that is refused is sent once more as the plain form it is: the whole page then says why.
document.body.addEventListener("htmx:responseError", ({ detail }) => { if (detail.elt.matches("form")) detail.elt.submit(); });

const gone = document.querySelector("[data-gone]");
document.body.addEventListener("htmx:sendError", ({ detail }) => {
  if (!detail.elt.matches("form")) return;
  heard = 0;
  gone.hidden = false;
});

// A stream that says nothing for half a minute is gone: ask now and then instead, while the page is looked at.
setInterval(() => {
  const poll = document.getElementById("poll");
  const isGone = Date.now() - heard > 30000;
  if (gone) gone.hidden = !isGone;
  if (poll && isGone && !isPaused() && !document.hidden) {
    globalThis.htmx.trigger(poll, "poll");
    document.dispatchEvent(new Event("live"));
  }
}, POLL_MS);
setInterval(() => { if (!document.hidden) grow(); }, 1000);
grow();

document.querySelector("select[data-submit]")?.addEventListener("change", (event) => event.target.form.requestSubmit());
