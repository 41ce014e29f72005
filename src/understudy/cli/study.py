"""The command that trains a whole grid of students and says what can be said of it."""

from pathlib import Path
from typing import Annotated

import typer

from understudy.cli.app import OutFolder, app, stoppable


@app.command(epilog="Example: understudy study studies/mixtures-desk.yaml --jobs 2")
def study(
    study_file: Annotated[Path, typer.Argument(metavar="STUDY", help="The study, a YAML file.")],
    out: OutFolder = None,
    jobs: Annotated[
        int | None,
        typer.Option(min=1, help="How many students are trained at a time; by default as many as there is room for."),
    ] = None,
) -> None:
    """Train a grid of students, mixtures, seeds and sizes, and answer the study's claims; run it again to go on."""
    from understudy import console
    from understudy.study.conduct import conduct

    with stoppable(), console.Terminal() as progress:
        finished = conduct(study_file, out, progress, jobs)
    console.show_study(finished)
