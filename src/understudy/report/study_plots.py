"""The regimen of a mixture: its share s(u) over training, and below it how the arms' validation score went along."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from understudy import words
from understudy.report.axes import Frame, path
from understudy.report.markers import Style, colour, marker
from understudy.report.svg import Scale, element, nice_ticks, picture

Course = Sequence[tuple[float, float]]
"""Values over training, as (u, value) with u from 0 to 1."""

_LEFT, _RIGHT = 44, 12
_SHARE, _GAP, _SCORES, _BELOW = 62, 40, 118, 26
"""The heights of the panel of the share, of what lies between, of the panel of scores, and of what lies below."""
_TOP = 26
_DASHES = (None, "7 3", "2 3", "9 3 2 3", "4 2", "1 3")


@dataclass(frozen=True, slots=True)
class Trace:
    """A student's validation score over its training."""

    student: str
    style: Style
    course: Course


def regimen(
    mixture: str,
    share: Course,
    traces: Sequence[Trace],
    scores: tuple[float, float],
    metric: str,
    *,
    width: float = 320,
) -> Markup:
    """A mixture's share of distilled examples over training, and its arms' validation scores below.

    Args:
        mixture: Its name, in words.
        share: s(u).
        traces: Those of its arms that look at validation while they learn.
        scores: The lowest and the highest score of all mixtures' arms, so that all are drawn to one scale.
        metric: What the scores are, in words.
        width: In drawing units.
    """
    ends = "; ".join(f"{trace.student} ends at {words.score(trace.course[-1][1])}" for trace in traces)
    told = [element("text", metric, x=2, y=_TOP + _SHARE + _GAP - 14, class_="tick")] if traces else []
    below = _TOP + _SHARE + (_GAP + _SCORES if traces else 0)
    return picture(
        f"{mixture}: share of distilled examples over training"
        + (f", and {metric} on validation: {ends}" if ends else ""),
        width,
        below + _BELOW,
        element("text", "distilled", x=2, y=12, class_="tick"),
        *share_panel(share, width),
        *told,
        *(_score_panel(traces, scores, width) if traces else ()),
        *_progress(width, below),
    )


def share_panel(share: Course, width: float) -> Iterator[Markup]:
    """s(u) as a filled line between 0 and 1."""
    frame = Frame(_across(width), Scale(0, 1, _TOP + _SHARE, _TOP), width, _TOP + _SHARE)
    yield from _lines_across(frame, [0, 0.5, 1])
    if share:
        yield element("polygon", points=path(frame, [(share[0][0], 0), *share, (share[-1][0], 0)]), class_="share")
        yield element("polyline", points=path(frame, share), class_="share-line")


def _score_panel(traces: Sequence[Trace], scores: tuple[float, float], width: float) -> Iterator[Markup]:
    ticks = nice_ticks(*scores, most=4)
    top = _TOP + _SHARE + _GAP
    frame = Frame(_across(width), Scale(ticks[0], ticks[-1], top + _SCORES, top), width, top + _SCORES)
    yield from _lines_across(frame, ticks)
    for trace in traces:
        u, score = trace.course[-1]
        dashes = _DASHES[trace.style.student % len(_DASHES)]
        yield element(
            "g",
            element("title", f"{trace.student}: {words.score(score)} at the end"),
            element("polyline", points=path(frame, trace.course), class_="curve", stroke_dasharray=dashes),
            marker(trace.style, frame.x(u), frame.y(score)),
            class_=colour(trace.style.student),
        )


def _across(width: float) -> Scale:
    return Scale(0, 1, _LEFT, width - _RIGHT)


def _lines_across(frame: Frame, ticks: Sequence[float]) -> Iterator[Markup]:
    for tick in ticks:
        at = frame.y(tick)
        yield element("line", x1=frame.x.start, x2=frame.x.end, y1=at, y2=at, class_="grid")
        yield element("text", f"{tick:.10g}", x=frame.x.start - 6, y=at + 4, class_="tick", text_anchor="end")


def _progress(width: float, below: float) -> Iterator[Markup]:
    """The axis of u, below all panels."""
    x = _across(width)
    yield element("line", x1=x.start, x2=x.end, y1=below, y2=below, class_="axis")
    for u, said, anchor in ((0, "0", "start"), (0.5, "progress of training", "middle"), (1, "1", "end")):
        yield element("text", said, x=x(u), y=below + 18, class_="tick", text_anchor=anchor)
