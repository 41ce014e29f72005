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
LINES_AND_LISTS = [("jsonl", "a.jsonl"), ("jsonl", "a.json"), ("spacy", "a.jsonl"), ("spacy", "a.json")]
WRITTEN = [*LINES_AND_LISTS, ("label-studio", "a.json")]


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
        ("a.json", f"{json.dumps(SPACY)}\n{json.dumps(SPACY)}\n", "spacy"),
        ("a.json", f"{json.dumps(TASK)}\n", "label-studio"),
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
    ("content", "reason"),
    [
        ([{"id": 1, "text": "Ann", "label": [{"start": 0, "end": 3, "labels": ["PER"]}]}], "export the project again"),
        ({"classes": ["PER"], "annotations": [["Ann", {"entities": []}]]}, "save its annotations alone"),
    ],
)
def test_exports_that_are_not_read_are_told_by_what_to_do(tmp_path: Path, content: object, reason: str) -> None:
    with pytest.raises(DataError, match=reason):
        recognise(written(tmp_path / "a.json", json.dumps(content)))


@pytest.mark.parametrize(
    ("format_", "content"),
    [
        ("spacy", [["Ann", {"entities": [[0]]}]]),
        ("spacy", [{"text": "Ann", "ents": ["x"]}]),
        ("label-studio", [{"data": {"text": "Ann"}, "annotations": [{"result": [{"type": "labels", "value": 3}]}]}]),
    ],
)
def test_texts_can_be_read_whose_marks_are_wrong(tmp_path: Path, format_: Format, content: object) -> None:
    path = written(tmp_path / "a.json", json.dumps(content))
    [(_, error)] = read(path, format_)
    assert isinstance(error, DataError)
    assert list(read(path, format_, lenient=True)) == [(1, {"text": "Ann"})]


@pytest.mark.parametrize("format_", ["spacy", "label-studio"])
@pytest.mark.parametrize("record", [[], {}, {"data": {}}, {"data": 3, "annotations": 3, "ents": 3}])
def test_a_record_without_a_text_is_refused_whatever_is_marked(tmp_path: Path, format_: Format, record: object) -> None:
    path = written(tmp_path / "a.json", json.dumps([record]))
    assert [type(row) for _, row in read(path, format_, lenient=True)] == [DataError]


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
@given(texts, st.sampled_from(WRITTEN))
def test_texts_come_back_from_every_format_as_they_were(
    tmp_path: Path, marked: list[MarkedText], how: tuple[Format, str]
) -> None:
    format_, name = how
    write(tmp_path / name, marked, format_)
    assert name.endswith(".jsonl") or isinstance(json.loads((tmp_path / name).read_text(encoding="utf-8")), list)
    rows = [row for _, row in read(tmp_path / name, format_)]
    assert [marked_text(row, {}) for row in rows if not isinstance(row, DataError)] == marked


def test_tables_hold_no_entities(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="nothing is written as CSV"):
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
