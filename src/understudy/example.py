"""The record that flows through every stage: a text, what it should become, and where that answer came from."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, get_args

from understudy.errors import DataError

Source = Literal["gold", "pool", "test", "annotated", "generated"]
"""Where a row comes from: ``gold`` (human-labelled, to learn from), ``pool`` (unlabelled), ``test`` (human-labelled,
held out), ``annotated`` (a pool text with the teacher's answer) or ``generated`` (written by the teacher)."""


_HALF = re.compile("[\ud800-\udfff]")
"""A lone surrogate: half of a character."""


class Span(NamedTuple):
    """An entity mention: characters ``start`` (included) to ``end`` (excluded) of the text, and the entity's type."""

    start: int
    end: int
    type: str


Target = str | tuple[Span, ...]
"""What a text should become: a label or a text, or the entity spans in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """One text and, where it is known, its target.

    Attributes:
        id: Unique over gold, pool and test.
        text: The text itself, never empty.
        target: The answer, or None where there is none (an unlabelled text, a rejected reply).
        soft: The teacher's probabilities over labels, where it gave them.
        source: Where the row comes from.
        weight: How much the example counts in training.
        meta: Whatever else a person would want to see beside it: the raw reply, its cost, why it was rejected.
    """

    id: str
    text: str
    target: Target | None = None
    soft: Mapping[str, float] | None = None
    source: Source = "pool"
    weight: float = 1.0
    meta: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """The record as a JSON object; what is absent or as usual is left out."""
        record: dict[str, Any] = {"id": self.id, "text": self.text, "source": self.source}
        if self.target is not None:
            record["target"] = target_to_json(self.target)
        if self.soft is not None:
            record["soft"] = dict(self.soft)
        if self.weight != 1.0:
            record["weight"] = self.weight
        if self.meta:
            record["meta"] = dict(self.meta)
        return record

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> "Example":
        """The inverse of `to_json`.

        Raises:
            DataError: The object is not such a record.
        """
        try:
            if record["source"] not in get_args(Source):
                raise ValueError(f"unknown source {record['source']!r}")
            if not isinstance(record["id"], str) or not isinstance(record["text"], str):
                raise TypeError("the id or the text is not text")
            return cls(
                id=record["id"],
                text=record["text"],
                target=target_from_json(record.get("target")),
                soft=record.get("soft"),
                source=record["source"],
                weight=float(record.get("weight", 1.0)),
                meta=record.get("meta", {}),
            )
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise DataError(f"not an example record ({error}); expected id, text, source and perhaps target") from error


@dataclass(frozen=True, slots=True)
class Prediction:
    """What a predictor, student or teacher, answers to one text.

    Attributes:
        target: The answer; None where a teacher gave no valid one, which scores as wrong.
        confidence: Its probability in [0, 1] as the predictor sees it; None where it says nothing of it.
    """

    target: Target | None
    confidence: float | None = None

    def to_json(self) -> dict[str, Any]:
        """The answer as a JSON object with ``target`` and ``confidence``."""
        return {
            "target": None if self.target is None else target_to_json(self.target),
            "confidence": None if self.confidence is None else round(self.confidence, 6),
        }

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> "Prediction":
        """The inverse of `to_json`."""
        return cls(target_from_json(record["target"]), record["confidence"])


def target_to_json(target: Target) -> Any:
    """A label or text as it is; spans as a list of ``{"start", "end", "type"}``."""
    return target if isinstance(target, str) else [span._asdict() for span in target]


def target_from_json(value: Any) -> Target | None:
    """The inverse of `target_to_json`; None stays None."""
    if value is None or isinstance(value, str):
        return value
    return tuple(Span(int(span["start"]), int(span["end"]), str(span["type"])) for span in value)


def is_whole(text: str) -> bool:
    """Whether a text can be written as UTF-8, which one with half a character (a lone surrogate) cannot."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def whole(text: str) -> str:
    """The text, of the same length, with a replacement character for each half of one (a lone surrogate)."""
    return _HALF.sub("\ufffd", text)
