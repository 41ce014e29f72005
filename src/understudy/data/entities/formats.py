"""Which format a file is in, and its rows in and out whatever that is."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, Literal

from understudy.data.entities import conll, label_studio, spacy
from understudy.data.entities.marked import MarkedText, known
from understudy.data.entities.tags import Scheme
from understudy.data.files import read_rows, replacing
from understudy.data.json_list import json_lines, read_list
from understudy.errors import DataError
from understudy.example import target_to_json
from understudy.words import quoted

Format = Literal["jsonl", "csv", "conll", "spacy", "label-studio"]
"""What a data file can be; the last three hold entities."""

_ENDINGS: Mapping[str, Format] = {
    ".csv": "csv",
    **dict.fromkeys((".conll", ".bio", ".bio2", ".iob", ".iob2", ".bioes", ".txt"), "conll"),
}
"""What a file is by its ending; of the others the content tells."""
_LOOKED_AT = 100
"""So many rows of a JSONL file are looked at for entities."""

Row = conll.Row
"""A row with its number, or what is wrong with it."""


def recognise(path: Path) -> Format:
    """The format of a file, by its ending, or else by what stands in it.

    Raises:
        DataError: It cannot be told, or the file cannot be read.
    """
    if path.suffix in _ENDINGS:
        return _ENDINGS[path.suffix]
    if path.suffix == ".jsonl":
        return "spacy" if any(map(spacy.is_record, islice(_readable(path), _LOOKED_AT))) else "jsonl"
    if path.suffix == ".json":
        return _recognised(path, next(read_list(path), (0, None))[1])
    endings = ", ".join([".jsonl", ".json", *_ENDINGS])
    raise DataError(f"{path}: unknown kind of data file {path.suffix!r}; expected {endings}, or to be told its format")


def _readable(path: Path) -> Iterator[dict[str, Any]]:
    """The records of a JSONL file up to one that cannot be read, which is told with all other mistakes."""
    with suppress(DataError):
        yield from (record for _, record in read_rows(path))


def _recognised(path: Path, first: Any) -> Format:
    """The format of a JSON list, by its first element."""
    if label_studio.is_minimal(first):
        raise DataError(f"{path}: Label Studio's JSON-MIN; expected its full export: export the project again as JSON")
    keys = first if isinstance(first, dict) else {}
    if {"classes", "annotations"} <= keys.keys():
        raise DataError(f"{path}: an object with classes and annotations; expected a list: save its annotations alone")
    telling: dict[str, Format] = {"data": "label-studio", "target": "jsonl"}
    return next((format_ for key, format_ in telling.items() if key in keys), "spacy")


def holds_columns(path: Path) -> bool:
    """Whether a file holds CoNLL columns, by its ending."""
    return _ENDINGS.get(path.suffix) == "conll"


def has_columns(format_: Format) -> bool:
    """Whether files of this format have columns with names of their own."""
    return format_ in {"jsonl", "csv"}


def check_holds_entities(path: Path, format_: Format | None) -> None:
    """Find out whether entities can stand in a file, before each of its rows is refused.

    Raises:
        DataError: They cannot.
    """
    if format_ == "csv":
        raise DataError(f"{path}: CSV holds no entities; expected JSON lines (.jsonl), CoNLL columns, or JSON")


def is_unmarked(row: Mapping[str, Any], format_: Format) -> bool:
    """Whether nobody has marked entities in a row yet, as in an open task of a labelling project."""
    return not has_columns(format_) and "target" not in row


def read(
    path: Path, format_: Format, *, text: str = "text", documents: bool = False, lenient: bool = False
) -> Iterator[Row]:
    """The rows of a file with their numbers; for one that cannot be read, what is wrong with it.

    Args:
        path: The file.
        format_: What it is.
        text: The key of Label Studio's data that holds the text.
        documents: Whether the sentences of a document in CoNLL columns are one text.
        lenient: Whether what is marked may be wrong or missing; such a row has no target then.

    Raises:
        DataError: The file cannot be read at all.
    """
    if format_ == "conll":
        return conll.read(path, documents, lenient=lenient)
    if format_ == "spacy":
        return _decoded(path, spacy.row, spacy.unmarked if lenient else None)
    if format_ == "label-studio":
        return _decoded(path, partial(label_studio.row, text=text), label_studio.unmarked if lenient else None)
    if is_list(path) and format_ == "jsonl":
        return _decoded(path, _object)
    return iter(read_rows(path, format_))


def write(path: Path, texts: Iterable[MarkedText], format_: Format, scheme: Scheme = "bio2") -> None:
    """Write texts with their entities, whole or not at all.

    Args:
        path: The file.
        texts: The texts.
        format_: What it shall be.
        scheme: How tags in CoNLL columns are written.

    Raises:
        DataError: A text cannot be written in this format, or the file not at all.
    """
    with replacing(path) as out:
        out.writelines(lines(texts, format_, scheme=scheme, listed=is_list(path)))


def lines(
    texts: Iterable[MarkedText], format_: Format, *, scheme: Scheme = "bio2", listed: bool = False
) -> Iterator[str]:
    """Texts with their entities as the lines of a file.

    Args:
        texts: The texts.
        format_: What the file shall be.
        scheme: How tags in CoNLL columns are written.
        listed: Whether JSON is to be a list, which that of Label Studio always is.

    Raises:
        DataError: A text cannot be written in this format.
    """
    if format_ == "conll":
        return conll.lines(texts, scheme)
    if format_ == "csv":
        raise DataError("nothing is written as CSV; expected a .jsonl file, or the format conll, spacy or label-studio")
    record = {"jsonl": _record, "spacy": spacy.record, "label-studio": label_studio.task}[format_]
    return json_lines(map(record, texts), listed=listed or format_ == "label-studio")


def is_list(path: Path) -> bool:
    """Whether a file of JSON is one list, by its ending."""
    return path.suffix == ".json"


def written_format(path: Path) -> Format:
    """The format that a file is written in, by its ending: a list in ``.json`` is Label Studio's.

    Raises:
        DataError: It cannot be told.
    """
    endings: dict[str, Format] = {".jsonl": "jsonl", ".json": "label-studio", **_ENDINGS}
    if path.suffix not in endings:
        expected = ", ".join(endings)
        raise DataError(f"{path}: unknown kind of file {path.suffix!r}; expected {expected}, or to be told its format")
    return endings[path.suffix]


def _object(record: Any) -> dict[str, Any]:
    if not isinstance(record, dict):
        raise DataError(f"found {quoted(record)}; expected an object with a text and its entities")
    return record


def described(path: Path, format_: Format) -> str:
    """What a file is, in words.

    Raises:
        DataError: It cannot be read.
    """
    if format_ == "conll":
        return f"CoNLL columns ({conll.scheme(path)})"
    ours = "a JSON list" if is_list(path) else "JSON lines"
    return {"jsonl": ours, "csv": "CSV", "spacy": "spaCy's JSON"}.get(format_, "Label Studio's JSON")


def place(path: Path, number: int) -> str:
    """Where a row of a file stands: its line, or its number in a list."""
    return f"{path}: item {number}" if is_list(path) else f"{path}:{number}"


def _decoded(
    path: Path, row: Callable[[Any], dict[str, Any]], unmarked: Callable[[Any], Any] | None = None
) -> Iterator[Row]:
    """The rows in the records of a file; where it is said how, those that fail are tried again without their marks."""
    for number, record in read_list(path) if is_list(path) else read_rows(path, "jsonl"):
        try:
            yield number, row(record)
        except DataError as error:
            yield number, error if unmarked is None else _retried(partial(row, unmarked(record)))


def _retried(row: Callable[[], dict[str, Any]]) -> dict[str, Any] | DataError:
    try:
        return row()
    except DataError as error:
        return error


def _record(text: MarkedText) -> dict[str, Any]:
    target = target_to_json(text.spans)
    return known({"id": text.id, "text": text.text, "target": target, "confidence": text.confidence})
