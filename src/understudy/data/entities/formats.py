"""Which format a file is in, and its rows in and out whatever that is."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, Literal

from understudy.data.entities import conll, label_studio, spacy
from understudy.data.entities.marked import MarkedText, known
from understudy.data.entities.tags import Scheme
from understudy.data.files import read_rows, write_records
from understudy.data.json_list import read_list
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
        head = islice(read_rows(path), _LOOKED_AT)
        return "spacy" if any(spacy.is_record(record) for _, record in head) else "jsonl"
    if path.suffix == ".json":
        _, first = next(read_list(path), (0, None))
        telling: dict[str, Format] = {"data": "label-studio", "target": "jsonl"}
        keys = first if isinstance(first, dict) else ()
        return next((format_ for key, format_ in telling.items() if key in keys), "spacy")
    endings = ", ".join([".jsonl", ".json", *_ENDINGS])
    raise DataError(f"{path}: unknown kind of data file {path.suffix!r}; expected {endings}, or to be told its format")


def holds_columns(path: Path) -> bool:
    """Whether a file holds CoNLL columns, by its ending."""
    return _ENDINGS.get(path.suffix) == "conll"


def has_columns(format_: Format) -> bool:
    """Whether files of this format have columns with names of their own."""
    return format_ in {"jsonl", "csv"}


def is_unmarked(row: Mapping[str, Any], format_: Format) -> bool:
    """Whether nobody has marked entities in a row yet, as in an open task of a labelling project."""
    return not has_columns(format_) and "target" not in row


def read(path: Path, format_: Format, *, text: str = "text", documents: bool = False) -> Iterator[Row]:
    """The rows of a file with their numbers; for one that cannot be read, what is wrong with it.

    Args:
        path: The file.
        format_: What it is.
        text: The key of Label Studio's data that holds the text.
        documents: Whether the sentences of a document in CoNLL columns are one text.

    Raises:
        DataError: The file cannot be read at all.
    """
    if format_ == "conll":
        return conll.read(path, documents)
    if format_ == "spacy":
        return _decoded(path, spacy.row)
    if format_ == "label-studio":
        return _decoded(path, partial(label_studio.row, text=text))
    if path.suffix == ".json" and format_ == "jsonl":
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
    if format_ == "conll":
        conll.write(path, texts, scheme)
    elif format_ == "spacy":
        spacy.write(path, texts)
    elif format_ == "label-studio":
        label_studio.write(path, texts)
    elif format_ == "jsonl":
        write_records(path, map(_record, texts))
    else:
        raise DataError(f"{path}: entities cannot be written as CSV; expected jsonl, conll, spacy or label-studio")


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
    ours = "a JSON list" if path.suffix == ".json" else "JSON lines"
    return {"jsonl": ours, "csv": "CSV", "spacy": "spaCy's JSON"}.get(format_, "Label Studio's JSON")


def place(path: Path, number: int) -> str:
    """Where a row of a file stands: its line, or its number in a list."""
    return f"{path}: item {number}" if path.suffix == ".json" else f"{path}:{number}"


def _decoded(path: Path, row: Callable[[Any], dict[str, Any]]) -> Iterator[Row]:
    for number, record in read_list(path) if path.suffix == ".json" else read_rows(path, "jsonl"):
        try:
            yield number, row(record)
        except DataError as error:
            yield number, error


def _record(text: MarkedText) -> dict[str, Any]:
    target = target_to_json(text.spans)
    return known({"id": text.id, "text": text.text, "target": target, "confidence": text.confidence})
