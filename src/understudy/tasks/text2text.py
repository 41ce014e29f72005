"""Text to text: whatever an instruction makes of a text, such as a translation, a correction or a rewriting."""

import re
import unicodedata
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from understudy.errors import DataError
from understudy.example import Target
from understudy.tasks.bleu import BLEU_COUNTS, CHRF_COUNTS, bleu, bleu_counts, chrf, chrf_counts
from understudy.tasks.free_text import as_text, lengths, medoid, parse_text, read_text, render_text
from understudy.tasks.prompt import PromptSetting, render, reply_schema
from understudy.tasks.ratio import ratio
from understudy.tasks.reply import REASONING
from understudy.tasks.rouge import cutter
from understudy.tasks.task import Form, Message, ReplySchema, Tally
from understudy.words import quoted

if TYPE_CHECKING:
    from understudy.tasks.task import Floats

_COUNTS = BLEU_COUNTS + CHRF_COUNTS + 6


class TextToText:
    """Do to a text what an instruction says, and write the result.

    Args:
        instruction: What is to be done, as one would tell a person: ``Translate the text into plain English.``
        key: The key of the result in the reply.
        prompt: A released prompt's name, or ``{"system": ..., "user": ...}`` with ``{{ instruction }}``, ``{{ key }}``
            and ``{{ text | fenced }}``.

    Raises:
        DataError: The instruction is empty, or the key is none that a reply schema can be named after.
    """

    headline: ClassVar[str] = "chrf"
    form: ClassVar[Form] = "text"
    exact: ClassVar[bool] = False
    extractive: ClassVar[bool] = False
    diagnostic: ClassVar[frozenset[str]] = frozenset({"words", "length_ratio"})
    generation_prompt: ClassVar[str] = "generate-from-output.v1"

    def __init__(self, *, instruction: str, key: str = "output", prompt: PromptSetting = "text2text.v1") -> None:
        if not instruction.strip():
            raise DataError("the instruction is empty; expected what is to be done to a text")
        if not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", key) or key == REASONING:
            raise DataError(f"the key {quoted(key)} will not do; expected letters, digits, _ and -, not {REASONING!r}")
        self.instruction = instruction
        self.key = key
        self.prompt = prompt

    @property
    def reply_schema(self) -> ReplySchema:
        """An object whose one key is text."""
        return reply_schema(self.prompt, self.key, {"type": "string"})

    def messages(self, text: str) -> list[Message]:
        """The request to the teacher for one text."""
        return render(self.prompt, instruction=self.instruction, key=self.key, text=text)

    def describe(self, target: Target, text: str) -> dict[str, Any]:
        """The result, and the instruction that led to it."""
        return {"output": target, "instruction": self.instruction}

    def parse(self, reply: str, text: str) -> str:
        """The result in a reply such as ``{"output": "..."}``.

        Raises:
            ParseError: The reply is not such an object, or its result is empty.
        """
        return parse_text(reply, self.key)

    def render(self, target: Target, text: str) -> str:
        """The reply that `parse` reads back as this result."""
        return render_text(target, self.key)

    def read(self, value: Any, text: str) -> str:
        """The result in a cell of a data file.

        Raises:
            DataError: The value is no text, or empty.
        """
        return read_text(value)

    def consensus(self, targets: Sequence[Target]) -> tuple[Target, float]:
        """The result that is most like the others by ROUGE-L, and its mean likeness to them."""
        return medoid(targets)

    def tally(self, gold: Sequence[Target], predicted: Sequence[Target | None], texts: Sequence[str]) -> Tally:
        """Counts for corpus BLEU and chrF, as sacrebleu has them, in [0, 1], for two means over the texts, and lengths.

        `exact_match` and `edit_similarity` look at Unicode's composed form (NFC), with one space for any. No answer
        shares nothing with gold.
        """
        import numpy as np

        pairs = zip(map(as_text, gold), map(as_text, predicted), strict=True)
        row = np.dtype((np.float64, _COUNTS))
        return Tally(np.fromiter((_counts(*pair) for pair in pairs), row, count=len(gold)), _metrics)

    def details(
        self, gold: Sequence[Target], predicted: Sequence[Target | None], texts: Sequence[str]
    ) -> dict[str, Any]:
        """Nothing: what an answer can be counted by stands among the metrics."""
        return {}


def _counts(reference: str, answer: str) -> list[float]:
    """What one pair adds: to BLEU, to chrF, to the lengths, to the two means, and itself."""
    from rapidfuzz.distance import Levenshtein

    wanted, found = _normalised(reference), _normalised(answer)
    similarity = Levenshtein.normalized_similarity(wanted, found)
    cut = cutter(reference)
    return [
        *bleu_counts(reference, answer),
        *chrf_counts(reference, answer),
        *(len(cut(answer)), len(cut(reference)), bool(answer)),
        *(wanted == found, similarity, 1),
    ]


def _normalised(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", text).split())


def _metrics(sums: "Floats") -> "dict[str, Floats]":
    found, wanted, answered, matches, similarity, items = (sums[..., place] for place in range(-6, 0))
    return {
        "chrf": chrf(sums[..., BLEU_COUNTS : BLEU_COUNTS + CHRF_COUNTS]),
        "bleu": bleu(sums[..., :BLEU_COUNTS]),
        "exact_match": ratio(matches, items),
        "edit_similarity": ratio(similarity, items),
        **lengths(found, wanted, answered),
    }
