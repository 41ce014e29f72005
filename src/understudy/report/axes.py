"""The frame of a plot: its scales, the lines and figures beside them, and the teacher as a line across."""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from understudy import words
from understudy.report.scores import Estimate
from understudy.report.svg import Scale, element, nice_ticks

LETTER = 6.6
"""About how wide a letter of a label is, in drawing units."""


@dataclass(frozen=True, slots=True)
class Frame:
    """Where values lie in a drawing of some width and height."""

    x: Scale
    y: Scale
    width: float
    height: float


def score_scale(estimates: Iterable[Estimate], top: float, bottom: float) -> Scale:
    """Room for all intervals between round values, and never past 1 where nothing is."""
    ends = [end for estimate in estimates for end in (*estimate.bounds, estimate.mean)]
    low, high = min(ends), max(ends)
    ticks = nice_ticks(low, high)
    ceiling = 1.0 if high <= 1.0 < ticks[-1] else ticks[-1]
    return Scale(ticks[0], ceiling, bottom, top)


def axes(frame: Frame, x_ticks: Sequence[tuple[float, str]], metric: str) -> Iterator[Markup]:
    """Light lines across with the scores beside them, the values below, and the metric's name on top."""
    for tick in nice_ticks(frame.y.low, frame.y.high):
        if frame.y.low - 1e-9 <= tick <= frame.y.high + 1e-9:
            at = frame.y(tick)
            yield element("line", x1=frame.x.start, x2=frame.x.end, y1=at, y2=at, class_="grid")
            yield element("text", f"{tick:.10g}", x=frame.x.start - 11, y=at + 4, class_="tick", text_anchor="end")
    reached = -math.inf
    for value, said in x_ticks:
        at, half = frame.x(value), len(said) * LETTER / 2
        yield element("line", x1=at, x2=at, y1=frame.y.start, y2=frame.y.start + 5, class_="axis")
        if at - half > reached and at + half < frame.width:
            reached = at + half + 8
            yield element("text", said, x=at, y=frame.y.start + 20, class_="tick", text_anchor="middle")
    yield element("line", x1=frame.x.start, x2=frame.x.end, y1=frame.y.start, y2=frame.y.start, class_="axis")
    yield element("text", f"↑ {metric}", x=2, y=12, class_="tick")


def axis_title(frame: Frame, title: str) -> Markup:
    """What the values below are."""
    return element("text", title, x=frame.x.end, y=frame.height - 6, class_="tick", text_anchor="end")


def teacher_line(frame: Frame, teacher: Estimate | None) -> Iterator[Markup]:
    """The teacher's score across the whole frame, with its interval as a band."""
    if teacher is None:
        return
    low, high = teacher.bounds
    said = f"teacher: {words.score(teacher.mean)} {words.interval(teacher.low, teacher.high)}"
    at, across = frame.y(teacher.mean), frame.x.end - frame.x.start
    yield element(
        "g",
        element("title", said),
        element(
            "rect", x=frame.x.start, width=across, y=frame.y(high), height=frame.y(low) - frame.y(high), class_="band"
        ),
        element("line", x1=frame.x.start, x2=frame.x.end, y1=at, y2=at, class_="teacher"),
        element(
            "text",
            f"teacher {words.score(teacher.mean)}",
            x=frame.x.end - 4,
            y=frame.y(high) - 5,
            class_="name teacher-name",
            text_anchor="end",
        ),
    )


def path(frame: Frame, places: Iterable[tuple[float, float]]) -> str:
    """Values along both axes as the points of a line or a shape."""
    return " ".join(f"{frame.x(x):.1f},{frame.y(y):.1f}" for x, y in places)
