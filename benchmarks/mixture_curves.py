"""Draws docs/mixtures.svg: s(u) of every mixture, where nine in ten examples are distilled.

python -m benchmarks.mixture_curves
"""

from collections.abc import Iterator
from pathlib import Path

from markupsafe import Markup

from understudy import words
from understudy.registry import find, names
from understudy.report.study_plots import regimen
from understudy.report.svg import element

_OUT = Path(__file__).parent.parent / "docs" / "mixtures.svg"
_M = 0.9
_POINTS = 200
_ACROSS, _WIDTH, _HEIGHT, _TITLE, _EDGE = 3, 300, 114, 20, 16
# A picture in a document has no page to take its colours from.
_STYLE = """
.paper { fill: #fcfcfa; } .title { fill: #1b2126; font-size: 14px; font-weight: 600; }
.tick { fill: #59636d; font-size: 12px; } .grid { stroke: #e2e4e1; } .axis { stroke: #59636d; }
.share { fill: #0b6a70; opacity: 0.2; } .share-line { fill: none; stroke: #0b6a70; stroke-width: 1.8; }
@media (prefers-color-scheme: dark) {
.paper { fill: #14181b; } .title { fill: #e7eaec; } .tick { fill: #a3adb5; } .grid { stroke: #2c3338; }
.axis { stroke: #a3adb5; } .share { fill: #63c5c4; } .share-line { stroke: #63c5c4; }
}
"""


def main() -> None:
    """Write the picture."""
    mixtures = names("mixture")
    rows = -(-len(mixtures) // _ACROSS)
    width, height = _ACROSS * _WIDTH + 2 * _EDGE, rows * (_TITLE + _HEIGHT) + 2 * _EDGE
    picture = element(
        "svg",
        element("title", f"s(u), the share of distilled examples over training, of every mixture at m = {_M}"),
        element("style", _STYLE),
        element("rect", width=width, height=height, class_="paper"),
        *(_panel(name, place) for place, name in enumerate(mixtures)),
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {width} {height}",
        width=width,
        height=height,
        font_family="system-ui, sans-serif",
    )
    _OUT.write_text(f"{picture}\n", encoding="utf-8")
    print(f"{_OUT}: {len(mixtures)} mixtures")


def _panel(name: str, place: int) -> Markup:
    x, y = place % _ACROSS * _WIDTH + _EDGE, place // _ACROSS * (_TITLE + _HEIGHT) + _EDGE
    title = element("text", words.plain(name), x=2, y=14, class_="title")
    drawing = element("g", regimen(name, list(_course(name)), [], (0, 1), "", width=_WIDTH), class_="panel")
    moved = element("svg", drawing, x=0, y=_TITLE, width=_WIDTH, height=_HEIGHT)
    return element("svg", title, moved, x=x, y=y, width=_WIDTH, height=_TITLE + _HEIGHT)


def _course(name: str) -> Iterator[tuple[float, float]]:
    share = find("mixture", name)
    yield from ((place / _POINTS, share(place / _POINTS, _M)) for place in range(_POINTS + 1))


if __name__ == "__main__":
    main()
