"""spaCy's JSON: texts with ``entities`` as triples, or with ``ents`` as `Doc.to_json` and displaCy write them."""

from typing import Any

from understudy.data.entities.marked import MarkedText, known, span_cell
from understudy.errors import DataError
from understudy.words import quoted

_FORM = '["text", {"entities": [[start, end, "TYPE"]]}], or the same as {"text": ..., "entities": ...}'
_ENTITY = '[start, end, "TYPE"], or {"start": ..., "end": ..., "label": ...}'


def row(record: Any) -> dict[str, Any]:
    """The row in a record: a pair of a text and its annotations, or both as one object.

    A record that says nothing of entities, rather than that there are none, has no target.

    Raises:
        DataError: It is no such record.
    """
    if isinstance(record, list) and len(record) == 2 and isinstance(record[1], dict):
        record = {**record[1], "text": record[0]}
    if not isinstance(record, dict) or "text" not in record:
        raise DataError(f"no text with entities ({quoted(record)}); expected {_FORM}")
    entities = record.get("ents", record.get("entities"))
    cells = [_cell(entity) for entity in entities] if isinstance(entities, list) else entities
    said = {"id": record.get("id"), "target": cells, "confidence": record.get("confidence")}
    return {"text": record["text"], **known(said)}


def is_record(record: Any) -> bool:
    """Whether a record marks an entity in one of spaCy's ways."""
    try:
        return bool(row(record).get("target"))
    except DataError:
        return False


def unmarked(record: Any) -> Any:
    """A record without its entities."""
    if isinstance(record, list):
        return [*record[:1], {}]
    if isinstance(record, dict):
        return {name: value for name, value in record.items() if name not in {"ents", "entities"}}
    return record


def record(text: MarkedText) -> dict[str, Any]:
    """A text as `Doc.to_json` has it, with ``id`` and ``confidence`` where they are known."""
    ents = [{"start": start, "end": end, "label": type_} for start, end, type_ in text.spans]
    return known({"id": text.id, "text": text.text, "ents": ents, "confidence": text.confidence})


def _cell(entity: Any) -> dict[str, Any]:
    if isinstance(entity, list) and len(entity) == 4:  # the fourth is an entry of a knowledge base
        entity = entity[:3]
    cell = span_cell(entity)
    if cell is None:
        raise DataError(f"no entity ({quoted(entity)}); expected {_ENTITY}")
    return cell
