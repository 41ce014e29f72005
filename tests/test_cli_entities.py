"""Files of entities on the command line: what `check` tells of them, `predict` writes and `convert` makes of them."""

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.commands import Call, one_line
from tests.newswire import rows, write_rows
from understudy.example import Prediction, Span
from understudy.students import student

COLUMNS = "# id = a\nAnn B-PER\nin O\nRome B-LOC\n\nNobody O\nthere O\n"


class Capitals:
    """Takes every capitalised word for a person."""

    def predict(self, texts: Sequence[str]) -> list[Prediction]:
        found = [[Span(*word.span(), "PER") for word in re.finditer(r"[A-Z]\w+", text)] for text in texts]
        return [Prediction(tuple(spans), 0.5) for spans in found]


class Desk:
    """Sends every text to the same desk."""

    def predict(self, texts: Sequence[str]) -> list[Prediction]:
        return [Prediction("sport", 0.5) for _ in texts]


@pytest.fixture
def columns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file of columns, and somebody who finds persons in it."""
    monkeypatch.setattr(student, "load", lambda folder: Capitals())
    (tmp_path / "in.conll").write_text(COLUMNS)
    return tmp_path / "in.conll"


def test_columns_are_answered_as_json_lines_with_what_people_marked(call: Call, columns: Path) -> None:
    code, out, _ = call("predict", columns.parent, "--file", columns)
    assert code == 0
    first, _ = map(json.loads, out.splitlines())
    assert (first["id"], first["text"], first["confidence"]) == ("a", "Ann in Rome", 0.5)
    assert [cell["type"] for cell in first["target"]] == ["PER", "PER"]
    assert [cell["type"] for cell in first["given_target"]] == ["PER", "LOC"]


@pytest.mark.parametrize(
    ("name", "options", "expected"),
    [
        ("out.conll", [], "# id = a\nAnn\tB-PER\nin\tO\nRome\tB-PER\n\nNobody\tB-PER\nthere\tO\n\n"),
        ("out.txt", ["--to", "spacy"], '"ents": [{"start": 0, "end": 3, "label": "PER"}, '),
        ("out.json", [], '"score": 0.5'),
        ("out.jsonl", [], '"given_target": '),
    ],
)
def test_answers_are_written_in_the_format_that_is_wanted(
    call: Call, columns: Path, name: str, options: list[str], expected: str
) -> None:
    code, out, err = call("predict", columns.parent, "--file", columns, "--out", columns.parent / name, *options)
    assert (code, out, err) == (0, "", "")
    assert expected in (columns.parent / name).read_text()


def test_a_blank_text_does_not_cost_the_others_their_answers(call: Call, columns: Path) -> None:
    write_rows(columns.parent / "in.jsonl", [{"text": "Ann"}, {"text": "  ", "id": "b"}, {"text": "Bob"}])
    out = columns.parent / "out.conll"
    assert call("predict", columns.parent, "--file", columns.parent / "in.jsonl", "--out", out)[0] == 0
    assert out.read_text() == "Ann\tB-PER\n\n# id = b\n\nBob\tB-PER\n\n"


def test_answers_to_columns_can_be_scored_line_by_line(call: Call, columns: Path) -> None:
    columns.write_text("Jean-Luc\tB-PER\n'S\tO\n\nmy\tO\nX-1996\tO\n\n")
    out = columns.parent / "out.conll"
    assert call("predict", columns.parent, "--file", columns, "--out", out)[0] == 0
    assert out.read_text() == "Jean\tB-PER\n-\tO\nLuc\tB-PER\n'S\tO\n\nmy\tO\nX-1996\tO\n\n"


def test_a_file_can_be_told_its_format_and_its_documents_joined(call: Call, columns: Path) -> None:
    columns.rename(columns.with_name("eng.testa"))
    file = columns.with_name("eng.testa")
    code, _, err = call("predict", columns.parent, "--file", file)
    assert (code, "to be told its format" in one_line(err)) == (2, True)
    file.write_text(f"-DOCSTART- O\n\n{COLUMNS}")
    code, out, _ = call("predict", columns.parent, "--file", file, "--from", "conll", "--documents")
    assert code == 0
    assert [json.loads(line)["text"] for line in out.splitlines()] == ["Ann in Rome\nNobody there"]


def test_texts_on_the_command_line_are_written_too(call: Call, columns: Path) -> None:
    assert call("predict", columns.parent, "Bob ran", "--out", columns.parent / "out.conll")[0] == 0
    assert (columns.parent / "out.conll").read_text() == "Bob\tB-PER\nran\tO\n\n"


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["--out", "out.dat"], "unknown kind of file '.dat'"),
        (["--out", "out.csv"], "nothing is written as CSV; expected a .jsonl file"),
        (["--out", "in.conll"], "in.conll: this is the file that is read; expected another one to write to"),
    ],
)
def test_what_cannot_be_written_ends_in_one_line(
    call: Call, columns: Path, monkeypatch: pytest.MonkeyPatch, options: list[str], reason: str
) -> None:
    monkeypatch.chdir(columns.parent)
    code, _, err = call("predict", columns.parent, "--file", columns, *options)
    assert code == 2
    assert reason in one_line(err)


def test_labels_are_no_entities(call: Call, columns: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(student, "load", lambda folder: Desk())
    code, _, err = call("predict", columns.parent, "Bob", "--out", columns.parent / "out.conll")
    assert code == 2
    assert "these answers are no entities" in one_line(err)
    assert call("predict", columns.parent, "Bob \ud83d", "--out", columns.parent / "out.jsonl")[0] == 0
    assert rows(columns.parent / "out.jsonl")[0]["target"] == "sport"


def test_a_broken_file_of_columns_ends_in_one_line(call: Call, columns: Path) -> None:
    columns.write_text("Ann B-PER\n\tO\n")
    code, _, err = call("predict", columns.parent, "--file", columns)
    assert code == 2
    assert one_line(err).startswith(f"{columns}:2: found '\\tO'; expected a token and its tag")


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--to", "conll"], "Bob\tB-PER\nran\tO\n\n"),
        (["--to", "spacy"], '"ents": [{"start": 0, "end": 3, "label": "PER"}], "confidence": 0.5}\n'),
        (["--to", "label-studio"], '[\n{"data": {"text": "Bob ran"}'),
    ],
)
def test_every_format_is_written_to_standard_output_too(
    call: Call, columns: Path, options: list[str], expected: str
) -> None:
    code, out, err = call("predict", columns.parent, "Bob ran", *options)
    assert (code, err) == (0, "")
    assert expected in out


@pytest.mark.parametrize("options", [[], ["--to", "spacy"], ["--to", "jsonl"]])
def test_a_json_file_is_a_list_in_every_format(call: Call, columns: Path, options: list[str]) -> None:
    out = columns.parent / "out.json"
    assert call("predict", columns.parent, "--file", columns, "--out", out, *options)[0] == 0
    assert len(json.loads(out.read_text())) == 2


@pytest.mark.parametrize(
    ("name", "content", "texts"),
    [
        ("in.txt", "Ann Lee\n\nBob left.\n", ["Ann Lee", "Bob left."]),
        ("in.txt", COLUMNS, ["Ann in Rome", "Nobody there"]),
        ("tokens.conll", "Ann\nLee\n\nBob\n", ["Ann Lee", "Bob"]),
        ("wrong.json", '[{"data": {"text": "Ann"}, "annotations": [{"result": [{"type": "labels"}]}]}]', ["Ann"]),
    ],
)
def test_texts_are_answered_whatever_is_marked_in_their_file(
    call: Call, columns: Path, name: str, content: str, texts: list[str]
) -> None:
    (columns.parent / name).write_text(content)
    code, out, _ = call("predict", columns.parent, "--file", columns.parent / name)
    assert code == 0
    assert [json.loads(line)["text"] for line in out.splitlines()] == texts


def test_any_file_can_be_read_as_one_text_a_line(call: Call, columns: Path) -> None:
    code, out, _ = call("predict", columns.parent, "--file", columns, "--from", "text")
    assert code == 0
    assert [json.loads(line)["text"] for line in out.splitlines()][:3] == ["# id = a", "Ann B-PER", "in O"]


def test_nobody_is_sure_of_a_text_without_words(call: Call, columns: Path) -> None:
    code, out, _ = call("predict", columns.parent, "", "Bob")
    assert code == 0
    assert [json.loads(line)["confidence"] for line in out.splitlines()] == [None, 0.5]


def test_files_are_converted_and_types_renamed(call: Call, columns: Path) -> None:
    out = columns.parent / "out.jsonl"
    code, printed, err = call("convert", columns, out, "--types", "PER=person, LOC=")
    assert (code, printed) == (0, "")
    assert err == f"Wrote {out}: 2 texts; entities: person 1\n"
    assert [row["target"] for row in rows(out)] == [[{"start": 0, "end": 3, "type": "person"}], []]


def test_what_is_odd_in_a_converted_file_is_noted(call: Call, columns: Path) -> None:
    out = columns.parent / "out.jsonl"
    columns.write_text("Ann B-PER\nNew York B-LOC\nx O\n")
    wrote, note = call("convert", columns, out)[2].splitlines()
    assert wrote == f"Wrote {out}: 1 text; entities: PER 1, LOC 1"
    assert note.startswith(f"Note: {columns}:2: 3 columns, where most lines have 2")


@pytest.mark.parametrize(
    ("options", "reason"),
    [(["--types", "PER"], "found 'PER'; expected OLD=NEW, or OLD="), (["--from", "spacy"], "not JSON")],
)
def test_a_conversion_that_cannot_be_ends_in_one_line(
    call: Call, columns: Path, options: list[str], reason: str
) -> None:
    code, _, err = call("convert", columns, columns.parent / "out.jsonl", *options)
    assert code == 2
    assert reason in one_line(err)
    assert not (columns.parent / "out.jsonl").exists()


def test_the_help_of_convert_has_an_example(call: Call) -> None:
    assert "understudy convert train.conll" in call("convert", "--help")[1]


def test_check_tells_formats_schemes_and_types(call: Call, columns: Path) -> None:
    write_rows(columns.parent / "pool.jsonl", [{"text": "Cy ran."}])
    (columns.parent / "test.conll").write_text("Dee S-PER\nleft O\n")
    recipe: dict[str, Any] = {
        "name": "tiny",
        "task": {"type": "ner", "types": ["person"]},
        "data": {
            "gold": "in.conll",
            "pool": "pool.jsonl",
            "test": "test.conll",
            "types": {"PER": "person", "LOC": None},
        },
        "teacher": {"model": "m", "base_url": "http://127.0.0.1:9/v1", "store": "replies.jsonl"},
    }
    path = columns.parent / "recipe.yaml"
    path.write_text(yaml.safe_dump(recipe))
    code, out, _ = call("check", path)
    assert code == 0
    assert "test: CoNLL columns (BIOES); entities: person 1" in out
    assert "gold: CoNLL columns (BIO2); entities: person 1" in out
    assert "pool: JSON lines\n" in out
    assert "columns, where" not in out
    write_rows(columns.parent / "gold.jsonl", [{"text": "Ann", "target": [{"start": 1, "end": 3, "type": "PER"}]}])
    (columns.parent / "test.conll").write_text("Dee S-PER\nDi Dee S-PER\nleft O\n")
    recipe["data"]["gold"] = "gold.jsonl"
    path.write_text(yaml.safe_dump(recipe))
    code, out, _ = call("check", path)
    assert code == 0
    assert "test.conll:2: 3 columns, where most lines have 2 (1 of 3 have not)" in out
    assert "gold.jsonl: 1 entity begins or ends inside a word, such as 'nn' in 'Ann'" in out


@pytest.mark.parametrize(
    ("task", "data", "problem"),
    [
        ({"type": "ner", "types": ["PER"]}, {"types": {"person": "PRE"}}, "data.types.person: unknown type 'PRE'"),
        ({"type": "ner", "types": ["PER"]}, {"format": "xml"}, "data.format: input should be"),
        ({"type": "ner", "types": ["PER"]}, {"format": {"annotated": "conll"}}, "data.format"),
        ({"type": "classification", "labels": ["a", "b"]}, {"types": {"A": None}}, "data.types: these are types of"),
        (
            {"type": "classification", "labels": ["a", "b"]},
            {"documents": True},
            "data.documents: CoNLL columns hold entities, and the task has none",
        ),
        ({"type": "ner", "types": ["PER"]}, {"documents": True}, "data.documents: no file is in CoNLL columns"),
        (
            {"type": "classification", "labels": ["a", "b"]},
            {"format": {"gold": "conll"}},
            "data.format.gold: conll holds entities, and the task has none; expected a task of type ner",
        ),
    ],
)
def test_a_recipe_whose_data_do_not_fit_its_task_is_refused(
    call: Call, tiny: Path, task: object, data: dict[str, object], problem: str
) -> None:
    recipe = yaml.safe_load(tiny.read_text())
    tiny.write_text(yaml.safe_dump({**recipe, "task": task, "data": {**recipe["data"], **data}}))
    code, _, err = call("check", tiny)
    assert code == 2
    assert problem in " ".join(err.split())
