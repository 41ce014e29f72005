"""Whatever is wrong with a recipe or its data ends in one clear line and exit code 2."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.commands import GOLD, POOL, Call, one_line


def test_the_sound_recipe_is_sound(call: Call, tiny: Path) -> None:
    code, out, err = call("check", tiny)
    assert (code, err) == (0, "")
    assert "2 gold" in out


def jsonl(*records: Any) -> bytes:
    return "".join(json.dumps(record) + "\n" for record in records).encode()


BAD = {
    "bad JSON": ("pool", jsonl(*POOL) + b'{"text": "x",\n', "pool.jsonl:3: not JSON ("),
    "no object": ("pool", b'["text"]\n', "pool.jsonl:1: a JSON list; expected an object"),
    "empty file": ("gold", b"", "gold.jsonl: the file is empty; expected gold rows"),
    "blank lines": ("pool", b"\n\n \n", "pool.jsonl: the file is empty; expected pool rows"),
    "not UTF-8": ("pool", b'{"text": "caf\xe9"}\n', "pool.jsonl: not UTF-8 text"),
    "no text column": (
        "pool",
        jsonl({"id": "p", "txt": "x"}),
        "pool.jsonl:1: unknown column 'text'; did you mean 'txt'?; set data.columns.text in the recipe",
    ),
    "no target column": (
        "gold",
        jsonl({"id": "g", "text": "x", "labels": "sport"}),
        "gold.jsonl:1: unknown column 'label'; did you mean 'labels'?; set data.columns.target in the recipe",
    ),
    "unknown label": (
        "test",
        jsonl({"id": "t", "text": "x", "label": "sports"}),
        "test.jsonl:1: column 'label': unknown label 'sports'; did you mean 'sport'?",
    ),
    "no label": ("gold", jsonl({"text": "x", "label": None}), "gold.jsonl:1: column 'label': unknown label"),
    "empty text": ("pool", jsonl(*POOL, {"id": "p3", "text": " \n"}), "pool.jsonl:3: the column 'text' holds no text"),
    "number for a text": ("pool", jsonl({"text": 5}), "pool.jsonl:1: the column 'text' holds no text (found 5)"),
    "id twice": ("pool", jsonl(*POOL, {"id": "p1", "text": "x"}), "pool.jsonl:3: the id 'p1' stands twice, first in"),
    "id in two files": ("pool", jsonl({"id": "t1", "text": "x"}), "pool.jsonl:1: the id 't1' stands twice, first in"),
    "half a character": ("pool", b'{"text": "a \\ud83d"}\n', "pool.jsonl:1: the text is not valid Unicode"),
    "half a character in an id": ("pool", b'{"id": "\\udc00", "text": "a"}\n', "pool.jsonl:1: the id is not valid"),
    "test text in gold": (
        "gold",
        jsonl(*GOLD, {"id": "g3", "text": "Cup final", "label": "sport"}),
        "gold.jsonl:3: this text also stands in the test set (",
    ),
    "test text in gold in other case and white space": (
        "gold",
        jsonl(*GOLD, {"id": "g3", "text": "\tCUP \n  FINAL ", "label": "sport"}),
        "gold.jsonl:3: this text also stands in the test set (",
    ),
    "deep": ("pool", b"[" * 100_000 + b"\n", "pool.jsonl:1: not JSON ("),
}


@pytest.mark.parametrize(("name", "content", "message"), BAD.values(), ids=BAD.keys())
@pytest.mark.parametrize("command", ["check", "run"])
def test_bad_data_end_in_one_line_that_names_the_place(
    call: Call, tiny: Path, name: str, content: bytes, message: str, command: str
) -> None:
    (tiny.parent / f"{name}.jsonl").write_bytes(content)
    out = tiny.parent / "run"
    code, output, err = call(command, tiny, *(["--out", out] if command == "run" else []))
    assert (code, output) == (2, "")
    assert one_line(err).startswith(f"{tiny.parent}/{message}")
    assert not list(out.glob("[1-8]-*"))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("id,text\np1,one\np2,two,three\n", "pool.csv:3: not as many cells as the header has columns"),
        ("id,text\np1\n", "pool.csv:2: not as many cells as the header has columns"),
        ('id,text\np1,"never closed\n', "pool.csv:"),
        ("id,text\n", "pool.csv: the file is empty"),
        ("id,texts\np1,one\n", "pool.csv:2: unknown column 'text'; did you mean 'texts'?"),
        ("id,text,text\np1,one,two\n", "pool.csv:1: a column stands twice"),
    ],
)
def test_a_bad_csv_ends_in_one_line(call: Call, tiny: Path, content: str, message: str) -> None:
    (tiny.parent / "pool.csv").write_text(content)
    tiny.write_text(tiny.read_text().replace("pool.jsonl", "pool.csv"))
    code, _, err = call("check", tiny)
    assert code == 2
    assert one_line(err).startswith(f"{tiny.parent}/{message}")


def test_a_csv_is_read_as_json_lines_are(call: Call, tiny: Path) -> None:
    (tiny.parent / "pool.csv").write_bytes('\ufeffid,text\r\np1,"Goal, said he:\n""Goal!"""\r\n'.encode())
    tiny.write_text(tiny.read_text().replace("pool.jsonl", "pool.csv"))
    code, out, _ = call("check", tiny)
    assert code == 0
    assert "1 pool" in out


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("absent.jsonl", "absent.jsonl: cannot be read (No such file or directory); check the path"),
        ("pool.xlsx", "pool.xlsx: unknown kind of data file '.xlsx'; expected .jsonl or .csv"),
        ("folder.jsonl", "folder.jsonl: cannot be read (Is a directory)"),
    ],
)
def test_a_file_that_cannot_be_read_ends_in_one_line(call: Call, tiny: Path, name: str, message: str) -> None:
    (tiny.parent / "folder.jsonl").mkdir()
    (tiny.parent / "pool.xlsx").write_bytes(b"PK")
    tiny.write_text(tiny.read_text().replace("pool.jsonl", name))
    for command in ("check", "run"):
        code, _, err = call(command, tiny)
        assert code == 2
        assert one_line(err).startswith(f"{tiny.parent}/{message}")


def test_a_bad_recipe_ends_in_one_line_for_each_mistake(call: Call, tiny: Path) -> None:
    tiny.write_text(tiny.read_text().replace("linear: null", "gbdt: {round: 5}").replace("model: m", "modl: m"))
    for command in ("check", "run"):
        code, _, err = call(command, tiny)
        assert code == 2
        assert err.splitlines() == [
            f"error: {tiny}: 3 mistakes in the recipe",
            "  teacher.model: missing",
            "  teacher.modl: unknown key; did you mean 'model'?",
            "  students.gbdt.round: unknown key; did you mean 'rounds'?",
        ]


def test_a_real_process_ends_in_one_line_and_exit_code_2(tiny: Path) -> None:
    (tiny.parent / "pool.jsonl").write_text("{")
    done = subprocess.run(
        [sys.executable, "-m", "understudy", "run", str(tiny)],
        capture_output=True,
        text=True,
        check=False,
        cwd=tiny.parent,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert one_line(done.stderr).startswith(f"{tiny.parent}/pool.jsonl:1: not JSON (")


def test_an_endpoint_that_is_not_there_ends_in_one_line(call: Call, tiny: Path) -> None:
    tiny.write_text(tiny.read_text().replace("model: m", "model: m\n  max_attempts: 1"))
    code, _, err = call("run", tiny, "--out", tiny.parent / "run")
    assert code == 2
    assert "the connection failed" in one_line(err.splitlines(keepends=True)[-1])


def test_brackets_in_a_message_are_shown_as_they_are(call: Call, tmp_path: Path) -> None:
    code, _, err = call("check", tmp_path / "[bold]x[/red].yaml")
    assert code == 2
    assert "/[bold]x[/red].yaml: 1 mistake" in err
