"""The commands that follow a recipe from its first check to its report."""

from pathlib import Path
from typing import Annotated

import typer

from understudy.cli.app import Jobs, OutFolder, RecipeFile, app, stoppable
from understudy.errors import DataError


@app.command(epilog="Example: understudy init my-task.yaml")
def init(
    recipe: Annotated[Path, typer.Argument(metavar="RECIPE", help="Where to write it.")] = Path("recipe.yaml"),
) -> None:
    """Write a commented starter recipe."""
    from importlib import resources

    from understudy.data.files import replacing

    if recipe.exists():
        raise DataError(f"{recipe}: exists already; choose another name, or remove it first")
    starter = (resources.files("understudy") / "starter.yaml").read_text(encoding="utf-8")
    with replacing(recipe) as out:
        out.write(starter)
    typer.echo(f"Wrote {recipe}. Fill it in, then: understudy check {recipe}")


@app.command(epilog="Example: understudy check recipes/newswire-desk.yaml")
def check(recipe: RecipeFile, out: OutFolder = None) -> None:
    """Check a recipe and its data, and say what a run would do and cost; spends nothing."""
    from understudy import console, pipeline

    console.show_plan(pipeline.check(recipe, out))


@app.command(epilog="Example: understudy run recipes/newswire-desk.yaml --out runs/first")
def run(recipe: RecipeFile, out: OutFolder = None, jobs: Jobs = 1) -> None:
    """Teach, train, compare and report; run it again to go on where it stopped."""
    from understudy import console, pipeline

    with stoppable(), console.Terminal() as progress:
        finished = pipeline.run(recipe, out, progress, jobs)
    if not finished.worked:
        console.err.print("Nothing to do: this run is finished, and neither recipe nor data have changed.")
    console.show_run(finished)


@app.command(epilog="Example: understudy report runs/newswire-desk")
def report(run_folder: Annotated[Path, typer.Argument(metavar="RUN_DIR", help="A finished run's folder.")]) -> None:
    """Show a finished run's table again, and write its report anew."""
    from understudy import console, pipeline

    console.show_run(pipeline.report_again(run_folder))
