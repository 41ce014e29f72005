"""What a study's findings file holds."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from understudy.report import scores
from understudy.report.reading import Part, read_as
from understudy.report.scores import TEACHER, Estimate, LearningCurve, Scores
from understudy.words import row_name

Share = Annotated[float, Field(ge=0, le=1)]
Verdict = Literal["supported", "contradicted", "not shown"]


class Row(scores.Row):
    """A cell of the grid: a student on a mixture of so many gold and distilled examples, over all its seeds.

    Attributes:
        whole: Whether it learned from all examples there are, as the cells of the main table do.
        history: The validation score over training, as (u, score), of the first seed; empty where it does not look.
    """

    gold: int = 0
    distilled: int = 0
    whole: bool = True
    history: Sequence[tuple[Share, float]] = ()


class Comparison(scores.Comparison):
    """A paired difference among a study's many.

    Attributes:
        student: Whose; None where all students and seeds are taken together.
        p_holm: The p-value corrected for all comparisons of the study (Holm 1979).
        effect: The difference in standard deviations of the items' differences (paired d_z).
        significant: Whether it may be called one.
    """

    student: str | None = None
    p_holm: float | None = None
    effect: float | None = None
    significant: bool = False


class Claim(Part):
    """What somebody holds of mixtures, and what the study says to it."""

    claim: str
    better: str
    than: str
    verdict: Verdict
    pooled: Comparison
    by_student: Sequence[Comparison] = ()

    @property
    def compared(self) -> list[Comparison]:
        """All students together, then each by itself, where there are several."""
        return [self.pooled, *(self.by_student if len(self.by_student) > 1 else ())]


class Curve(LearningCurve):
    """How a score grows with the examples of one source, with all of the other."""

    mixture: str
    over: Literal["distilled", "gold"]

    @property
    def name(self) -> str:
        """The name of its arm."""
        return row_name(self.student, self.mixture)


class Counts(Part):
    """How many examples there were."""

    gold: int | None = None
    distilled: int | None = None
    validation: int | None = None
    test: int | None = None


class Teacher(Part):
    """The teacher's scores on the test set, and what it cost."""

    model: str | None = None
    metrics: dict[str, Estimate | None] = Field(default_factory=dict)
    cost_usd: float | None = None
    label_usd: float | None = None


class Findings(Part):
    """A study's findings file.

    Attributes:
        rows: The cells of the grid; those with all examples are the main table.
        shares: s(u) of each mixture, as (u, s), with the study's own ``m``.
        controls: Every whole cell against gold alone.
    """

    version: Literal[1] = 1
    name: str
    note: str | None = None
    task: str | None = None
    headline: str
    exact: bool = True
    diagnostic: Sequence[str] = ()
    understudy: str | None = None
    created: str | None = None
    study: str | None = None
    seeds: int | None = None
    steps: Literal["matched", "own"] = "matched"
    counts: Counts = Counts()
    teacher: Teacher | None = None
    rows: Sequence[Row] = ()
    shares: dict[str, list[tuple[Share, Share]]] = Field(default_factory=dict)
    m: Share | None = None
    claims: Sequence[Claim] = ()
    controls: Sequence[Comparison] = ()
    curves: Sequence[Curve] = ()

    @model_validator(mode="after")
    def _scored(self) -> Self:
        for row in self.rows:
            if row.metrics.get(self.headline) is None:
                raise ValueError(f"rows: {row.name} has no {self.headline}, the headline metric")
            if row.student == TEACHER:
                raise ValueError(f"rows: a student goes by the name of the {TEACHER}")
        return self

    @property
    def whole(self) -> list[Row]:
        """The cells with all examples, best first."""
        return sorted((row for row in self.rows if row.whole), key=self.reached, reverse=True)

    @property
    def students(self) -> list[str]:
        """In the order of the grid."""
        return list(dict.fromkeys(row.student for row in self.rows))

    @property
    def mixtures(self) -> list[str]:
        """In the order of the grid."""
        return list(dict.fromkeys(row.mixture for row in self.rows if row.mixture))

    @property
    def teacher_score(self) -> Estimate | None:
        """The headline score to beat."""
        return self.teacher.metrics.get(self.headline) if self.teacher else None

    @property
    def board(self) -> Scores | None:
        """The main table as a run has it: the teacher, then whole cells, best first; None without a student's."""
        rows: Sequence[scores.Row] = self.whole
        if all(row.control for row in rows):
            return None
        known = self.teacher if self.teacher_score else None
        teacher = [scores.Row(student=TEACHER, metrics=known.metrics)] if known else []
        return Scores(
            name=self.name,
            task=self.task,
            exact=self.exact,
            headline=self.headline,
            diagnostic=self.diagnostic,
            rows=[*teacher, *rows],
            data=scores.Counts(test=self.counts.test),
        )

    def score(self, row: Row) -> Estimate:
        """A row's headline score."""
        score = row.metrics[self.headline]
        if score is None:
            raise KeyError(self.headline)
        return score

    def reached(self, row: Row) -> float:
        """What a row is sorted by."""
        return self.score(row).mean


def read_findings(path: Path) -> Findings:
    """The findings of a study.

    Raises:
        DataError: The file is missing or is not a findings file; the message names the first few mistakes.
    """
    return read_as(Findings, path, what="a study’s findings", maker="study")
