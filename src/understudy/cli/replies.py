"""The commands that look after the reply store."""

from pathlib import Path
from typing import Annotated

import typer

from understudy.cli.app import RecipeFile, app
from understudy.teacher.replies.store import STORE

commands = typer.Typer(no_args_is_help=True, help="Look after the store of the teacher's replies.")
app.add_typer(commands, name="replies")

StoreFile = Annotated[Path, typer.Option("--store", help="The store.")]
Model = Annotated[str | None, typer.Option("--model", help="Only replies of this model.")]
Answerer = Annotated[str | None, typer.Option("--from", help="Only replies from this endpoint, as `show` prints it.")]


@commands.command(epilog="Example: understudy replies show")
def show(store: StoreFile = STORE) -> None:
    """Say what lies in the store: replies, refusals and tokens, by model and endpoint."""
    from understudy import console
    from understudy.teacher.replies.archive import survey

    console.show_holdings(store, survey(store))


@commands.command(epilog="Example: understudy replies export recording --model gpt-4.1-mini")
def export(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where requests.jsonl and replies.jsonl are written.")],
    store: StoreFile = STORE,
    model: Model = None,
    answerer: Answerer = None,
) -> None:
    """Write replies as a recording that a recipe can name under teacher.replies, and that runs with no endpoint."""
    from understudy import console
    from understudy.teacher.replies.archive import Selection
    from understudy.teacher.replies.archive import export as export_replies

    count = export_replies(store, folder, Selection(model=model, answerer=answerer))
    console.show_recording(count, folder)


@commands.command(epilog="Example: understudy replies record recipe.yaml recorded --column gpt_label")
def record(
    recipe: RecipeFile,
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where requests.jsonl and replies.jsonl are written.")],
    column: Annotated[str, typer.Option("--column", help="The column of pool and test with the teacher's answers.")],
) -> None:
    """Write answers that the teacher gave elsewhere, in a column of your files, as a recording for teacher.replies."""
    from understudy import console, pipeline

    count = pipeline.record(recipe, column, folder)
    console.show_recording(count, folder)


@commands.command(epilog="Example: understudy replies prune --refused --dry-run")
def prune(
    store: StoreFile = STORE,
    model: Model = None,
    answerer: Answerer = None,
    older_than: Annotated[
        float | None, typer.Option("--older-than", help="Only those older than so many days.")
    ] = None,
    refused: Annotated[bool, typer.Option("--refused", help="Only refusals: these texts are asked again.")] = False,
    truncated: Annotated[bool, typer.Option("--truncated", help="Only replies cut off at the token limit.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would go.")] = False,
) -> None:
    """Remove replies from the store; what is removed has to be paid for again if it is asked again."""
    from understudy.errors import DataError
    from understudy.teacher.replies.archive import Selection
    from understudy.teacher.replies.archive import prune as prune_replies

    selection = Selection(model=model, answerer=answerer, older_than=older_than, refused=refused, truncated=truncated)
    if selection == Selection():
        raise DataError(
            "that would remove everything; expected --model, --from, --older-than, --refused or --truncated"
        )
    kept, gone = prune_replies(store, selection, really=not dry_run)
    typer.echo(f"{'Would remove' if dry_run else 'Removed'} {gone:,} replies, and {kept:,} stay.")
    if gone and not dry_run:
        typer.echo(
            "A finished run keeps what it has. To have it ask again, remove its 2-taught.jsonl (2-generated.jsonl)."
        )
