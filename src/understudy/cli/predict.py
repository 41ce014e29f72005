"""The command that answers texts with a trained student."""

from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Annotated, Any

import typer

from understudy.cli.app import app
from understudy.errors import DataError

_CHUNK = 1024
"""Texts predicted at a time, so that a file of any length streams through."""


@app.command(
    epilog='Examples: understudy predict MODEL "The striker scored twice." · '
    "understudy predict MODEL --file in.jsonl > out.jsonl"
)
def predict(
    model: Annotated[Path, typer.Argument(metavar="MODEL", help="A model folder, or a finished run's folder.")],
    texts: Annotated[list[str] | None, typer.Argument(metavar="TEXT...", help="The texts.")] = None,
    file: Annotated[Path | None, typer.Option("--file", help="A .jsonl or .csv file with a column of texts.")] = None,
    column: Annotated[str, typer.Option("--column", help="That column's name.")] = "text",
) -> None:
    """Answer texts with a trained student: one JSON line for each, with its confidence.

    The answer stands under target and confidence. A row of a file keeps its other columns; what it held under these
    two names itself (a human label, say) is kept as given_target and given_confidence.
    """
    from understudy import console, pipeline
    from understudy.students.student import load

    if (file is None) == (not texts):
        raise DataError("expected either texts or --file with texts in it")
    student = pipeline.finished(model).student() if (model / "6-scores.json").exists() else load(model)
    rows = _rows(file, column) if file else ({"text": text} for text in texts or ())
    while chunk := list(islice(rows, _CHUNK)):
        predictions = student.predict([row[column if file else "text"] for row in chunk])
        for row, prediction in zip(chunk, predictions, strict=True):
            console.write_json(_answered(row, prediction.to_json()))


def _answered(row: Mapping[str, Any], answer: Mapping[str, Any]) -> dict[str, Any]:
    """The row with its answer; what the row held under the answer's names is kept under a free one."""
    kept = dict(row)
    for name in answer:
        if name in row:
            free = f"given_{name}"
            while free in kept:
                free = f"given_{free}"
            kept[free] = kept.pop(name)
    return {**kept, **answer}


def _rows(file: Path, column: str) -> Iterator[dict[str, str]]:
    from understudy.data.files import read_rows
    from understudy.registry import unknown

    for number, row in read_rows(file):
        if column not in row:
            raise DataError(f"{file}:{number}: {unknown('column', column, row)}; set --column")
        if not isinstance(row[column], str):
            raise DataError(f"{file}:{number}: the column {column!r} holds no text (found {row[column]!r})")
        yield row
