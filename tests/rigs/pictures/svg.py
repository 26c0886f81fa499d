"""The few marks that pictures are made of, with whole pixels, so that files are small and the same everywhere."""

from __future__ import annotations

from html import escape

from dashboards.text_width import text_width

STYLE = (
    "svg{--b:#f4f5f5;--p:#fff;--l:#d8d9da;--t:#24292e;--m:#6e7681}"
    "@media(prefers-color-scheme:dark){svg{--b:#111217;--p:#181b1f;--l:#34373d;--t:#ccccdc;--m:#8e8e9a}}"
    "text{font-family:Inter,Helvetica,Arial,'PingFang SC','Microsoft YaHei','Noto Sans CJK SC',sans-serif;"
    "font-size:12px;fill:var(--t)}.m{fill:var(--m)}.h{font-size:14px;font-weight:500}.r{text-anchor:end}"
    ".c{text-anchor:middle}.p{fill:var(--p);stroke:var(--l)}.g{stroke:var(--l);fill:none}"
)


def text(x, y, said, kind="", size=0, colour="") -> str:
    """One line of text from a point on."""
    more = f' class="{kind}"' if kind else ""
    style = (f"font-size:{size}px;" if size else "") + (f"fill:{colour}" if colour else "")
    more += f' style="{style}"' if style else ""
    return f'<text x="{round(x)}" y="{round(y)}"{more}>{escape(str(said), quote=False)}</text>'


def fitting(said, width, size=12) -> str:
    """A text cut where its place ends."""
    if text_width(said, size) <= width:
        return said
    while said and text_width(f"{said}…", size) > width:
        said = said[:-1]
    return f"{said}…"


def lines_of(said, width, size=12) -> list[str]:
    """A text broken into lines: between words, and between Chinese characters."""
    found, line = [], ""
    words = said.split(" ") if " " in said else list(said)
    gap = " " if " " in said else ""
    for word in words:
        longer = f"{line}{gap if line else ''}{word}"
        if line and text_width(longer, size) > width:
            found.append(line)
            longer = word
        line = longer
    return [*found, line]


def box(x, y, width, height, fill="", kind="", opacity=1.0) -> str:
    """A rectangle."""
    more = f' class="{kind}"' if kind else ""
    more += f' fill="{fill}"' if fill else ""
    more += f' fill-opacity="{opacity:g}"' if opacity != 1 else ""
    return (
        f'<rect x="{round(x)}" y="{round(y)}" width="{max(round(width), 0)}" height="{max(round(height), 0)}"{more}/>'
    )


def path(runs, colour, width=1.0, dash="", kind="") -> str:
    """Lines through points: ``runs`` are lists of (x, y), a gap between two of them."""
    said = []
    for run in runs:
        before = None
        for x, y in ((round(x), round(y)) for x, y in run):
            said.append(f"M{x} {y}" if before is None else f"l{x - before[0]} {y - before[1]}")
            before = x, y
        if len(run) == 1:
            said.append("h1")
    more = f' stroke-dasharray="{dash}"' if dash else ""
    more += f' class="{kind}"' if kind else f' stroke="{colour}" fill="none"'
    return f'<path d="{"".join(said)}" stroke-width="{width:g}"{more}/>' if said else ""


def area(points, colour, opacity) -> str:
    """A filled shape."""
    said = "".join(f"{'L' if k else 'M'}{round(x)} {round(y)}" for k, (x, y) in enumerate(points))
    return f'<path d="{said}z" fill="{colour}" fill-opacity="{opacity:g}"/>' if said else ""


def marks(spans, colour, width, *, upright=True, opacity=1.0) -> str:
    """Many bars of one colour: (x, y, length), each as wide as ``width``."""
    go = "v" if upright else "h"
    said = "".join(f"M{round(x)} {round(y)}{go}{round(length)}" for x, y, length in spans)
    more = f' stroke-opacity="{opacity:g}"' if opacity != 1 else ""
    return f'<path d="{said}" stroke="{colour}" stroke-width="{width:g}"{more}/>' if said else ""
