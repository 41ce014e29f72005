"""The command line: parse, call the API, print."""

import sys
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Annotated, Any

import typer

from understudy.errors import DataError, UnderstudyError

app = typer.Typer(
    name="understudy",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    help="Train a small model to stand in for a large one, and measure honestly whether it may.",
    epilog="Start with: understudy init my-task.yaml",
)


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"understudy {version('understudy')}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and end.")
    ] = False,
) -> None:
    """Train a small model to stand in for a large one, and measure honestly whether it may."""


_CHUNK = 1024
"""Texts predicted at a time, so that a file of any length streams through."""

RecipeFile = Annotated[Path, typer.Argument(metavar="RECIPE", help="The recipe, a YAML file.")]
OutFolder = Annotated[Path | None, typer.Option("--out", help="The run's folder; runs/<name> by default.")]


@app.command(epilog="Example: understudy init my-task.yaml")
def init(
    recipe: Annotated[Path, typer.Argument(metavar="RECIPE", help="Where to write it.")] = Path("recipe.yaml"),
) -> None:
    """Write a commented starter recipe."""
    from importlib import resources

    if recipe.exists():
        raise DataError(f"{recipe}: exists already; choose another name, or remove it first")
    starter = (resources.files("understudy") / "starter.yaml").read_text(encoding="utf-8")
    try:
        recipe.write_text(starter, encoding="utf-8")
    except OSError as error:
        raise DataError(f"{recipe}: cannot be written ({error.strerror}); choose another place") from None
    typer.echo(f"Wrote {recipe}. Fill it in, then: understudy check {recipe}")


@app.command(epilog="Example: understudy check recipes/newswire-desk.yaml")
def check(recipe: RecipeFile) -> None:
    """Check a recipe and its data, and say what a run would do and cost; spends nothing."""
    from understudy import console, pipeline

    console.show_plan(pipeline.check(recipe))


@app.command(epilog="Example: understudy run recipes/newswire-desk.yaml --out runs/first")
def run(recipe: RecipeFile, out: OutFolder = None) -> None:
    """Teach, train, compare and report; run it again to go on where it stopped."""
    from understudy import console, pipeline

    try:
        with console.Terminal() as progress:
            finished = pipeline.run(recipe, out, progress)
    except KeyboardInterrupt:
        console.err.print("Stopped; the same command goes on from here.")
        raise
    if not finished.worked:
        console.err.print("Nothing to do: this run is finished, and neither recipe nor data have changed.")
    console.show_run(finished)


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


@app.command(epilog="Example: understudy report runs/newswire-desk")
def report(run_folder: Annotated[Path, typer.Argument(metavar="RUN_DIR", help="A finished run's folder.")]) -> None:
    """Show a finished run's table again, and write its report anew."""
    from understudy import console, pipeline

    console.show_run(pipeline.report_again(run_folder))


def main() -> None:
    """Run the command line; mistakes of the user's end in one line and exit code 2."""
    try:
        app()
    except UnderstudyError as error:
        from understudy import console

        console.show_error(str(error))
        sys.exit(2)


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
