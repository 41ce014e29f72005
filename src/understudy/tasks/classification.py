"""Classification: one label out of a list for every text (routing, tagging, triage)."""

import functools
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from understudy.errors import DataError, ParseError
from understudy.example import Target
from understudy.registry import unknown
from understudy.tasks.choices import described
from understudy.tasks.class_counts import ClassCounts
from understudy.tasks.prompt import PromptSetting, render, reply_schema
from understudy.tasks.reply import read_object
from understudy.tasks.task import Form, Message, ReplySchema, Tally
from understudy.words import quoted

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from understudy.tasks.task import Floats

    Integers = NDArray[np.int64]


_FORM = '{"label": ...}'


class Classification:
    """Choose the one label that fits a text best.

    Args:
        labels: The labels in a fixed order, each with a description for the teacher (empty or None where none is
            needed); a list of labels will do.
        prompt: A released prompt's name, or ``{"system": ..., "user": ...}`` with ``{{ labels }}`` (label to
            description) and ``{{ text | fenced }}``.

    Raises:
        DataError: There are fewer than two labels, or one that is empty or stands twice.
    """

    headline: ClassVar[str] = "macro_f1"
    form: ClassVar[Form] = "label"
    exact: ClassVar[bool] = True
    extractive: ClassVar[bool] = False
    diagnostic: ClassVar[frozenset[str]] = frozenset()
    generation_prompt: ClassVar[str] = "generate-from-label.v1"

    def __init__(
        self, *, labels: Mapping[str, str | None] | Sequence[str], prompt: PromptSetting = "classification.v2"
    ) -> None:
        self.labels = described("label", labels, at_least=2)
        self.prompt = prompt

    @property
    def reply_schema(self) -> ReplySchema:
        """An object whose key ``label`` is one of the labels."""
        return reply_schema(self.prompt, "label", {"type": "string", "enum": list(self.labels)})

    def messages(self, text: str) -> list[Message]:
        """The request to the teacher for one text."""
        return render(self.prompt, labels=self.labels, text=text)

    def describe(self, target: Target, text: str) -> dict[str, Any]:
        """The label, among all of them with their descriptions."""
        return {"label": target, "labels": self.labels}

    def parse(self, reply: str, text: str) -> str:
        """The label in a reply such as ``{"label": "sport"}``.

        Raises:
            ParseError: The reply is not such an object, or its label is not on the list.
        """
        label = read_object(reply, ["label"], _FORM)["label"]
        if not isinstance(label, str):
            raise ParseError(f"the label is no text; expected {_FORM}")
        if label not in self.labels:
            raise ParseError(unknown("label", label, self.labels))
        return label

    def render(self, target: Target, text: str) -> str:
        """The reply that `parse` reads back as this label."""
        return json.dumps({"label": target}, ensure_ascii=False)

    def read(self, value: Any, text: str) -> str:
        """The label in a cell of a data file; a whole number in JSON stands for the label of its digits.

        Raises:
            DataError: The value is not one of the labels.
        """
        label = str(value) if type(value) is int else value
        if isinstance(label, str) and label in self.labels:
            return label
        if isinstance(value, str):
            raise DataError(unknown("label", value, self.labels))
        found = f"{quoted(value)} ({type(value).__name__})"
        raise DataError(f"unknown label {found}; expected one of, as text: {', '.join(self.labels)}")

    def consensus(self, targets: Sequence[Target]) -> tuple[Target, float]:
        """The label that most answers give, the first of them in a tie, and its share of the answers."""
        [(label, votes)] = Counter(targets).most_common(1)
        return label, votes / len(targets)

    def tally(self, gold: Sequence[Target], predicted: Sequence[Target | None], texts: Sequence[str]) -> Tally:
        """Counts for accuracy and macro-F1: per label true positives, predicted and gold; then the items themselves."""
        import numpy as np
        from scipy import sparse

        is_gold, is_predicted = self._one_hot(gold), self._one_hot(predicted)
        counts = sparse.hstack([is_gold * is_predicted, is_predicted, is_gold, np.ones((len(gold), 1))], format="csr")
        return Tally(counts, functools.partial(_classification_metrics, len(self.labels)))

    def details(
        self, gold: Sequence[Target], predicted: Sequence[Target | None], texts: Sequence[str]
    ) -> dict[str, Any]:
        """Precision, recall and F1 of each label, and the confusion matrix (gold by predicted, last column: none)."""
        import numpy as np

        counts = ClassCounts.of(self.tally(gold, predicted, texts).items.sum(axis=0), len(self.labels))
        confusion = np.zeros((len(self.labels), len(self.labels) + 1), dtype=np.int64)
        np.add.at(confusion, (self._indices(gold), self._indices(predicted)), 1)
        return {
            "per_class": counts.by_class(self.labels),
            "confusion": {"labels": list(self.labels), "counts": confusion.tolist()},
        }

    def _indices(self, targets: Sequence[Target | None]) -> "Integers":
        """Each target's place in the list of labels; -1 (the last place, for none) where there is no valid answer."""
        import numpy as np

        place = {label: index for index, label in enumerate(self.labels)}
        return np.array(
            [place.get(target, -1) if isinstance(target, str) else -1 for target in targets], dtype=np.int64
        )

    def _one_hot(self, targets: Sequence[Target | None]) -> Any:
        """A one in the column of each target's label, shape (targets, labels), sparse; none where it is not valid."""
        import numpy as np
        from scipy import sparse

        place = self._indices(targets)
        valid = np.flatnonzero(place >= 0)
        return sparse.csr_array((np.ones(len(valid)), (valid, place[valid])), shape=(len(place), len(self.labels)))


def _classification_metrics(labels: int, sums: "Floats") -> "dict[str, Floats]":
    """Accuracy, and macro-F1 over the labels that occur."""
    counts = ClassCounts.of(sums, labels)
    return {"accuracy": counts.right.sum(axis=-1) / sums[..., -1], "macro_f1": counts.macro_f1()}
