"""The arms of a page: their signs, their legends and their places in a plot, the same wherever they are drawn."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Self

from markupsafe import Markup

from understudy import words
from understudy.report.markers import Style, swatch
from understudy.report.plots import Cost, Point
from understudy.report.scores import Row, Scores

_MIXTURES_FIRST = ("gold", "distilled")
"""The first is drawn hollow and the second solid, in every report; the others follow in the order of the scores."""


@dataclass(frozen=True, slots=True)
class Signs:
    """How the arms of a page are drawn, each beside the others.

    Attributes:
        students: In the order of their colours and shapes.
        mixtures: In the order of their fillings, and whether there is an arm of them.
        styles: Each arm's, by its name.
    """

    students: list[str]
    mixtures: dict[str, bool]
    styles: dict[str, Style]

    @classmethod
    def of(cls, rows: Iterable[Row]) -> Self:
        """Those of some rows, none of them the teacher's."""
        rows = list(rows)
        students = list(dict.fromkeys(row.student for row in rows))
        mixtures = list(dict.fromkeys([*_MIXTURES_FIRST, *(row.mixture for row in rows)]))
        styles = {row.name: Style(students.index(row.student), mixtures.index(row.mixture)) for row in rows}
        there = {row.mixture for row in rows}
        return cls(students, {mixture: mixture in there for mixture in mixtures if mixture}, styles)

    @property
    def swatches(self) -> dict[str, Markup]:
        """Each arm's sign for a table, by its name."""
        return {name: swatch(style) for name, style in self.styles.items()}

    @property
    def legends(self) -> tuple[dict[str, Markup], dict[str, Markup]]:
        """The signs of the students, and those of the mixtures."""
        students = {student: swatch(Style(place, 1)) for place, student in enumerate(self.students)}
        mixtures = enumerate(self.mixtures.items())
        return students, {mixture: swatch(None, place) for place, (mixture, there) in mixtures if there}


def arm_points(scores: Scores, signs: Signs, cost: Cost, rings: Mapping[str, str]) -> list[Point]:
    """The arms whose cost is known.

    Args:
        scores: What they reach.
        signs: How they are drawn.
        cost: What they are seen against.
        rings: Why an arm stands out, by its name.
    """
    known = [(row, value) for row in scores.students if (value := cost.of(row)) is not None]
    return [
        Point(
            student=row.student,
            name=words.arm(row.name),
            style=signs.styles[row.name],
            cost=value,
            score=scores.score(row),
            ring=rings.get(row.name, ""),
        )
        for row, value in known
    ]
