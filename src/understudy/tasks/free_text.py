"""What tasks share whose answer is free text: a reply with the text under one key, and what several texts agree on."""

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from understudy.errors import DataError, ParseError
from understudy.example import Target, is_whole
from understudy.tasks.ratio import UNDEFINED, ratio
from understudy.tasks.reply import read_object
from understudy.tasks.rouge import cutter, rouge_l
from understudy.words import quoted

if TYPE_CHECKING:
    from understudy.tasks.task import Floats


def parse_text(reply: str, key: str) -> str:
    """The text in a reply such as ``{"summary": "..."}``, as it stands there.

    Raises:
        ParseError: The reply is not such an object, or its text is empty or holds half a character.
    """
    form = f'{{"{key}": ...}}'
    text = read_object(reply, [key], form)[key]
    if not isinstance(text, str) or not text.strip():
        raise ParseError(f"the {key} is {'empty' if isinstance(text, str) else 'no text'}; expected {form}")
    if not is_whole(text):
        raise ParseError(f"the {key} holds half a character (a lone surrogate); expected whole Unicode text")
    return text


def render_text(target: Target, key: str) -> str:
    """The reply that `parse_text` reads back as this text."""
    return json.dumps({key: target}, ensure_ascii=False)


def read_text(value: Any) -> str:
    """The text in a cell of a data file.

    Raises:
        DataError: The value is no text, is empty, or holds half a character.
    """
    if not isinstance(value, str):
        raise DataError(f"no text ({quoted(value)}, {type(value).__name__}); expected the text to be written")
    if not value.strip() or not is_whole(value):
        raise DataError(f"text that is empty or not whole Unicode ({quoted(value)}); expected the text to be written")
    return value


def as_text(target: Target | None) -> str:
    """The text of an answer: nothing where there is no valid one."""
    return target if isinstance(target, str) else ""


def medoid(targets: Sequence[Target]) -> tuple[str, float]:
    """The text that is most like the others, the first of them in a tie, and its mean likeness to them.

    Likeness is the F1 of ROUGE-L; a text alone agrees with itself.
    """
    texts = [as_text(target) for target in targets]
    means = [_mean_likeness(place, texts) for place in range(len(texts))]
    best = max(range(len(texts)), key=means.__getitem__)
    return texts[best], means[best]


def lengths(found: "Floats", wanted: "Floats", answered: "Floats") -> "dict[str, Floats]":
    """The metrics of how long answers are, of which no side is better.

    Args:
        found: How many words the answers have, any shape.
        wanted: How many words the references have, likewise.
        answered: How many texts have an answer, likewise.
    """
    return {"words": ratio(found, answered, UNDEFINED), "length_ratio": ratio(found, wanted, UNDEFINED)}


def _mean_likeness(place: int, texts: Sequence[str]) -> float:
    others = [text for other, text in enumerate(texts) if other != place]
    return sum(_likeness(texts[place], other) for other in others) / len(others) if others else 1.0


def _likeness(a: str, b: str) -> float:
    words = cutter(a)
    return 1.0 if a == b else rouge_l(words(a), words(b)).f1
