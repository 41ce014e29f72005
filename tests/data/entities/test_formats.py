import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.data.entities.support import cells, in_one_folder, texts, written
from understudy.data.entities.formats import Format, described, place, read, recognise, write, written_format
from understudy.data.entities.marked import MarkedText, marked_text
from understudy.errors import DataError

SPACY = {"text": "Ann", "entities": [[0, 3, "PER"]]}
TASK = {"data": {"text": "Ann"}, "annotations": []}


@pytest.mark.parametrize(
    ("name", "content", "format_"),
    [
        ("a.csv", "", "csv"),
        ("a.conll", "", "conll"),
        ("a.iob2", "", "conll"),
        ("a.txt", "", "conll"),
        ("a.jsonl", '{"text": "Ann"}\n', "jsonl"),
        ("a.jsonl", '{"text": "Ann", "entities": [{"start": 0, "end": 3, "type": "PER"}]}\n', "jsonl"),
        ("a.jsonl", f'{{"text": "none", "entities": []}}\n{json.dumps(SPACY)}\n', "spacy"),
        ("a.jsonl", '{"text": "Ann", "ents": [{"start": 0, "end": 3, "label": "PER"}]}\n', "spacy"),
        ("a.json", json.dumps([["Ann", {"entities": []}]]), "spacy"),
        ("a.json", json.dumps([SPACY]), "spacy"),
        ("a.json", json.dumps([TASK]), "label-studio"),
        ("a.json", json.dumps([{"text": "Ann", "target": []}]), "jsonl"),
        ("a.json", "[]", "spacy"),
    ],
)
def test_a_file_tells_what_it_is_by_its_ending_or_its_content(
    tmp_path: Path, name: str, content: str, format_: Format
) -> None:
    assert recognise(written(tmp_path / name, content)) == format_


def test_a_file_that_does_not_tell_is_asked_about(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"unknown kind of data file '\.dat'; expected \.jsonl, "):
        recognise(written(tmp_path / "a.dat", ""))
    with pytest.raises(DataError, match=r"unknown kind of file '\.dat'; expected \.jsonl, "):
        written_format(tmp_path / "a.dat")


@pytest.mark.parametrize(
    ("format_", "name", "content"),
    [
        ("spacy", "a.jsonl", f"{json.dumps(SPACY)}\n{{}}\n"),
        ("spacy", "a.json", json.dumps([SPACY, {}])),
        ("label-studio", "a.json", json.dumps([TASK, {"text": "Ann"}])),
        ("label-studio", "a.jsonl", f"{json.dumps(TASK)}\n{{}}\n"),
        ("conll", "a.dat", "Ann B-PER\n\nx\n"),
    ],
)
def test_a_row_that_cannot_be_read_is_told_with_its_number(
    tmp_path: Path, format_: Format, name: str, content: str
) -> None:
    path = written(tmp_path / name, content)
    (_, row), (number, error) = read(path, format_)
    assert not isinstance(row, DataError)
    assert row["text"] == "Ann"
    assert isinstance(error, DataError)
    assert number == (3 if format_ == "conll" else 2)


@in_one_folder
@given(texts, st.sampled_from([("jsonl", "a.jsonl"), ("spacy", "b.jsonl"), ("label-studio", "c.json")]))
def test_texts_come_back_from_every_format_as_they_were(
    tmp_path: Path, marked: list[MarkedText], how: tuple[Format, str]
) -> None:
    format_, name = how
    write(tmp_path / name, marked, format_)
    rows = [row for _, row in read(tmp_path / name, format_)]
    assert [marked_text(row, {}) for row in rows if not isinstance(row, DataError)] == marked


def test_tables_hold_no_entities(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be written as CSV"):
        write(tmp_path / "a.csv", [], "csv")


def test_a_file_is_described_with_its_scheme(tmp_path: Path) -> None:
    assert described(written(tmp_path / "a.conll", "Ann S-PER\n"), "conll") == "CoNLL columns (BIOES)"
    assert described(tmp_path / "a.json", "label-studio") == "Label Studio's JSON"
    assert described(tmp_path / "a.json", "jsonl") == "a JSON list"


def test_a_row_stands_in_a_line_or_in_a_list() -> None:
    assert place(Path("a.conll"), 3) == "a.conll:3"
    assert place(Path("a.json"), 3) == "a.json: item 3"


def test_columns_may_be_anything_that_json_can_hold(tmp_path: Path) -> None:
    path = written(tmp_path / "a.jsonl", json.dumps({"text": "Ann", "target": cells((0, 3, "PER"))}))
    [(_, row)] = read(path, "jsonl")
    assert not isinstance(row, DataError)
    assert row["target"] == cells((0, 3, "PER"))
