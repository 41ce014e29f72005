"""Summarisation: the essence of a text in a few sentences."""

from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any, ClassVar

from understudy.example import Target
from understudy.tasks.free_text import as_text, lengths, medoid, parse_text, read_text, render_text
from understudy.tasks.grounding import novel_bigrams, supported_names
from understudy.tasks.prompt import PromptSetting, render, reply_schema
from understudy.tasks.ratio import UNDEFINED, ratio
from understudy.tasks.rouge import Words, cutter, rouge_l, rouge_lsum, rouge_n, stems
from understudy.tasks.task import Form, Message, ReplySchema, Tally

if TYPE_CHECKING:
    from understudy.tasks.task import Floats

_KEY = "summary"
_ROUGE = [
    f"{variant}_{score}"
    for variant in ("rouge1", "rouge2", "rouge_l", "rouge_lsum")
    for score in ("precision", "recall", "f1")
]
_LENGTHS = ["words", "words_wanted", "answered"]
_GROUNDING = ["novel_bigrams", "bigrams", "supported_names", "names"]
_COUNTS = [*_ROUGE, *_LENGTHS, *_GROUNDING, "items"]
"""What a pair adds, in the order of a tally's columns."""


class Summarization:
    """Write the summary of a text.

    Args:
        prompt: A released prompt's name, or ``{"system": ..., "user": ...}`` with ``{{ text | fenced }}``.
    """

    headline: ClassVar[str] = "rouge_l_f1"
    form: ClassVar[Form] = "text"
    exact: ClassVar[bool] = False
    extractive: ClassVar[bool] = True
    diagnostic: ClassVar[frozenset[str]] = frozenset({"words", "length_ratio", "novel_bigrams", "entity_support"})
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

    def tally(self, gold: Sequence[Target], predicted: Sequence[Target | None], texts: Sequence[str]) -> Tally:
        """Sums for mean ROUGE-1, -2, -L and -Lsum, for the lengths, and for what stands in the text.

        A text without an answer scores nothing, and its answer is as long as nothing in the length ratio.
        """
        import numpy as np

        triples = zip(map(as_text, gold), map(as_text, predicted), texts, strict=True)
        row = np.dtype((np.float64, len(_COUNTS)))
        return Tally(np.fromiter((_counts(*triple) for triple in triples), row, count=len(gold)), _metrics)

    def details(
        self, gold: Sequence[Target], predicted: Sequence[Target | None], texts: Sequence[str]
    ) -> dict[str, Any]:
        """Nothing: what a summary can be counted by stands among the metrics."""
        return {}


def _counts(reference: str, answer: str, text: str) -> list[float]:
    """What one summary of a text adds."""
    cut = cutter(reference)
    wanted, found = cut(reference), cut(answer)
    return [
        *_rouge(reference, answer, cut),
        *(len(found), len(wanted), bool(answer)),
        *novel_bigrams(found, cut(text)),
        *supported_names(answer, text),
        1,
    ]


def _rouge(reference: str, answer: str, cut: Callable[[str], Words]) -> Iterator[float]:
    """The scores in their order, over stems."""
    wanted_lines, found_lines = ([stems(cut(line)) for line in each.split("\n")] for each in (reference, answer))
    wanted, found = list(chain.from_iterable(wanted_lines)), list(chain.from_iterable(found_lines))
    yield from rouge_n(wanted, found, 1)
    yield from rouge_n(wanted, found, 2)
    yield from rouge_l(wanted, found)
    yield from rouge_lsum(wanted_lines, found_lines)


def _metrics(sums: "Floats") -> "dict[str, Floats]":
    """Means over the items, and ratios of what all of them have."""
    count = {name: sums[..., place] for place, name in enumerate(_COUNTS)}
    return {
        **{name: ratio(count[name], count["items"]) for name in _ROUGE},
        **lengths(count["words"], count["words_wanted"], count["answered"]),
        "novel_bigrams": ratio(count["novel_bigrams"], count["bigrams"], UNDEFINED),
        "entity_support": ratio(count["supported_names"], count["names"], UNDEFINED),
    }
