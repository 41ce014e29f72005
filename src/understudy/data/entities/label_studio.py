"""Label Studio's JSON: an export of tasks that people have annotated, and tasks to import for them to correct."""

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import Any

from understudy.data.entities.marked import MarkedText, known
from understudy.errors import DataError
from understudy.segments import Bounds
from understudy.words import quoted

_FORM = '{"data": {"text": ...}, "annotations": [{"result": [...]}]}'
_REGION = '{"start": ..., "end": ..., "text": ..., "labels": ["TYPE"]}'
_MODEL = "understudy"
_RARE = re.compile("[\U00010000-\U0010ffff]")
"""Characters that take two UTF-16 units."""


def row(task: Any, text: str = "text") -> dict[str, Any]:
    """The row in a task of an export.

    Of several annotations the first counts that was not cancelled; without any, the first prediction does. A task with
    neither has no target. Results of other kinds than labels, such as relations, are passed over.

    Args:
        task: The task.
        text: The key of its data that holds the text, which the labelling interface names as ``$text``.

    Raises:
        DataError: It is no such task, or a label marks another passage than it says.
    """
    if not isinstance(task, dict) or not isinstance(task.get("data"), dict) or text not in task["data"]:
        raise DataError(f"no task with data.{text} ({quoted(task)}); expected {_FORM}")
    data, found = task["data"], _annotation(task)
    said: dict[str, Any] = {"id": data.get("id", task.get("id"))}
    if found is not None:
        said |= {"target": list(_cells(_regions(found), data[text])), "confidence": found.get("score")}
    return {"text": data[text], **known(said)}


def unmarked(task: Any) -> Any:
    """A task as if nobody had marked anything in it."""
    if not isinstance(task, dict):
        return task
    return {name: value for name, value in task.items() if name not in {"annotations", "predictions"}}


def is_minimal(task: Any) -> bool:
    """Whether this is a row of the export JSON-MIN: its labels beside the text, rather than in annotations."""
    values = task.values() if isinstance(task, dict) else ()
    labels = (each for value in values if isinstance(value, list) for each in value)
    return any(isinstance(each, dict) and "labels" in each for each in labels)


def task(text: MarkedText) -> dict[str, Any]:
    """A task to import, with the entities of a text as a prediction that a person can correct.

    The labelling interface must call its labels ``label`` and its text ``text``, as the template for named entities
    does.
    """
    data = {"text": text.text} if text.id is None else {"id": text.id, "text": text.text}
    result = [_region(text.text, *span, number) for number, span in enumerate(text.spans, start=1)]
    prediction: dict[str, Any] = {"model_version": _MODEL, "result": result}
    if text.confidence is not None:
        prediction["score"] = text.confidence
    return {"data": data, "predictions": [prediction]}


def _annotation(task: dict[str, Any]) -> dict[str, Any] | None:
    """The annotation that counts."""
    for kind in ("annotations", "predictions"):
        several: Any = task.get(kind) or []
        if not isinstance(several, list) or not all(isinstance(each, dict) for each in several):
            raise DataError(f"{kind} are no list of objects ({quoted(several)}); expected {_FORM}")
        kept: list[dict[str, Any]] = [each for each in several if not each.get("was_cancelled")]
        if kept:
            return kept[0]
    return None


def _regions(annotation: dict[str, Any]) -> Iterator[Any]:
    result = annotation.get("result")
    if not isinstance(result, list) or not all(isinstance(each, dict) for each in result):
        raise DataError(f"the result is no list of objects ({quoted(result)}); expected {_FORM}")
    yield from (each.get("value") for each in result if each.get("type") == "labels")


def _cells(regions: Iterable[Any], text: Any) -> Iterator[dict[str, Any]]:
    """The spans of the regions in a text."""
    offsets = _Offsets(text) if isinstance(text, str) else None
    for region in regions:
        if offsets is None or not isinstance(region, dict):
            raise DataError(f"a label without a value or text ({quoted(region)}); expected {_REGION}")
        yield _cell(region, offsets)


def _cell(region: dict[str, Any], offsets: "_Offsets") -> dict[str, Any]:
    start, end, labels = region.get("start"), region.get("end"), region.get("labels")
    if type(start) is not int or type(end) is not int or not isinstance(labels, list) or len(labels) != 1:
        raise DataError(f"no label ({quoted(region)}); expected one label: {_REGION}")
    marked = offsets.text[start:end]
    said = region.get("text", marked)
    bounds = offsets.bounds(start, end, said)
    if bounds is None:
        raise DataError(
            f"the label from {start} to {end} marks {quoted(marked)}, but says {quoted(said)}; "
            "expected the same: was the text changed after it was annotated?"
        )
    return {"start": bounds[0], "end": bounds[1], "type": labels[0]}


class _Offsets:
    """Offsets in a text: Label Studio counts in characters, or as browsers do, in UTF-16 units."""

    def __init__(self, text: str) -> None:
        self.text = text

    def bounds(self, start: int, end: int, said: Any) -> Bounds | None:
        """The characters that hold what is said, by whichever count; None where neither finds it."""
        if self.text[start:end] == said:
            return start, end
        start, end = self._characters(start), self._characters(end)
        return (start, end) if self.text[start:end] == said else None

    def _characters(self, units: int) -> int:
        """How many characters the first so many units are."""
        return max(units - bisect_right(self._second_halves, units), 0)

    @cached_property
    def _second_halves(self) -> list[int]:
        """The units that are the second of a character's two, in order."""
        return [rare.start() + before + 1 for before, rare in enumerate(_RARE.finditer(self.text))]


def _region(text: str, start: int, end: int, type_: str, number: int) -> dict[str, Any]:
    value = {"start": start, "end": end, "text": text[start:end], "labels": [type_]}
    return {"id": f"entity-{number}", "from_name": "label", "to_name": "text", "type": "labels", "value": value}
