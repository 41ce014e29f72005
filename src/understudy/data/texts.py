"""Texts to be answered, out of any file: what else stands in it may be wrong, since nobody learns from it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

from understudy.data.columns import cell
from understudy.data.entities import conll
from understudy.data.entities.formats import Format, has_columns, place, read, recognise
from understudy.data.files import reading
from understudy.errors import DataError
from understudy.words import quoted

TextFormat = Literal[Format, "text"]
"""What a file of texts can be; ``text`` is one text a line."""


def recognise_texts(path: Path) -> TextFormat:
    """What a file of texts is; JSON lines are ours, and a ``.txt`` file holds columns only where these end with tags.

    Raises:
        DataError: It cannot be told, or the file cannot be read.
    """
    if path.suffix == ".jsonl":
        return "jsonl"
    if path.suffix == ".txt" and not conll.holds_tags(path):
        return "text"
    return recognise(path)


def read_texts(
    path: Path, format_: TextFormat, column: str = "text", documents: bool = False
) -> Iterator[tuple[str, dict[str, Any]]]:
    """The texts of a file, each with its row, one at a time; what is marked in them is kept where it is sound.

    Args:
        path: The file.
        format_: What it is.
        column: The column of the texts, where there are columns.
        documents: Whether the sentences of a document in CoNLL columns are one text.

    Raises:
        DataError: The file cannot be read, or a row holds no text.
    """
    if format_ == "text":
        yield from _lines(path)
        return
    named = column if has_columns(format_) else "text"
    for number, row in read(path, format_, text=column, documents=documents, lenient=True):
        try:
            if isinstance(row, DataError):
                raise row
            text = cell(row, named, "set --text")
            if not isinstance(text, str):
                raise DataError(f"the column {named!r} holds no text (found {quoted(text)})")
        except DataError as error:
            raise DataError(f"{place(path, number)}: {error}") from None
        yield text, row


def _lines(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """The lines of a file that are not blank."""
    with reading(path) as lines:
        for line in lines:
            if text := line.strip():
                yield text, {"text": text}
