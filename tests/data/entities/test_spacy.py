import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given

from tests.data.entities.support import cells, in_one_folder, texts
from understudy.data.entities import spacy
from understudy.data.entities.formats import write
from understudy.data.entities.marked import MarkedText, marked_text
from understudy.errors import DataError
from understudy.example import Span

TEXT = "Ann in Rome"


@pytest.mark.parametrize(
    "record",
    [
        [TEXT, {"entities": [[0, 3, "PER"], [7, 11, "LOC"]]}],
        {"text": TEXT, "entities": [[0, 3, "PER"], [7, 11, "LOC", "Q220"]]},
        {
            "text": TEXT,
            "ents": [{"start": 0, "end": 3, "label": "PER", "kb_id": ""}, {"start": 7, "end": 11, "label": "LOC"}],
            "sents": [],
            "tokens": [],
        },
    ],
)
def test_each_of_spacys_forms_is_a_row(record: Any) -> None:
    assert spacy.row(record) == {"text": TEXT, "target": cells((0, 3, "PER"), (7, 11, "LOC"))}
    assert spacy.is_record(record)


def test_no_entities_are_not_the_same_as_nothing_said_of_them() -> None:
    assert spacy.row({"text": TEXT, "ents": [], "id": 3}) == {"id": 3, "text": TEXT, "target": []}
    assert spacy.row({"text": TEXT}) == {"text": TEXT}
    assert spacy.row({"text": TEXT, "entities": None}) == {"text": TEXT}


@pytest.mark.parametrize(
    "record",
    [
        "text",
        None,
        {},
        [],
        [TEXT, []],
        {"text": TEXT, "entities": [[0, 3]]},
        {"text": TEXT, "entities": [{"start": 0, "end": 3, "type": "PER"}]},
        {"text": TEXT, "ents": ["Ann"]},
    ],
)
def test_what_is_no_record_is_refused_with_what_was_expected(record: Any) -> None:
    with pytest.raises(DataError, match=r"; expected \["):
        spacy.row(record)
    assert not spacy.is_record(record)


@in_one_folder
@given(texts)
def test_what_is_written_is_read_back(tmp_path: Path, marked: list[MarkedText]) -> None:
    write(tmp_path / "a.jsonl", marked, "spacy")
    records = [json.loads(line) for line in (tmp_path / "a.jsonl").open(encoding="utf-8", newline="\n")]
    assert [marked_text(spacy.row(record), {}) for record in records] == marked


def test_the_confidence_is_written_beside_the_entities(tmp_path: Path) -> None:
    text = MarkedText(text=TEXT, spans=(Span(0, 3, "PER"),), id="a", confidence=0.5)
    write(tmp_path / "a.jsonl", [text], "spacy")
    record = json.loads((tmp_path / "a.jsonl").read_text())
    assert record == {
        "id": "a",
        "text": TEXT,
        "ents": [{"start": 0, "end": 3, "label": "PER"}],
        "confidence": 0.5,
    }
    assert marked_text(spacy.row(record), {}) == text
