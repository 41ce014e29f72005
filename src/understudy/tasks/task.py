"""The seam between a task and everything else, and the tally from which every score is made."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol, TypedDict

from understudy.errors import UnderstudyError
from understudy.example import Target

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


Form = Literal["label", "spans", "text"]
"""What the targets of a task are: one label out of a list, spans in the text, or free text."""


class Message(TypedDict):
    """One message of a chat request."""

    role: str
    content: str


@dataclass(frozen=True, slots=True)
class ReplySchema:
    """The JSON schema that a teacher's reply must satisfy, and its name in the request."""

    name: str
    schema: Mapping[str, Any]


@dataclass(frozen=True, slots=True, eq=False)
class Tally:
    """What each test item adds to the counts that a metric is computed from.

    Metrics such as macro-F1 are not means over items, but they are functions of sums over items. Kept per item, the
    sums of any resample are one matrix product, so that a bootstrap of any metric costs next to nothing.

    Attributes:
        items: Shape (items, counts); a sparse matrix where an item adds to few of many counts.
        metrics: From summed counts, shape (..., counts), to each metric's values, shape (...).
    """

    items: Any
    metrics: "Callable[[Floats], dict[str, Floats]]"

    def scores(self) -> dict[str, float]:
        """Each metric over all items."""
        return {name: float(value) for name, value in self.metrics(self.items.sum(axis=0)).items()}

    def by_item(self, metric: str) -> "Floats":
        """A metric of each item by itself, shape (items,); NaN where it says nothing of an item."""
        items = self.items.toarray() if hasattr(self.items, "toarray") else self.items
        return self.metrics(items)[metric]


class Task(Protocol):
    """A language task: what is asked of the teacher, and how any answer is judged.

    One whose form is ``label`` also has ``labels``, and one of spans ``types``, each with a description (`labels_of`,
    `types_of`).

    Attributes:
        headline: The metric that decides between predictors; higher is better.
        form: What its targets are, which decides what a student must be able to say.
        exact: Whether a text has one right answer, rather than many wordings of it, so that answers can be compared.
        extractive: Whether some of a text's own sentences are an answer to it, as they are a summary.
        diagnostic: The metrics, such as a length, that describe answers without judging them: no side is better.
        generation_prompt: The released prompt by which the teacher writes a text for a target.
    """

    headline: ClassVar[str]
    form: ClassVar[Form]
    exact: ClassVar[bool]
    extractive: ClassVar[bool]
    diagnostic: ClassVar[frozenset[str]]
    generation_prompt: ClassVar[str]

    @property
    def reply_schema(self) -> ReplySchema:
        """What the teacher's reply must look like."""

    def messages(self, text: str) -> list[Message]:
        """The request to the teacher for one text."""

    def describe(self, target: Target, text: str) -> dict[str, Any]:
        """What a generation prompt may say of a target of this text, beside what is said of the texts."""

    def parse(self, reply: str, text: str) -> Target:
        """The target in a teacher's reply.

        Raises:
            ParseError: The reply is not an answer; nothing is guessed.
        """

    def render(self, target: Target, text: str) -> str:
        """The reply that would be parsed to this target of this text: the inverse of `parse`."""

    def read(self, value: Any, text: str) -> Target:
        """The target in a cell of a data file.

        Raises:
            DataError: The value is not a target of this task.
        """

    def consensus(self, targets: Sequence[Target]) -> tuple[Target, float]:
        """What several answers to the same text, at least one, agree on, and how much they agree, in [0, 1]."""

    def tally(self, gold: Sequence[Target], predicted: Sequence[Target | None], texts: Sequence[str]) -> Tally:
        """What each item adds to this task's metrics; a prediction of None is wrong.

        Args:
            gold: The right answers.
            predicted: The answers given, one for each right one.
            texts: What was answered, one for each right answer.
        """

    def details(
        self, gold: Sequence[Target], predicted: Sequence[Target | None], texts: Sequence[str]
    ) -> dict[str, Any]:
        """What a person would want to see below the metrics (per-class scores, a confusion matrix), as JSON."""


def types_of(task: Task) -> Mapping[str, str]:
    """The types of a task's entities with their descriptions; none where its targets are no spans.

    Raises:
        UnderstudyError: Its targets are spans, and it does not say of which types.
    """
    if task.form != "spans":
        return {}
    types: Mapping[str, str] = getattr(task, "types", {})
    if not types:
        raise UnderstudyError(
            f"the task {type(task).__name__} marks spans and names no types; expected an attribute types, from the "
            "name of each to its description"
        )
    return types


def labels_of(task: Task) -> Mapping[str, str]:
    """The task's labels with their descriptions; none where its targets are no labels."""
    labels: Mapping[str, str] = getattr(task, "labels", {})
    return labels
