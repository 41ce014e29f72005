"""Files in and out: rows read as a stream, results written whole or not at all."""

import csv
import functools
import hashlib
import json
import os
import shutil
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any, Literal

from understudy.errors import DataError
from understudy.example import Example

Kind = Literal["jsonl", "csv"]
"""Kinds of files whose rows have columns."""
_KINDS: dict[str, Kind] = {".jsonl": "jsonl", ".csv": "csv"}
_LONGEST_CELL = 10_000_000
"""Characters in a CSV cell; longer ones are rather a quote that was never closed. (The default is 131,072.)"""
_SETTLED = 2 * 10**9
"""Nanoseconds after which a file that changes again is sure to get another time stamp."""


def read_rows(path: Path, kind: Kind | None = None) -> Iterator[tuple[int, dict[str, Any]]]:
    """Every row of a data file with the number of the line that it ends on, one at a time.

    Args:
        path: The file.
        kind: ``jsonl`` (one JSON object a line; blank lines are passed over) or ``csv`` (UTF-8, with a header); as the
            file's ending says by default.

    Raises:
        DataError: The file is missing, of another kind, not UTF-8, or holds a line that is not a row.
    """
    kind = kind or _KINDS.get(path.suffix)
    if kind is None:
        raise DataError(f"{path}: unknown kind of data file {path.suffix!r}; expected {' or '.join(_KINDS)}")
    with reading(path, newline="" if kind == "csv" else None) as lines:
        yield from _csv_rows(path, lines) if kind == "csv" else _json_rows(path, lines)


@contextmanager
def reading(path: Path, newline: str | None = None) -> Iterator[IO[str]]:
    """Open a data file as UTF-8 text, with or without a byte order mark.

    Raises:
        DataError: It is missing, or not UTF-8.
    """
    try:
        with path.open(encoding="utf-8-sig", newline=newline) as lines:
            yield lines
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}); check the path") from None
    except UnicodeDecodeError as error:
        wrong = error.object[error.start]
        raise DataError(f"{path}: not UTF-8 text (it holds the byte 0x{wrong:02x}); save it as UTF-8") from None


def _json_rows(path: Path, lines: Iterable[str]) -> Iterator[tuple[int, dict[str, Any]]]:
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise DataError(f"{path}:{number}: not JSON ({error}); expected one object a line") from None
        if not isinstance(row, dict):
            raise DataError(f"{path}:{number}: a JSON {type(row).__name__}; expected an object")
        yield number, row


def _csv_rows(path: Path, lines: Iterable[str]) -> Iterator[tuple[int, dict[str, Any]]]:
    csv.field_size_limit(_LONGEST_CELL)
    reader = csv.DictReader(lines, strict=True)
    try:
        columns = reader.fieldnames or []
        if len(set(columns)) < len(columns):
            raise DataError(f"{path}:{reader.line_num}: a column stands twice in the header; expected each once")
        for row in reader:
            if None in row or None in row.values():
                raise DataError(f"{path}:{reader.line_num}: not as many cells as the header has columns")
            yield reader.line_num, row
    except csv.Error as error:
        start, end = reader.line_num + 1, reader.reader.line_num  # the row that fails, from its first line to its last
        read_to = f"; read to line {end}" if end > start else ""
        raise DataError(f"{path}:{start}: not CSV ({error}{read_to})") from None


def read_examples(path: Path) -> Iterator[Example]:
    """The examples in a file of a run folder, one at a time.

    Raises:
        DataError: A line is not an example record; the file and line are named.
    """
    for number, record in read_rows(path):
        try:
            yield Example.from_json(record)
        except DataError as error:
            raise DataError(f"{path}:{number}: {error}") from None


def write_examples(path: Path, examples: Iterable[Example]) -> None:
    """Write examples as JSON lines, whole or not at all."""
    write_records(path, (example.to_json() for example in examples))


def write_records(path: Path, records: Iterable[Mapping[str, Any]]) -> None:
    """Write JSON objects, one a line, whole or not at all."""
    with replacing(path) as out:
        out.writelines(map(json_line, records))


def json_line(record: Mapping[str, Any]) -> str:
    """A JSON object as one line; half a character in it is spelled out, since no file could hold it."""
    line = json.dumps(record, ensure_ascii=False)
    return line.encode("utf-8", "backslashreplace").decode("utf-8") + "\n"


def write_json(path: Path, value: Any) -> None:
    """Write one JSON value, indented for people, whole or not at all."""
    with replacing(path) as out:
        out.write(json.dumps(value, ensure_ascii=False, indent=2, allow_nan=False) + "\n")


def read_json(path: Path) -> Any:
    """The JSON value in a file.

    Raises:
        DataError: The file is missing or not JSON.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror})") from None
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path}: not JSON ({error})") from None


@contextmanager
def replacing(path: Path) -> Iterator[IO[str]]:
    """Open a text file that takes its place under ``path`` only once it is written and on the disk.

    Raises:
        DataError: It cannot be written.
    """
    with _written(path) as part, part.open("w", encoding="utf-8", newline="\n") as out:
        yield out
        out.flush()
        os.fsync(out.fileno())


@contextmanager
def replacing_folder(path: Path) -> Iterator[Path]:
    """A folder that takes its place under ``path`` only once it is complete; what stood there before is removed.

    Raises:
        DataError: It cannot be written.
    """
    with _written(path) as part:
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir()
        yield part
        if path.exists():
            shutil.rmtree(path)


@contextmanager
def _written(path: Path) -> Iterator[Path]:
    """A name to write under, for what takes its place under ``path`` after that; of what fails, nothing is left."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield part
        part.replace(path)
    except OSError as error:
        reason = error.strerror or error
        raise DataError(f"{path}: cannot be written ({reason}); make room or rights, then run again") from None
    finally:
        with suppress(OSError):
            shutil.rmtree(part) if part.is_dir() else part.unlink()


def digest(path: Path) -> str:
    """The SHA-256 of a file's content, in hexadecimal; one that has not changed is read once in a process."""
    try:
        found = path.stat()
        if time.time_ns() - found.st_mtime_ns < _SETTLED:
            return _sha256(path)
        return _known_sha256(path, found.st_ino, found.st_size, found.st_mtime_ns)
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}); check the path") from None


@functools.lru_cache(maxsize=1024)
def _known_sha256(path: Path, *stamp: int) -> str:
    """The digest of the file as it is under this stamp."""
    return _sha256(path)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def folder_bytes(folder: Path) -> int:
    """The size of everything in a folder, in bytes."""
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def located(path: Path | str, folder: Path) -> Path:
    """Where a path leads that is written in a file of this folder; ``~`` is a home, where there is such a one."""
    try:
        return folder / Path(path).expanduser()
    except RuntimeError:  # the home of somebody whom nobody knows here
        return folder / path


def is_same(path: Path, other: Path) -> bool:
    """Whether two paths lead to one file, whatever they are called."""
    try:
        return path.samefile(other)
    except OSError:  # one of them leads nowhere
        return False


def check_apart(source: Path, to: Path) -> None:
    """Find out whether what is written would take the place of what it is made from.

    Raises:
        DataError: It would.
    """
    if is_same(source, to):
        raise DataError(f"{to}: this is the file that is read; expected another one to write to")


def is_folder(path: Path | str) -> bool:
    """Whether there is a folder of that name, which may be too long for one."""
    try:
        return Path(path).is_dir()
    except OSError:
        return False
