"""Summarisation: the essence of a text in a few sentences."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from understudy.example import Target
from understudy.tasks.free_text import as_text, lengths, medoid, parse_text, read_text, render_text
from understudy.tasks.prompt import PromptSetting, render, reply_schema
from understudy.tasks.ratio import ratio
from understudy.tasks.rouge import cutter, rouge_l, rouge_lsum, rouge_n
from understudy.tasks.task import Message, ReplySchema, Tally

if TYPE_CHECKING:
    from understudy.tasks.task import Floats

_KEY = "summary"
_SCORES = [
    f"{variant}_{score}"
    for variant in ("rouge1", "rouge2", "rouge_l", "rouge_lsum")
    for score in ("precision", "recall", "f1")
]


class Summarization:
    """Write the summary of a text.

    Args:
        prompt: A released prompt's name, or ``{"system": ..., "user": ...}`` with ``{{ text | fenced }}``.
    """

    headline: ClassVar[str] = "rouge_l_f1"
    exact: ClassVar[bool] = False
    generation_prompt: ClassVar[str] = "generate-from-summary.v2"

    def __init__(self, *, prompt: PromptSetting = "summarization.v2") -> None:
        self.prompt = prompt

    @property
    def reply_schema(self) -> ReplySchema:
        """An object whose key ``summary`` is text."""
        return reply_schema(self.prompt, _KEY, {"type": "string"})

    def messages(self, text: str) -> list[Message]:
        """The request to the teacher for one text."""
        return render(self.prompt, text=text)

    def describe(self, target: Target, text: str) -> dict[str, Any]:
        """The summary."""
        return {"summary": target}

    def parse(self, reply: str, text: str) -> str:
        """The summary in a reply such as ``{"summary": "..."}``.

        Raises:
            ParseError: The reply is not such an object, or its summary is empty.
        """
        return parse_text(reply, _KEY)

    def render(self, target: Target, text: str) -> str:
        """The reply that `parse` reads back as this summary."""
        return render_text(target, _KEY)

    def read(self, value: Any, text: str) -> str:
        """The summary in a cell of a data file.

        Raises:
            DataError: The value is no text, or empty.
        """
        return read_text(value)

    def consensus(self, targets: Sequence[Target]) -> tuple[Target, float]:
        """The summary that is most like the others by ROUGE-L, and its mean likeness to them."""
        return medoid(targets)

    def tally(self, gold: Sequence[Target], predicted: Sequence[Target | None]) -> Tally:
        """Sums for mean ROUGE-1, -2, -L and -Lsum and for the length ratio; no answer scores nothing.

        The length ratio is words written over words in gold, of the texts that were answered and those that were not.
        """
        import numpy as np

        pairs = zip(map(as_text, gold), map(as_text, predicted), strict=True)
        return Tally(np.array([_counts(reference, answer) for reference, answer in pairs]), _metrics)

    def details(self, gold: Sequence[Target], predicted: Sequence[Target | None]) -> dict[str, Any]:
        """The mean number of words, in gold and in the answers, and how many texts have no answer."""
        return lengths(gold, predicted)


def _counts(reference: str, answer: str) -> list[float]:
    """What one pair adds: its scores, the words of both, and itself."""
    cut = cutter(reference)
    wanted, found = cut(reference), cut(answer)
    scores = (
        rouge_n(wanted, found, 1),
        rouge_n(wanted, found, 2),
        rouge_l(wanted, found),
        rouge_lsum(map(cut, reference.split("\n")), map(cut, answer.split("\n"))),
    )
    return [*(value for score in scores for value in score), len(found), len(wanted), 1]


def _metrics(sums: "Floats") -> "dict[str, Floats]":
    """Means over the items, and the ratio of the lengths."""
    found, wanted, items = (sums[..., place] for place in (-3, -2, -1))
    scores = {name: ratio(sums[..., place], items) for place, name in enumerate(_SCORES)}
    return {**scores, "length_ratio": ratio(found, wanted)}
