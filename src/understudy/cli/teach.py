"""The commands for the first half of the flow alone: ask the teacher, live or by batch, and clean what it answered."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from understudy.cli.app import OutFolder, RecipeFile, app, stoppable
from understudy.errors import DataError

_EXAMPLES = """\
Examples:

understudy teach my-task.yaml

understudy teach my-task.yaml --export-batch batch   # request files to upload, or for vllm run-batch

understudy teach my-task.yaml --import-batch batch/output.jsonl batch/errors.jsonl

understudy teach my-task.yaml --submit-batch batch   # upload, wait, fetch: half the price at most providers

understudy teach my-task.yaml --cancel-batch batch   # and keep what was answered until then
"""


@app.command(epilog=_EXAMPLES)
def teach(
    recipe: RecipeFile,
    files: Annotated[list[Path] | None, typer.Argument(metavar="[FILE]...", help="For --import-batch.")] = None,
    out: OutFolder = None,
    export_batch: Annotated[
        Path | None, typer.Option("--export-batch", metavar="DIR", help="Write what is to be asked as batch files.")
    ] = None,
    import_batch: Annotated[
        bool, typer.Option("--import-batch", help="Take in output and error files of a batch: FILE...")
    ] = False,
    submit_batch: Annotated[
        Path | None, typer.Option("--submit-batch", metavar="DIR", help="Ask over the endpoint's Batch API.")
    ] = None,
    cancel_batch: Annotated[
        Path | None, typer.Option("--cancel-batch", metavar="DIR", help="Cancel what was submitted out of DIR.")
    ] = None,
) -> None:
    """Ask the teacher as a recipe says, and nothing more; what it has answered is never asked again."""
    from understudy import console, pipeline

    _check_choice(files, import_batch, [export_batch, submit_batch, cancel_batch])
    with stoppable(), console.Terminal() as progress:
        if export_batch is not None:
            exported = pipeline.export_batch(recipe, export_batch, out, progress)
            console.show_exported(exported, _command(recipe, out), export_batch)
        elif import_batch:
            console.show_imported(pipeline.import_batch(recipe, files or [], out, progress))
        elif submit_batch is not None:
            console.show_imported(pipeline.submit_batch(recipe, submit_batch, out, progress))
        elif cancel_batch is not None:
            console.show_imported(pipeline.cancel_batch(recipe, cancel_batch, out, progress))
        else:
            console.show_lesson(pipeline.teach_only(recipe, out, progress))


@app.command(epilog="Example: understudy clean my-task.yaml")
def clean(recipe: RecipeFile, out: OutFolder = None) -> None:
    """Clean what the teacher has answered, and say what was left out and why; asks nothing."""
    from understudy import console, pipeline

    with console.Terminal() as progress:
        console.show_cleaned(*pipeline.clean_only(recipe, out, progress))


def _command(recipe: Path, out: Path | None) -> list[str | Path]:
    """This command, without what it is to do."""
    folder: list[str | Path] = [] if out is None else ["--out", out]
    return ["understudy", "teach", recipe, *folder]


def _check_choice(files: list[Path] | None, import_batch: bool, folders: Sequence[Path | None]) -> None:
    """One thing at a time.

    Raises:
        DataError: The options do not go together.
    """
    if import_batch + sum(folder is not None for folder in folders) > 1:
        raise DataError("expected one of --export-batch, --import-batch, --submit-batch and --cancel-batch")
    if import_batch and not files:
        raise DataError("--import-batch needs the files that came back: --import-batch FILE...")
    if files and not import_batch:
        raise DataError(f"{files[0]}: only --import-batch takes files")
