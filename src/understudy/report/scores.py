"""What a run's scores file holds."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AliasChoices, Field, model_validator

from understudy.report.reading import Part, read_as
from understudy.words import row_name

TEACHER = "teacher"


class Estimate(Part):
    """A score and its 95 % interval, whose ends are None where none was computed."""

    mean: float
    low: float | None = None
    high: float | None = None

    @property
    def bounds(self) -> tuple[float, float]:
        """The interval; the score itself twice where there is none."""
        return (
            self.mean if self.low is None else self.low,
            self.mean if self.high is None else self.high,
        )


class Latency(Part):
    """Milliseconds for one text at a time: the median, and what 95 of 100 calls stay under."""

    p50: float | None = None
    p95: float | None = None


class Matches(Part):
    """What became of the true entities of a test set, and how many answers had nothing to do with any."""

    correct: int = 0
    partial: int = 0
    type: int = 0
    missed: int = 0
    spurious: int = 0


class ClassScore(Part):
    """One label's or entity type's scores; support is how many test answers are truly of it."""

    precision: float | None = None
    recall: float | None = None
    f1: float | None = None
    support: int | None = None
    matches: Matches | None = None


class Confusion(Part):
    """How often each label (row) was answered with each label (column); the last column counts no answer."""

    labels: list[str]
    counts: list[list[int]]

    @model_validator(mode="after")
    def _square(self) -> Self:
        size = len(self.labels)
        if len(self.counts) != size or any(len(row) != size + 1 for row in self.counts):
            raise ValueError(f"{size} labels need {size} rows of {size + 1} counts")
        return self


class Details(Part):
    """What lies below a row's metrics, where the task has it."""

    per_class: dict[str, ClassScore] | None = None
    confusion: Confusion | None = None
    matches: Matches | None = None


class Row(Part):
    """One line of the comparison: the teacher, or a student trained on a mixture, over all its seeds.

    A control is there only to be beaten.
    """

    student: str
    mixture: str | None = None
    control: bool = False
    seeds: int | None = None
    metrics: dict[str, Estimate | None]
    latency_ms: Latency | None = None
    throughput: float | None = None
    size_bytes: int | None = None
    parameters: int | None = None
    train_seconds: float | None = None
    steps: int | None = None
    details: Details | None = None

    @property
    def name(self) -> str:
        """The row's name in comparisons and predictions: ``student/mixture``, or ``teacher``."""
        return row_name(self.student, self.mixture)

    @property
    def p50(self) -> float | None:
        """The median latency in milliseconds."""
        return self.latency_ms.p50 if self.latency_ms else None


class Tokens(Part):
    """Tokens sent to the teacher and received from it."""

    input: int | None = None
    output: int | None = None


class Teacher(Part):
    """What is known of the teacher beyond its row."""

    model: str | None = None
    cost_usd: float | None = None
    spent_usd: float | None = None
    unusable: int | None = None
    requests: int | None = None
    tokens: Tokens | None = None


class Comparison(Part):
    """A paired difference, a minus b, on the same test items."""

    a: str
    b: str
    metric: str
    difference: float
    low: float
    high: float
    p_value: float | None = None

    def flipped(self) -> "Comparison":
        """The same comparison as b minus a."""
        turned = {"a": self.b, "b": self.a, "difference": -self.difference, "low": -self.high, "high": -self.low}
        return self.model_copy(update=turned)


class Choice(Part):
    """The arm that the run would put to work, where it lies, and why."""

    student: str
    mixture: str | None = None
    folder: str | None = None
    sentence: str | None = None

    @property
    def name(self) -> str:
        """The chosen row's name."""
        return row_name(self.student, self.mixture)


class CurvePoint(Estimate):
    """The score reached, or expected, with so many examples: of a run, distilled ones."""

    size: Annotated[int, Field(ge=0, validation_alias=AliasChoices("size", "distilled"))]


class LearningCurve(Part):
    """How the score grows with the teacher's labels, and what a fitted curve expects of more."""

    student: str
    mixture: str | None = None
    metric: str
    points: Annotated[list[CurvePoint], Field(min_length=1)]
    forecast: Sequence[CurvePoint] = ()
    sentence: str | None = None


class Counts(Part):
    """How many examples there were at each step of the run."""

    pool: int | None = None
    gold: int | None = None
    test: int | None = None
    asked: int | None = None
    distilled: int | None = None
    train_gold: int | None = None
    validation: int | None = None
    rejected: dict[str, int] | None = None
    note: str | None = None


class Scores(Part):
    """A run's scores file.

    Attributes:
        form: What the answers are: ``label``, ``spans`` or ``text``.
        exact: Whether an answer is right or wrong as a whole.
        headline: The metric that decides.
        diagnostic: The metrics that describe answers, neither side being the better one.
    """

    version: Literal[1] = 1
    name: str | None = None
    task: str | None = None
    form: str = "label"
    exact: bool = True
    headline: str
    diagnostic: Sequence[str] = ()
    understudy: str | None = None
    created: str | None = None
    recipe: str | None = None
    rows: list[Row]
    teacher: Teacher | None = None
    comparisons: Sequence[Comparison] = ()
    choice: Choice | None = None
    learning_curve: LearningCurve | None = None
    data: Counts | None = None

    @model_validator(mode="after")
    def _answerable(self) -> Self:
        if not self.candidates:
            raise ValueError("rows: no student's row; expected at least one")
        for row in self.rows:
            if row.metrics.get(self.headline) is None:
                raise ValueError(f"rows: {row.name} has no {self.headline}, the headline metric")
        if self.choice and self.choice.name not in {row.name for row in self.candidates}:
            raise ValueError(f"choice: there is no row {self.choice.name}")
        return self

    @property
    def students(self) -> list[Row]:
        """Every row but the teacher's."""
        return [row for row in self.rows if row.student != TEACHER]

    @property
    def controls(self) -> list[Row]:
        """The students that are there only to be beaten."""
        return [row for row in self.students if row.control]

    @property
    def candidates(self) -> list[Row]:
        """The students of which one is chosen."""
        return [row for row in self.students if not row.control]

    @property
    def teacher_row(self) -> Row | None:
        """The row to beat."""
        return next((row for row in self.rows if row.student == TEACHER), None)

    @property
    def chosen(self) -> Row:
        """The row of the run's choice; where it made none, the student with the highest headline score."""
        if self.choice:
            return next(row for row in self.candidates if row.name == self.choice.name)
        return max(self.candidates, key=lambda row: self.score(row).mean)

    def score(self, row: Row) -> Estimate:
        """A row's headline score."""
        score = row.metrics[self.headline]
        if score is None:
            raise KeyError(self.headline)
        return score

    def compare(self, a: str, b: str) -> Comparison | None:
        """The paired difference of two rows by the headline metric, a minus b, whichever way round it was written."""
        for comparison in self.comparisons:
            if comparison.metric == self.headline and {comparison.a, comparison.b} == {a, b}:
                return comparison if comparison.a == a else comparison.flipped()
        return None


def read_scores(path: Path) -> Scores:
    """The scores of a run.

    Raises:
        DataError: The file is missing or is not a scores file; the message names the first few mistakes.
    """
    return read_as(Scores, path, what="a scores file", maker="recipe")
