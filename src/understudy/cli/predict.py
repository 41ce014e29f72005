"""The command that answers texts with a trained student."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from understudy.cli.app import app
from understudy.data.entities.formats import Format
from understudy.data.texts import TextFormat
from understudy.errors import DataError, RunError

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
        Path | None,
        typer.Option("--file", help="A file with texts: .jsonl, .csv, .txt (one a line), CoNLL columns, or .json."),
    ] = None,
    read_as: Annotated[
        TextFormat | None, typer.Option("--from", help="What --file is, where it does not tell.")
    ] = None,
    column: Annotated[
        str | None, typer.Option("--text", help="The column of texts in --file; text by default.")
    ] = None,
    documents: Annotated[
        bool, typer.Option("--documents", help="Join the sentences of each -DOCSTART- document of CoNLL columns.")
    ] = False,
    out: Annotated[
        Path | None, typer.Option("--out", help="A file to write; entities also as CoNLL columns or .json.")
    ] = None,
    write_as: Annotated[Format | None, typer.Option("--to", help="What is written, where --out does not tell.")] = None,
) -> None:
    """Answer texts with a trained student: one JSON line for each, with its confidence.

    The answer stands under target and confidence. A row of a file keeps its other columns; what it held under these
    two names itself (a human label, say) is kept as given_target and given_confidence. Entities can also be written as
    CoNLL columns, as spaCy's JSON lines, or as a list of tasks that a person can correct in Label Studio (.json).
    """
    from understudy import console
    from understudy.data.entities.formats import is_list, written_format
    from understudy.data.files import check_apart, replacing
    from understudy.data.texts import read_texts, recognise_texts

    if column is not None and file is None:
        raise DataError("--text names the column of texts in --file; expected --file, or texts without any option")
    if (file is None) == (not texts):
        raise DataError("expected either texts or --file with texts in it")
    if file is not None and out is not None:
        check_apart(file, out)
    rows: Iterator[_Row] = ((text, {"text": text}) for text in texts or ())
    if file is not None:
        read_as = read_as or recognise_texts(file)
        rows = read_texts(file, read_as, column or "text", documents)
    format_ = write_as or ("jsonl" if out is None else written_format(out))
    answers = _answers(_student(model), rows)
    if out is None:
        console.write(_lines(answers, format_, tokenised=read_as == "conll"))
        return
    with replacing(out) as written:
        written.writelines(_lines(answers, format_, listed=is_list(out), tokenised=read_as == "conll"))


def _student(folder: Path) -> "Student":
    """The student of a model folder, or the one that a finished run has chosen."""
    from understudy import pipeline
    from understudy.run_folder import RunFolder
    from understudy.students.student import MANIFEST, load

    run = RunFolder(folder)
    if run.scores.exists():
        return pipeline.finished(folder).student()
    if run.recipe.exists():
        trained = min(run.students.rglob(MANIFEST), default=None)
        name = f", or name a student that is trained, such as {trained.parent}" if trained else ""
        raise RunError(f"{folder}: this run is not finished; go on with understudy run and its recipe{name}")
    return load(folder)


def _answers(student: "Student", rows: Iterator[_Row]) -> "Iterator[_Answer]":
    while chunk := list(islice(rows, _CHUNK)):
        predictions = student.predict([text for text, _ in chunk])
        for (text, row), prediction in zip(chunk, predictions, strict=True):
            # Of a text without a word nobody can be sure.
            yield text, row, prediction if text.strip() else replace(prediction, confidence=None)


def _lines(answers: "Iterable[_Answer]", format_: Format, *, tokenised: bool, listed: bool = False) -> Iterator[str]:
    """Rows with their answers as JSON, or their texts with the entities that were found."""
    from understudy.data.entities.formats import lines
    from understudy.data.json_list import json_lines

    if format_ == "jsonl":
        return json_lines((_answered(row, prediction) for _, row, prediction in answers), listed=listed)
    return lines((_marked(*answer, tokenised=tokenised) for answer in answers), format_, listed=listed)


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
