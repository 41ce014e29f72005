import json
from pathlib import Path

import pytest

from understudy.data.load import Columns
from understudy.errors import DataError
from understudy.example import Span
from understudy.tasks.classification import Classification
from understudy.tasks.ner import NER
from understudy.tasks.summarization import Summarization
from understudy.tasks.task import Task, labels_of
from understudy.teacher.generation.briefs import Brief, of_file

COLUMNS = Columns(target="answer")


def file(folder: Path, *rows: object) -> Path:
    path = folder / "wanted.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def test_a_file_of_targets_needs_no_texts(tmp_path: Path) -> None:
    path = file(tmp_path, {"answer": "One summary.", "id": "a"}, {"answer": "Another."})
    assert list(of_file(path, COLUMNS, Summarization())) == [
        Brief(target="One summary.", origin="a"),
        Brief(target="Another.", origin="wanted-2"),
    ]


def test_targets_that_point_into_a_text_come_with_it(tmp_path: Path) -> None:
    path = file(tmp_path, {"text": "Ann left.", "answer": [{"start": 0, "end": 3, "type": "PER"}]})
    [brief] = of_file(path, COLUMNS, NER(types=["PER"]))
    assert (brief.target, brief.text) == ((Span(0, 3, "PER"),), "Ann left.")


@pytest.mark.parametrize(
    ("task", "row", "reason"),
    [
        (Summarization(), {"summary": "One."}, "unknown column 'answer'"),
        (Summarization(), {"answer": " "}, "empty"),
        (Classification(labels=["a", "b"]), {"answer": "c"}, "unknown label 'c'"),
        (NER(types=["PER"]), {"answer": [{"start": 0, "end": 3, "type": "PER"}]}, "outside a text of 0 characters"),
    ],
)
def test_a_row_without_a_valid_target_is_named(tmp_path: Path, task: Task, row: object, reason: str) -> None:
    with pytest.raises(DataError, match=rf"wanted\.jsonl:1.*{reason}"):
        list(of_file(file(tmp_path, row), COLUMNS, task))


def test_only_labels_are_labels() -> None:
    assert labels_of(Classification(labels={"a": "first", "b": None})) == {"a": "first", "b": ""}
    assert labels_of(NER(types=["PER"])) == {}
