"""Named-entity recognition: which passages of a text name entities, and of which type."""

import bisect
import functools
import itertools
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from understudy.errors import DataError, ParseError
from understudy.example import Span, Target
from understudy.registry import unknown
from understudy.tasks.choices import described
from understudy.tasks.class_counts import ClassCounts
from understudy.tasks.mentions import align
from understudy.tasks.prompt import PromptSetting, render, reply_schema
from understudy.tasks.reply import check_keys, read_object
from understudy.tasks.task import Form, Message, ReplySchema, Tally
from understudy.words import quoted

if TYPE_CHECKING:
    from understudy.tasks.task import Floats

_FORM = '{"entities": [{"text": ..., "type": ...}]}'
_CELL = '{"start": ..., "end": ..., "type": ...}'
_MATCHES = ("correct", "partial", "type", "missed", "spurious")


class NER:
    """Mark the named entities in a text. A target is a tuple of spans in the order of the text, none over another.

    Args:
        types: The entity types in a fixed order, each with a description for the teacher (empty or None where none is
            needed); a list of types will do.
        prompt: A released prompt's name, or ``{"system": ..., "user": ...}`` with ``{{ types }}`` (type to
            description) and ``{{ text | fenced }}``.

    Raises:
        DataError: There is no type, or one that is empty or stands twice.
    """

    headline: ClassVar[str] = "f1"
    form: ClassVar[Form] = "spans"
    exact: ClassVar[bool] = True
    extractive: ClassVar[bool] = False
    diagnostic: ClassVar[frozenset[str]] = frozenset()
    generation_prompt: ClassVar[str] = "generate-from-entities.v1"

    def __init__(self, *, types: Mapping[str, str | None] | Sequence[str], prompt: PromptSetting = "ner.v2") -> None:
        self.types = described("type", types, at_least=1)
        self.prompt = prompt

    @property
    def reply_schema(self) -> ReplySchema:
        """An object whose key ``entities`` lists each mention with its type."""
        mention = {
            "type": "object",
            "properties": {"text": {"type": "string"}, "type": {"type": "string", "enum": list(self.types)}},
            "required": ["text", "type"],
            "additionalProperties": False,
        }
        return reply_schema(self.prompt, "entities", {"type": "array", "items": mention})

    def messages(self, text: str) -> list[Message]:
        """The request to the teacher for one text."""
        return render(self.prompt, types=self.types, text=text)

    def describe(self, target: Target, text: str) -> dict[str, Any]:
        """The mentions with their types, in the order of the text, and all types with their descriptions."""
        entities = [(text[start:end], type_) for start, end, type_ in _spans(target)]
        return {"entities": entities, "types": self.types}

    def parse(self, reply: str, text: str) -> tuple[Span, ...]:
        """The spans of the mentions in a reply such as ``{"entities": [{"text": "Athens", "type": "LOC"}]}``.

        Raises:
            ParseError: The reply is not such an object, a type is not on the list, or a mention does not stand in the
                text, overlaps another or could stand in several places.
        """
        entities = read_object(reply, ["entities"], _FORM)["entities"]
        if not isinstance(entities, list):
            raise ParseError(f"the entities are no list; expected {_FORM}")
        return align([self._mention(entity) for entity in entities], text)

    def render(self, target: Target, text: str) -> str:
        """The reply that `parse` reads back as these spans, where reading from left to right can tell them."""
        entities = [{"text": text[start:end], "type": type_} for start, end, type_ in _spans(target)]
        return json.dumps({"entities": entities}, ensure_ascii=False)

    def read(self, value: Any, text: str) -> tuple[Span, ...]:
        """The spans in a cell of a data file: a list of ``{"start", "end", "type"}`` in characters, in any order.

        Raises:
            DataError: The value is no such list, or a span lies outside the text, over another, is empty or edged with
                spaces, or of a type that is not on the list.
        """
        if not isinstance(value, list):
            raise DataError(f"no spans ({quoted(value)}); expected a list of {_CELL}")
        spans = sorted(self._span(cell, text) for cell in value)
        for before, after in itertools.pairwise(spans):
            if after.start < before.end:
                raise DataError(f"{_shown(after, text)} overlaps {_shown(before, text)}; expected each passage once")
        return tuple(spans)

    def consensus(self, targets: Sequence[Target]) -> tuple[Target, float]:
        """The spans that more than half of the answers hold, and the answers' mean strict F1 against these."""
        votes = Counter(span for target in targets for span in _spans(target))
        agreed = {span for span, count in votes.items() if 2 * count > len(targets)}
        return tuple(sorted(agreed)), sum(_likeness(agreed, set(_spans(each))) for each in targets) / len(targets)

    def tally(self, gold: Sequence[Target], predicted: Sequence[Target | None], texts: Sequence[str]) -> Tally:
        """Counts for strict precision, recall and F1: of each type, spans found exactly, predicted and gold.

        A span counts only with both its bounds and its type right (Tjong Kim Sang and De Meulder 2003).
        """
        import numpy as np
        from scipy import sparse

        cells = np.fromiter(self._cells(gold, predicted), np.dtype((np.int64, 2)))
        shape = (len(gold), 3 * len(self.types))
        items = sparse.csr_array((np.ones(len(cells)), (cells[:, 0], cells[:, 1])), shape=shape)
        return Tally(items, functools.partial(_metrics, len(self.types)))

    def _cells(self, gold: Sequence[Target], predicted: Sequence[Target | None]) -> Iterator[tuple[int, int]]:
        """Item and column of everything that counts one."""
        column = {type_: place for place, type_ in enumerate(self.types)}
        for row, (truth, answer) in enumerate(zip(gold, predicted, strict=True)):
            right, found = set(_spans(truth)), set(_spans(answer))
            for kind, spans in enumerate((right & found, found, right)):
                for span in spans:
                    yield row, kind * len(column) + column[span.type]

    def details(
        self, gold: Sequence[Target], predicted: Sequence[Target | None], texts: Sequence[str]
    ) -> dict[str, Any]:
        """Each type's scores, and what became of its spans, as in MUC (Chinchor and Sundheim 1993); then of all.

        A gold span is ``correct``, or an answer overlaps it: one of its type (``partial``), or only others (``type``);
        else it was ``missed``. An answer that overlaps no gold span is ``spurious``, and counts for its own type.
        """
        matches = {type_: dict.fromkeys(_MATCHES, 0) for type_ in self.types}
        for truth, answer in zip(gold, predicted, strict=True):
            for type_, outcome in _outcomes(_spans(truth), _spans(answer)):
                matches[type_][outcome] += 1
        counts = ClassCounts.of(self.tally(gold, predicted, texts).items.sum(axis=0), len(self.types))
        scores = counts.by_class(self.types)
        return {
            "per_class": {type_: {**scores[type_], "matches": matches[type_]} for type_ in self.types},
            "matches": {outcome: sum(of_type[outcome] for of_type in matches.values()) for outcome in _MATCHES},
        }

    def _mention(self, entity: Any) -> tuple[str, str]:
        if not isinstance(entity, dict):
            raise ParseError(f"an entity is no object; expected {_FORM}")
        try:
            check_keys(entity, ["text", "type"])
        except ParseError as error:
            raise ParseError(f"{error} in an entity; expected {_FORM}") from None
        mention, type_ = entity["text"], entity["type"]
        if not isinstance(mention, str) or not isinstance(type_, str):
            raise ParseError(f"an entity's text or type is no text; expected {_FORM}")
        if type_ not in self.types:
            raise ParseError(f"{quoted(mention)}: {unknown('type', type_, self.types)}")
        return mention, type_

    def _span(self, cell: Any, text: str) -> Span:
        """One span of a data file, checked by itself."""
        try:
            span = Span(cell["start"], cell["end"], cell["type"])
        except (KeyError, TypeError):
            raise DataError(f"not a span ({quoted(cell)}); expected {_CELL}") from None
        if type(span.start) is not int or type(span.end) is not int or not isinstance(span.type, str):
            raise DataError(f"not a span ({quoted(cell)}); expected two whole numbers and a type as text")
        if span.type not in self.types:
            raise DataError(unknown("type", span.type, self.types))
        if not 0 <= span.start < span.end <= len(text):
            raise DataError(f"span {span.start} to {span.end} is empty or outside a text of {len(text)} characters")
        passage = text[span.start : span.end]
        if passage != passage.strip():
            raise DataError(f"{_shown(span, text)} is edged with spaces; expected the name alone")
        return span


def _spans(target: Target | None) -> tuple[Span, ...]:
    """The spans of an answer: none where there is no valid one."""
    return target if isinstance(target, tuple) else ()


def _likeness(a: set[Span], b: set[Span]) -> float:
    """Strict F1 of one answer against another; two that mark nothing are alike."""
    return 2 * len(a & b) / (len(a) + len(b)) if a or b else 1.0


def _outcomes(gold: Sequence[Span], predicted: Sequence[Span]) -> Iterator[tuple[str, str]]:
    """What became of each gold span, and which predicted ones are spurious, by type."""
    for span in gold:
        yield span.type, _outcome(span, _overlapping(span, predicted))
    for span in predicted:
        if not _overlapping(span, gold):
            yield span.type, "spurious"


def _outcome(span: Span, answers: Sequence[Span]) -> str:
    """What became of a gold span, given the answers that overlap it."""
    if span in answers:
        return "correct"
    if any(answer.type == span.type for answer in answers):
        return "partial"
    return "type" if answers else "missed"


def _overlapping(span: Span, others: Sequence[Span]) -> Sequence[Span]:
    """Those of the others, which stand in the order of the text, that share a character with a span."""
    first = bisect.bisect_right(others, span.start, key=lambda other: other.end)
    return others[first : bisect.bisect_left(others, span.end, key=lambda other: other.start)]


def _metrics(types: int, sums: "Floats") -> "dict[str, Floats]":
    """Precision, recall and F1 over all spans, and macro-F1 over the types that occur, as seqeval has them."""
    counts = ClassCounts.of(sums, types)
    return {**counts.together().scores(), "macro_f1": counts.macro_f1()}


def _shown(span: Span, text: str) -> str:
    return f"{quoted(text[span.start : span.end])} ({span.start} to {span.end})"
