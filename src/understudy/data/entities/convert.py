"""Files of entities from one format into another."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from understudy.data.columns import NoColumn, cell
from understudy.data.entities.formats import (
    Format,
    check_holds_entities,
    has_columns,
    is_unmarked,
    place,
    read,
    recognise,
    write,
    written_format,
)
from understudy.data.entities.marked import MarkedText, Types, marked_text
from understudy.data.entities.oddities import Oddities
from understudy.data.entities.tags import Scheme
from understudy.data.faults import Faults
from understudy.data.files import check_apart
from understudy.errors import DataError


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversion:
    """How files are converted.

    Attributes:
        read_as: What is read; None where the file itself tells.
        write_as: What is written; None where the file's ending tells.
        types: What its types of entities are called in what is written; None leaves those entities out.
        text: The column of the texts, in what is read.
        target: The column of the entities, in what is read.
        documents: Whether the sentences of a document in CoNLL columns become one text.
        scheme: How tags in CoNLL columns are written.
    """

    read_as: Format | None = None
    write_as: Format | None = None
    types: Types
    text: str = "text"
    target: str = "target"
    documents: bool = False
    scheme: Scheme = "bio2"


@dataclass(slots=True)
class Converted:
    """What was converted.

    Attributes:
        texts: How many texts were written.
        types: How many entities of each type they have.
        unmarked: How many texts were left out, since nobody has marked entities in them yet.
        oddities: What is odd in what was read, though no mistake, in a line each.
    """

    texts: int = 0
    types: Counter[str] = field(default_factory=Counter)
    unmarked: int = 0
    oddities: list[str] = field(default_factory=list)


def convert(source: Path, to: Path, how: Conversion) -> Converted:
    """Read a file of texts with entities, and write them in another format, whole or not at all.

    Raises:
        DataError: A file cannot be read or written, or is to be written over itself; nobody has marked anything in it;
            or rows of it are wrong, all of which are listed.
    """
    check_apart(source, to)
    done = Converted()
    write(to, _read(source, how, done), how.write_as or written_format(to), how.scheme)
    return done


def _read(source: Path, how: Conversion, done: Converted) -> Iterator[MarkedText]:
    """The texts of a file, each counted; after the last of them it is told what was wrong with any."""
    faults = Faults()
    format_, number = how.read_as or recognise(source), 0
    check_holds_entities(source, format_)
    odd = Oddities(source, format_)
    for number, row in read(source, format_, text=how.text, documents=how.documents):
        try:
            if isinstance(row, DataError):
                raise row
            if is_unmarked(row, format_):
                done.unmarked += 1
                continue
            text = marked_text(_columns(row, format_, how), how.types, tokenised=format_ == "conll")
        except DataError as error:
            faults.add(DataError(f"{place(source, number)}: {error}"))
            if isinstance(error, NoColumn):
                break
        else:
            done.texts += 1
            done.types.update(span.type for span in text.spans)
            odd.look_at(text.text, text.spans)
            yield text
    if number == 0:
        raise DataError(f"{source}: the file is empty; expected texts with entities")
    faults.tell()
    if not done.texts:
        raise DataError(f"{source}: nobody has marked entities in any of its texts; mark them first")
    done.oddities.extend(odd.told())


def _columns(row: dict[str, Any], format_: Format, how: Conversion) -> dict[str, Any]:
    """The row with the names that columns have among us."""
    if not has_columns(format_):
        return row
    text = cell(row, how.text, "say by --text which column holds the texts", {how.target, "id"})
    target = cell(row, how.target, "say by --target which column holds the entities", {how.text, "id"})
    return {**row, "text": text, "target": target}
