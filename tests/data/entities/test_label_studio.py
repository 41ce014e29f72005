import contextlib
import json
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.data.entities.support import cells, in_one_folder, texts
from understudy.data.entities import label_studio
from understudy.data.entities.formats import write
from understudy.data.entities.marked import MarkedText, marked_text
from understudy.errors import DataError
from understudy.example import Span

TEXT = "Ann in Rome"


def region(start: int, end: int, label: str, /, **changed: Any) -> dict[str, Any]:
    value = {"start": start, "end": end, "text": TEXT[start:end], "labels": [label], **changed}
    return {"type": "labels", "value": value, "from_name": "label", "to_name": "text"}


def annotated(*result: Any, text: Any = TEXT, **changed: Any) -> dict[str, Any]:
    return {"id": 7, "data": {"text": text}, "annotations": [{"result": list(result)}], **changed}


def test_the_labels_of_an_annotation_are_a_row() -> None:
    relation = {"type": "relation", "from_id": "a", "to_id": "b"}
    task = annotated(region(0, 3, "PER"), relation, region(7, 11, "LOC"))
    expected = {"id": 7, "text": TEXT, "target": cells((0, 3, "PER"), (7, 11, "LOC"))}
    assert label_studio.row(task) == expected
    assert label_studio.row({**task, "data": {"body": TEXT, "id": "mine"}}, text="body") == {**expected, "id": "mine"}


def test_the_first_annotation_counts_that_was_not_cancelled_then_the_first_prediction() -> None:
    cancelled = {"result": [region(0, 3, "A")], "was_cancelled": True}
    first, second, predicted = ({"result": [region(0, 3, name)]} for name in "BCD")
    task = {"data": {"text": TEXT}, "predictions": [{**predicted, "score": 0.25}]}
    assert label_studio.row({**task, "annotations": [cancelled, first, second]})["target"] == cells((0, 3, "B"))
    row = label_studio.row({**task, "annotations": [cancelled]})
    assert (row["target"], row["confidence"]) == (cells((0, 3, "D")), 0.25)
    assert label_studio.row(annotated())["target"] == []
    assert label_studio.row({"data": {"text": TEXT}, "annotations": []}) == {"text": TEXT}


def test_offsets_that_a_browser_counted_are_put_right() -> None:
    text = "💩 Ann 💩💩 in Rome"
    task = annotated(
        region(3, 6, "PER", text="Ann"),
        region(15, 19, "LOC", text="Rome"),
        text=text,
    )
    assert label_studio.row(task)["target"] == cells((2, 5, "PER"), (12, 16, "LOC"))


def test_an_offset_within_a_character_counts_as_its_beginning() -> None:
    task = annotated(region(0, 3, "X", text="💩"), text="💩💩")
    assert label_studio.row(task)["target"] == cells((0, 1, "X"))


def test_many_labels_of_a_long_text_take_no_longer_than_they_must() -> None:
    text = "💩 " + "Ann in Rome. " * 8_000
    labels = [region(3 + 13 * number, 6 + 13 * number, "PER", text="Ann") for number in range(5_000)]
    began = time.process_time()
    row = label_studio.row(annotated(*labels, text=text))
    assert time.process_time() - began < 1
    assert row["target"][-1] == {"start": 64_989, "end": 64_992, "type": "PER"}


@pytest.mark.parametrize(
    ("task", "reason"),
    [
        ([], "no task with data.text"),
        ({"text": TEXT}, "no task with data.text"),
        ({"data": {"body": TEXT}}, "no task with data.text"),
        (annotated(annotations={"result": []}), "annotations are no list of objects"),
        (annotated(annotations=["x"]), "annotations are no list of objects"),
        (annotated(annotations=[{"result": "x"}]), "the result is no list"),
        (annotated("x"), "the result is no list"),
        (annotated({"type": "labels"}), "a label without a value"),
        (annotated(region(0, 3, "A"), text=3), "a label without a value or text"),
        (annotated(region(0, 3, "A", labels=["A", "B"])), "expected one label"),
        (annotated(region(0, 3, "A", labels=None)), "expected one label"),
        (annotated(region(0, 3, "A", start="0")), "expected one label"),
        (annotated(region(0, 3, "A", text="Bob")), "marks 'Ann', but says 'Bob'"),
        (annotated(region(-5, 10**30, "A", text="Ann")), "but says 'Ann'"),
    ],
)
def test_what_is_no_task_is_refused(task: Any, reason: str) -> None:
    with pytest.raises(DataError, match=reason):
        label_studio.row(task)


@given(
    st.recursive(
        st.none() | st.integers() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=2)
            | st.dictionaries(st.sampled_from(["type", "value", "result", "start", "labels"]), inner, max_size=4)
        ),
        max_leaves=10,
    )
)
def test_whatever_stands_in_a_task_it_is_read_or_refused(anything: Any) -> None:
    for task in ({"data": {"text": TEXT}, "annotations": anything}, annotated(anything), anything):
        with contextlib.suppress(DataError):
            assert marked_text(label_studio.row(task), {}).text == TEXT


@in_one_folder
@given(st.lists(st.nothing(), max_size=0) | texts)
def test_what_is_written_is_read_back(tmp_path: Path, marked: list[MarkedText]) -> None:
    write(tmp_path / "a.json", marked, "label-studio")
    tasks = json.loads((tmp_path / "a.json").read_text(encoding="utf-8"))
    assert [marked_text(label_studio.row(task), {}) for task in tasks] == marked


def test_a_task_to_import_holds_what_a_person_corrects(tmp_path: Path) -> None:
    text = MarkedText(text=TEXT, spans=(Span(7, 11, "LOC"),), id="a", confidence=0.75)
    write(tmp_path / "a.json", [text], "label-studio")
    value = {"start": 7, "end": 11, "text": "Rome", "labels": ["LOC"]}
    result = {"id": "entity-1", "from_name": "label", "to_name": "text", "type": "labels", "value": value}
    assert json.loads((tmp_path / "a.json").read_text()) == [
        {
            "data": {"id": "a", "text": TEXT},
            "predictions": [{"model_version": "understudy", "result": [result], "score": 0.75}],
        }
    ]
