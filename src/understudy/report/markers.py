"""Signs for the arms in plots and legends: a student is a colour and a shape, its mixture a filling."""

import math
from dataclasses import dataclass

from markupsafe import Markup

from understudy.report.svg import element

COLOURS = 6
"""How many students have a colour of their own in the style sheet (classes ``s0`` to ``s5``)."""

_SHAPES = ("circle", "square", "triangle", "diamond", "pentagon", "hexagon")
_CORNERS = {"square": (4, 45), "triangle": (3, -90), "diamond": (4, 0), "pentagon": (5, -90), "hexagon": (6, 0)}
_REACH = {"square": 1.25, "triangle": 1.35, "diamond": 1.3, "pentagon": 1.1, "hexagon": 1.1}
_FILLS = (
    (0, 0, 0, 0),
    (0, 0, 1, 1),
    (0, 0, 0.5, 1),
    (0, 0.5, 1, 1),
    (0.5, 0, 1, 1),
    (0, 0, 1, 0.5),
    (0.3, 0.3, 0.7, 0.7),
    (0, 0.4, 1, 0.6),
    (0.4, 0, 0.6, 1),
    (0, 0, 0.5, 0.5),
    (0.5, 0.5, 1, 1),
)
"""Which part of a marker is filled, as corners in its box: none, all, left, bottom, right, top, core, a band across, a
band down, two quarters. That is one for each mixture of ours."""

RADIUS = 6.5
"""Of a sign, in drawing units."""


@dataclass(frozen=True, slots=True)
class Style:
    """How an arm is drawn: its student is a colour and a shape, its mixture a filling; all three are numbers."""

    student: int
    mixture: int


def colour(student: int) -> str:
    """The style class that gives a student its colour."""
    return f"s{student % COLOURS}"


def marker(style: Style, x: float, y: float) -> Markup:
    """An arm's sign, centred on a point: an outline, of which the part that stands for the mixture is filled."""
    shape = _SHAPES[style.student % len(_SHAPES)]
    size = 2 * RADIUS * 1.5
    left, top, right, bottom = _FILLS[style.mixture % len(_FILLS)]
    half = size / 2
    filled = element(
        "svg",
        _outline(shape, x, y, "mark-fill"),
        x=x - half + left * size,
        y=y - half + top * size,
        width=(right - left) * size,
        height=(bottom - top) * size,
        viewBox=f"{x - half + left * size:.2f} {y - half + top * size:.2f} "
        f"{(right - left) * size:.2f} {(bottom - top) * size:.2f}",
    )
    return Markup("").join(
        [_outline(shape, x, y, "mark-back"), filled if right > left else Markup(""), _outline(shape, x, y, "mark-line")]
    )


def _outline(shape: str, x: float, y: float, class_: str) -> Markup:
    if shape == "circle":
        return element("circle", cx=x, cy=y, r=RADIUS, class_=class_)
    corners, turn = _CORNERS[shape]
    reach = RADIUS * _REACH[shape]
    angles = [math.radians(turn + 360 * corner / corners) for corner in range(corners)]
    path = " ".join(f"{x + reach * math.cos(angle):.2f},{y + reach * math.sin(angle):.2f}" for angle in angles)
    return element("polygon", points=path, class_=class_)


def swatch(style: Style | None, mixture: int = 0) -> Markup:
    """A sign for the legend: a student's, solid and in its colour, or where there is none, a mixture's filling."""
    sign = marker(style, 10, 10) if style else marker(Style(0, mixture), 10, 10)
    class_ = colour(style.student) if style else "neutral"
    return element("svg", sign, viewBox="0 0 20 20", class_=f"swatch {class_}", aria_hidden="true")
