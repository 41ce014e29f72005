"""The command line itself: the program's name, its options, and what its commands have in common."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(
    name="understudy",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    help="Train a small model to stand in for a large one, and measure honestly whether it may.",
    epilog="Start with: understudy init my-task.yaml",
)

RecipeFile = Annotated[Path, typer.Argument(metavar="RECIPE", help="The recipe, a YAML file.")]
Jobs = Annotated[int, typer.Option(min=1, help="How many students are trained at a time, each in its own process.")]
OutFolder = Annotated[Path | None, typer.Option("--out", help="The run's folder; runs/<name> by default.")]


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"understudy {version('understudy')}")
        raise typer.Exit


@contextmanager
def stoppable() -> Iterator[None]:
    """Work that goes on with the same command where a person has stopped it."""
    try:
        yield
    except KeyboardInterrupt:
        from understudy import console

        console.err.print("Stopped; the same command goes on from here.")
        raise


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and end.")
    ] = False,
) -> None:
    """Train a small model to stand in for a large one, and measure honestly whether it may."""
