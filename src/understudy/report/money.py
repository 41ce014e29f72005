"""Money over calls: what the teacher would cost, against what teaching a student has cost once."""

from dataclasses import dataclass

from markupsafe import Markup

from understudy import words
from understudy.report.axes import Frame, axis_title, path
from understudy.report.scores import Teacher
from understudy.report.svg import Scale, element, nice_ticks, picture


@dataclass(frozen=True, slots=True)
class Payback:
    """When a student has paid for its teaching, as far as a run knows: what serving it costs is not in it.

    Attributes:
        teaching_usd: What the teacher's answers cost, once.
        price_usd: What one of its answers cost.
    """

    teaching_usd: float
    price_usd: float

    @property
    def calls(self) -> float:
        """After so many calls the teacher would have cost as much."""
        return self.teaching_usd / self.price_usd


def payback(teacher: Teacher | None) -> Payback | None:
    """By a run's account of its teacher; None where a price is not known, or there is none."""
    if teacher is None or not teacher.cost_usd or not teacher.requests:
        return None
    return Payback(teacher.cost_usd, teacher.cost_usd / teacher.requests)


def break_even(found: Payback, *, width: float, height: float) -> Markup:
    """The teacher's line rises with every call and the student's lies level; where they cross, it has paid back."""
    end = 2 * found.calls
    ticks = nice_ticks(0, 2 * found.teaching_usd, most=4)
    frame = Frame(Scale(0, end, 74, width - 30), Scale(0, ticks[-1], height - 46, 26), width, height)
    x, y = frame.x(found.calls), frame.y(found.teaching_usd)
    grid = [(frame.y(tick), words.dollars(tick)) for tick in ticks]
    below = [(frame.x(tick), words.count(tick)) for tick in nice_ticks(0, end, most=4) if tick <= end]
    said = f"after {words.count(found.calls)} calls the teacher has cost {words.dollars(found.teaching_usd)}"
    return picture(
        f"Money by calls: {said}, as much as teaching the student",
        width,
        height,
        *(element("line", x1=74, x2=frame.x.end, y1=at, y2=at, class_="grid") for at, _ in grid),
        *(element("text", text, x=63, y=at + 4, class_="tick", text_anchor="end") for at, text in grid),
        *(element("text", text, x=at, y=height - 26, class_="tick", text_anchor="middle") for at, text in below),
        axis_title(frame, "calls →"),
        element("polyline", points=path(frame, [(0, 0), (end, 2 * found.teaching_usd)]), class_="curve dashed"),
        element("polyline", points=path(frame, [(0, found.teaching_usd), (end, found.teaching_usd)]), class_="curve"),
        element(
            "text",
            "teacher",
            x=frame.x.end - 4,
            y=frame.y(2 * found.teaching_usd) - 9,
            class_="name teacher-name",
            text_anchor="end",
        ),
        element(
            "text", "student, taught once", x=frame.x.end - 4, y=y + 18, class_="name teacher-name", text_anchor="end"
        ),
        element("circle", element("title", said), cx=x, cy=y, r=5, class_="dot"),
    )
