import contextlib
import csv
import io
import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from understudy.data import files
from understudy.data.files import (
    digest,
    folder_bytes,
    read_examples,
    read_json,
    read_rows,
    replacing,
    replacing_folder,
    write_examples,
    write_json,
    write_records,
)
from understudy.errors import DataError
from understudy.example import Example

_whole = st.text(alphabet=st.characters(exclude_categories=["Cs"]))
in_one_folder = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)


def written(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def refusal(path: Path) -> str:
    with pytest.raises(DataError) as error:
        list(read_rows(path))
    assert str(path) in str(error.value)
    assert "\n" not in str(error.value)
    return str(error.value)


def left_behind(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.iterdir())


def test_json_lines_are_rows_with_their_line_numbers(tmp_path: Path) -> None:
    path = written(tmp_path / "a.jsonl", '{"text": "one"}\n\n   \n{"text": "two"}\r\n{"text": "three"}')
    assert list(read_rows(path)) == [(1, {"text": "one"}), (4, {"text": "two"}), (5, {"text": "three"})]


def test_a_byte_order_mark_is_passed_over(tmp_path: Path) -> None:
    assert list(read_rows(written(tmp_path / "a.jsonl", '\ufeff{"a": 1}\n'))) == [(1, {"a": 1})]
    assert list(read_rows(written(tmp_path / "a.csv", "\ufeffa,b\n1,2\n"))) == [(2, {"a": "1", "b": "2"})]


def test_line_separators_within_json_text_do_not_end_a_line(tmp_path: Path) -> None:
    path = written(tmp_path / "a.jsonl", '{"text": "a\u2028b\u0085c\u000bd"}\n'.replace("\u000b", "\\u000b"))
    assert list(read_rows(path)) == [(1, {"text": "a\u2028b\u0085c\u000bd"})]


def test_csv_cells_may_hold_commas_quotes_and_newlines(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", 'id,text\r\n1,"a, ""b""\nc"\r\n\r\n2,d\r\n')
    assert list(read_rows(path)) == [(3, {"id": "1", "text": 'a, "b"\nc'}), (5, {"id": "2", "text": "d"})]


def test_a_huge_cell_is_read(tmp_path: Path) -> None:
    cell = "word " * 200_000
    assert list(read_rows(written(tmp_path / "a.csv", f"text\n{cell}\n"))) == [(2, {"text": cell})]


def test_a_quote_that_is_never_closed_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "not CSV" in refusal(written(tmp_path / "a.csv", 'text\n"never closed\nb\n'))
    monkeypatch.setattr(files, "_LONGEST_CELL", 1000)
    assert "field larger" in refusal(written(tmp_path / "a.csv", 'text\n"' + "a line\n" * 1000))


def test_a_broken_csv_row_is_named_by_its_lines(tmp_path: Path) -> None:
    assert "a.csv:3: not CSV (" in refusal(written(tmp_path / "a.csv", 'text\nfine\n"never\nclosed\n'))
    assert "read to line 4" in refusal(tmp_path / "a.csv")
    found = refusal(written(tmp_path / "a.csv", 'text\nfine\n"a" b\n'))
    assert "a.csv:3: not CSV (" in found
    assert "read to" not in found


@pytest.mark.parametrize("row", ["1", "1,2,3"])
def test_a_csv_row_of_the_wrong_length_is_refused(tmp_path: Path, row: str) -> None:
    assert ":3: not as many cells" in refusal(written(tmp_path / "a.csv", f"a,b\n1,2\n{row}\n"))


def test_a_csv_column_that_stands_twice_is_refused(tmp_path: Path) -> None:
    assert ":1: a column stands twice" in refusal(written(tmp_path / "a.csv", "text,text\na,b\n"))


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("{", "not JSON"),
        ("[1]", "a JSON list; expected an object"),
        ("null", "a JSON NoneType"),
        ('"text"', "a JSON str"),
        ("[" * 100_000, "not JSON"),
        ('{"n": ' + "9" * 10_000 + "}", "not JSON"),
    ],
)
def test_a_line_that_is_no_object_is_refused_by_number(tmp_path: Path, line: str, reason: str) -> None:
    assert f":3: {reason}" in refusal(written(tmp_path / "a.jsonl", f'{{"a": 1}}\n{{"a": 2}}\n{line}\n'))


@pytest.mark.parametrize("name", ["a.jsonl", "a.csv"])
def test_text_that_is_not_utf8_is_refused(tmp_path: Path, name: str) -> None:
    assert "not UTF-8 text (it holds the byte 0xe9)" in refusal(written(tmp_path / name, b'x\n{"a": "caf\xe9"}\n'[2:]))


def test_what_is_no_data_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "folder.csv").mkdir()
    assert "unknown kind of data file '.parquet'" in refusal(tmp_path / "a.parquet")
    assert "cannot be read" in refusal(tmp_path / "missing.jsonl")
    assert "cannot be read" in refusal(tmp_path / "folder.csv")


def test_an_empty_file_has_no_rows(tmp_path: Path) -> None:
    for name, content in (("a.jsonl", ""), ("b.jsonl", "\n\n"), ("a.csv", ""), ("b.csv", "text\n")):
        assert list(read_rows(written(tmp_path / name, content))) == []


def test_rows_come_one_at_a_time(tmp_path: Path) -> None:
    rows = read_rows(written(tmp_path / "a.jsonl", '{"a": 1}\nbroken\n'))
    assert next(rows) == (1, {"a": 1})


@in_one_folder
@given(st.lists(st.dictionaries(_whole, _whole | st.integers() | st.none(), max_size=3), max_size=5))
def test_records_come_back_as_they_were(tmp_path: Path, records: list[dict[str, Any]]) -> None:
    write_records(tmp_path / "a.jsonl", records)
    assert [row for _, row in read_rows(tmp_path / "a.jsonl")] == records


@in_one_folder
@given(st.lists(st.tuples(_whole, _whole), min_size=1, max_size=5))
def test_csv_comes_back_as_it_was(tmp_path: Path, cells: list[tuple[str, str]]) -> None:
    out = io.StringIO(newline="")
    csv.writer(out).writerows([("a", "b"), *cells])
    rows = [tuple(row.values()) for _, row in read_rows(written(tmp_path / "a.csv", out.getvalue()))]
    assert rows == cells


@in_one_folder
@given(st.binary(max_size=200), st.sampled_from(["a.jsonl", "a.csv"]))
def test_any_bytes_are_rows_or_a_data_error(tmp_path: Path, content: bytes, name: str) -> None:
    with contextlib.suppress(DataError):
        assert all(isinstance(row, dict) for _, row in read_rows(written(tmp_path / name, content)))


def test_examples_come_back_and_a_broken_one_is_named_by_its_line(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    write_examples(path, [Example(id="1", text="Grüße\n", target="x", source="gold"), Example(id="2", text="b")])
    assert [example.id for example in read_examples(path)] == ["1", "2"]
    assert "Grüße" in path.read_text(encoding="utf-8")
    path.write_text(path.read_text(encoding="utf-8") + '{"id": "3"}\n', encoding="utf-8")
    with pytest.raises(DataError, match=r"a.jsonl:3: not an example"):
        list(read_examples(path))


def test_json_comes_back_and_what_is_no_number_is_not_written(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "a.json"
    write_json(path, {"ü": [1, None]})
    assert read_json(path) == {"ü": [1, None]}
    with pytest.raises(ValueError, match="JSON compliant"):
        write_json(path, float("nan"))
    assert read_json(path) == {"ü": [1, None]}
    assert left_behind(path.parent) == ["a.json"]


def test_a_json_file_that_is_missing_or_broken_is_a_data_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be read"):
        read_json(tmp_path / "missing.json")
    for content in (b"{", b"\xff", b"[" * 100_000):
        with pytest.raises(DataError, match="not JSON"):
            read_json(written(tmp_path / "a.json", content))


def test_a_file_takes_its_place_only_when_it_is_whole(tmp_path: Path) -> None:
    path = written(tmp_path / "a.txt", "old")
    with replacing(path) as out:
        out.write("new")
        out.flush()
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert left_behind(tmp_path) == ["a.txt"]


def test_a_crash_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = written(tmp_path / "a.txt", "old")

    def crash() -> None:
        with replacing(path) as out:
            out.write("half of the n")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        crash()
    assert path.read_text() == "old"
    assert left_behind(tmp_path) == ["a.txt"]


def test_records_that_crash_midway_leave_the_old_file(tmp_path: Path) -> None:
    path = written(tmp_path / "a.jsonl", '{"old": 1}\n')
    with pytest.raises(ZeroDivisionError):
        write_records(path, ({"n": 1 / n} for n in (2, 1, 0)))
    assert list(read_rows(path)) == [(1, {"old": 1})]
    assert left_behind(tmp_path) == ["a.jsonl"]


@pytest.mark.parametrize("name", ["file/a.txt", "folder", "n" * 300])
def test_what_cannot_be_written_is_named_with_the_reason(tmp_path: Path, name: str) -> None:
    (tmp_path / "folder" / "with").mkdir(parents=True)
    written(tmp_path / "file", "old")
    before = left_behind(tmp_path)
    with pytest.raises(DataError, match=f"{name}: cannot be written .*; make room or rights"):
        write_json(tmp_path / name, 1)
    assert left_behind(tmp_path) == before


def test_a_full_disk_is_told(tmp_path: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full here")
    (tmp_path / f".a.jsonl.{os.getpid()}.part").symlink_to("/dev/full")
    with pytest.raises(DataError, match=r"a\.jsonl: cannot be written \(No space left on device\)"):
        write_records(tmp_path / "a.jsonl", ({"n": n} for n in range(10_000)))
    assert left_behind(tmp_path) == []


def test_a_folder_that_cannot_be_written_is_named_with_the_reason(tmp_path: Path) -> None:
    written(tmp_path / "file", "old")
    for path in (tmp_path / "file" / "model", tmp_path / ("n" * 300), tmp_path / "file"):
        with pytest.raises(DataError, match="cannot be written"), replacing_folder(path):
            pass
    assert left_behind(tmp_path) == ["file"]


def test_a_folder_takes_its_place_whole(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "model"
    for name in ("first", "second"):
        with replacing_folder(path) as part:
            written(part / name, name)
            assert name == "first" or left_behind(path) == ["first"]
    assert left_behind(path) == ["second"]
    assert left_behind(path.parent) == ["model"]


def test_a_crash_leaves_the_old_folder_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "model"
    with replacing_folder(path) as part:
        written(part / "old", "old")

    def crash() -> None:
        with replacing_folder(path) as part:
            written(part / "new", "new")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        crash()
    assert left_behind(path) == ["old"]
    assert left_behind(tmp_path) == ["model"]


def test_the_digest_is_the_contents(tmp_path: Path) -> None:
    expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert digest(written(tmp_path / "a", "abc")) == expected
    with pytest.raises(DataError, match="cannot be read"):
        digest(tmp_path / "missing")


def test_a_file_that_does_not_change_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[Path] = []
    sha256 = files._sha256

    def noting(path: Path) -> str:
        read.append(path)
        return sha256(path)

    monkeypatch.setattr(files, "_sha256", noting)
    path = written(tmp_path / "a", "abc")
    first = digest(path)
    written(path, "abd")  # perhaps within the same tick of the clock of files
    changed = digest(path)
    assert (first != changed, len(read)) == (True, 2)
    os.utime(path, ns=(0, 10**9))
    assert [digest(path), digest(path)] == [changed, changed]
    assert len(read) == 3
    written(path, "abe")
    os.utime(path, ns=(0, 2 * 10**9))
    assert digest(path) not in {first, changed}


def test_the_size_of_a_folder_is_that_of_all_files_in_it(tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    written(tmp_path / "a", "abc")
    written(tmp_path / "inner" / "b", json.dumps("12345"))
    assert folder_bytes(tmp_path) == 10
