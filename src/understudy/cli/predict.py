"""The command that answers texts with a trained student."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from understudy.cli.app import app
from understudy.data.entities.formats import Format
from understudy.errors import DataError
from understudy.words import quoted

if TYPE_CHECKING:
    from understudy.data.entities.marked import MarkedText
    from understudy.example import Prediction
    from understudy.students.student import Student

_CHUNK = 1024
"""Texts predicted at a time, so that a file of any length streams through."""

_Row = tuple[str, dict[str, Any]]
"""A text, and the row that it stands in."""
_Answer = tuple[str, dict[str, Any], "Prediction"]
"""A text, its row, and the answer to it."""


@app.command(
    epilog='Examples: understudy predict MODEL "The striker scored twice." · '
    "understudy predict MODEL --file in.jsonl > out.jsonl · understudy predict MODEL --file in.conll --out out.json"
)
def predict(
    model: Annotated[Path, typer.Argument(metavar="MODEL", help="A model folder, or a finished run's folder.")],
    texts: Annotated[list[str] | None, typer.Argument(metavar="TEXT...", help="The texts.")] = None,
    file: Annotated[
        Path | None, typer.Option("--file", help="A file with texts: .jsonl, .csv, CoNLL columns, or .json.")
    ] = None,
    read_as: Annotated[Format | None, typer.Option("--from", help="What --file is, where it does not tell.")] = None,
    column: Annotated[str, typer.Option("--text", help="The column of texts in a .jsonl or .csv file.")] = "text",
    documents: Annotated[
        bool, typer.Option("--documents", help="Join the sentences of each -DOCSTART- document of CoNLL columns.")
    ] = False,
    out: Annotated[
        Path | None, typer.Option("--out", help="A file to write; entities also as CoNLL columns or .json.")
    ] = None,
    write_as: Annotated[Format | None, typer.Option("--to", help="What --out is, where it does not tell.")] = None,
) -> None:
    """Answer texts with a trained student: one JSON line for each, with its confidence.

    The answer stands under target and confidence. A row of a file keeps its other columns; what it held under these
    two names itself (a human label, say) is kept as given_target and given_confidence. Entities can also be written as
    CoNLL columns, as spaCy's JSON lines, or as a list of tasks that a person can correct in Label Studio (.json).
    """
    from understudy import console, pipeline
    from understudy.students.student import load

    if (file is None) == (not texts):
        raise DataError("expected either texts or --file with texts in it")
    if write_as is not None and out is None:
        raise DataError("--to says what --out is; expected both")
    rows: Iterator[_Row] = ((text, {"text": text}) for text in texts or ())
    if file is not None:
        read_as = read_as or _format_of(file)
        rows = _rows(file, read_as, column, documents)
    student = pipeline.finished(model).student() if (model / "6-scores.json").exists() else load(model)
    answers = _answers(student, rows)
    if out is None:
        for _, row, prediction in answers:
            console.write_json(_answered(row, prediction))
    else:
        _write(out, write_as, answers, tokenised=read_as == "conll")


def _answers(student: "Student", rows: Iterator[_Row]) -> "Iterator[_Answer]":
    while chunk := list(islice(rows, _CHUNK)):
        predictions = student.predict([text for text, _ in chunk])
        yield from ((text, row, prediction) for (text, row), prediction in zip(chunk, predictions, strict=True))


def _write(path: Path, format_: Format | None, answers: "Iterable[_Answer]", *, tokenised: bool) -> None:
    """Write rows with their answers as JSON lines, or their texts with the entities that were found."""
    from understudy.data.entities.formats import write, written_format
    from understudy.data.files import write_records

    format_ = format_ or written_format(path)
    if format_ == "jsonl":
        write_records(path, (_answered(row, prediction) for _, row, prediction in answers))
    else:
        write(path, (_marked(*answer, tokenised=tokenised) for answer in answers), format_)


def _marked(text: str, row: Mapping[str, Any], prediction: "Prediction", *, tokenised: bool) -> "MarkedText":
    from understudy.data.entities.marked import MarkedText

    if not isinstance(prediction.target, tuple):
        raise DataError("these answers are no entities, and cannot be written in this format; expected a .jsonl file")
    name = None if row.get("id") is None else str(row["id"])
    sure = prediction.confidence
    return MarkedText(text=text, spans=prediction.target, tokenised=tokenised, id=name, confidence=sure)


def _answered(row: Mapping[str, Any], prediction: "Prediction") -> dict[str, Any]:
    """The row with its answer; what the row held under the answer's names is kept under a free one."""
    kept, answer = dict(row), prediction.to_json()
    for name in answer:
        if name in row:
            free = f"given_{name}"
            while free in kept:
                free = f"given_{free}"
            kept[free] = kept.pop(name)
    return {**kept, **answer}


def _format_of(file: Path) -> Format:
    """What a file of texts is; JSON lines are ours, since nobody looks at what is marked in them."""
    from understudy.data.entities.formats import recognise

    return "jsonl" if file.suffix == ".jsonl" else recognise(file)


def _rows(file: Path, format_: Format, column: str, documents: bool) -> Iterator[_Row]:
    from understudy.data.columns import cell
    from understudy.data.entities.formats import has_columns, place, read

    named = column if has_columns(format_) else "text"
    for number, row in read(file, format_, text=column, documents=documents):
        try:
            if isinstance(row, DataError):
                raise row
            text = cell(row, named, "set --text")
            if not isinstance(text, str):
                raise DataError(f"the column {named!r} holds no text (found {quoted(text)})")
        except DataError as error:
            raise DataError(f"{place(file, number)}: {error}") from None
        yield text, row
