"""A text with its entities marked, and what it takes to make one of a row."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from understudy.errors import DataError
from understudy.example import Span, is_whole
from understudy.words import quoted

Types = Mapping[str, str | None]
"""What the types of entities in a file are called elsewhere; None leaves those entities out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkedText:
    """A text with its entities marked.

    Attributes:
        text: The text.
        spans: Its entities in order, none over another.
        tokenised: Whether it came from columns, so that single spaces and line ends stand between its tokens.
        id: The row's name, where it has one.
        confidence: How sure whoever marked them is, in [0, 1], where it was said.
    """

    text: str
    spans: tuple[Span, ...]
    tokenised: bool = False
    id: str | None = None
    confidence: float | None = None


def marked_text(row: Mapping[str, Any], types: Types, *, tokenised: bool = False) -> MarkedText:
    """The marked text in a row, with entities of any types; they are renamed.

    Args:
        row: With its text, its entities, and perhaps an id and a confidence.
        types: What the types are called elsewhere.
        tokenised: Whether the row came from columns.

    Raises:
        DataError: It holds no text, or what is marked in it is no spans.
    """
    from understudy.tasks.ner import NER

    text, name, cells = row["text"], row.get("id"), renamed(row.get("target"), types)
    if not isinstance(text, str) or not text.strip():
        raise DataError(f"no text (found {quoted(text)}); expected some")
    name = None if name is None else str(name)
    if not is_whole(text) or not is_whole(name or ""):
        raise DataError("not valid Unicode (text or id holds half a character); export the file again")
    spans = NER(types=sorted({*_types(cells)}) or ["any"]).read(cells, text)
    sure = _confidence(row.get("confidence"))
    return MarkedText(text=text, spans=spans, tokenised=tokenised, id=name, confidence=sure)


def renamed(cells: Any, types: Types) -> Any:
    """What marks the entities of a row, with other names for their types; what is no list of spans stays as it is.

    Spans as other tools write them become like ours.
    """
    if not isinstance(cells, list):
        return cells
    cells = [span_cell(cell) or cell for cell in cells]
    kept = [cell for cell in cells if types.get(_type(cell), "") is not None]
    return [{**cell, "type": types[_type(cell)]} if _type(cell) in types else cell for cell in kept]


def span_cell(cell: Any) -> dict[str, Any] | None:
    """A span as ours are, of one that is a triple or calls its type a ``label``; None for anything else."""
    if isinstance(cell, list) and len(cell) == 3:
        return dict(zip(("start", "end", "type"), cell, strict=True))
    if isinstance(cell, dict) and {"start", "end", "label"} <= cell.keys() and "type" not in cell:
        return {"start": cell["start"], "end": cell["end"], "type": cell["label"]}
    return None


def known(row: Mapping[str, Any]) -> dict[str, Any]:
    """What of a row or record is known."""
    return {name: value for name, value in row.items() if value is not None}


def unknown_types(cells: Any, expected: Iterable[str]) -> list[str]:
    """The types of a row's entities, one for each entity, that are not among the expected ones."""
    expected = set(expected)
    return [type_ for type_ in _types(cells) if type_ not in expected]


def _types(cells: Any) -> list[str]:
    return [type_ for cell in cells if (type_ := _type(cell))] if isinstance(cells, list) else []


def _type(cell: Any) -> str:
    """The type of a span; empty for what is no span."""
    type_ = cell.get("type") if isinstance(cell, dict) else None
    return type_ if isinstance(type_, str) else ""


def _confidence(found: Any) -> float | None:
    """A confidence that another program wrote down; anything else is none."""
    return float(found) if isinstance(found, int | float) and 0 <= found <= 1 else None
