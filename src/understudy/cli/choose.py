"""The command that chooses a finished run's student by what a team demands and pays."""

from pathlib import Path
from typing import Annotated

import typer

from understudy.cli.app import app
from understudy.errors import DataError

_EXAMPLES = """\
Examples:

understudy choose runs/newswire-desk --max-drop 0.01 --max-latency-ms 5 --max-size-mb 50

understudy choose runs/newswire-desk --against teacher --max-drop 0.05

understudy choose runs/newswire-desk --calls-a-day 10000 --price-a-call 0.002 --price-a-day 1.50
"""


@app.command(epilog=_EXAMPLES)
def choose(
    run_folder: Annotated[Path, typer.Argument(metavar="RUN_DIR", help="A finished run's folder.")],
    max_drop: Annotated[
        float | None,
        typer.Option(
            help="How much worse than the reference it may be, by the lower end of the paired 95 % interval; "
            "otherwise it must not be significantly worse."
        ),
    ] = None,
    max_latency_ms: Annotated[float | None, typer.Option(help="Milliseconds that one text may take.")] = None,
    max_size_mb: Annotated[float | None, typer.Option(help="Megabytes that it may take on disk.")] = None,
    against: Annotated[
        str, typer.Option(metavar="best|teacher|ROW", help="The reference; a row is one such as linear/gold.")
    ] = "best",
    calls_a_day: Annotated[
        float | None, typer.Option(help="Calls of the teacher that it would save; says when it has paid for itself.")
    ] = None,
    price_a_call: Annotated[
        float | None, typer.Option(metavar="USD", help="What one costs; by default what a reply did in this run.")
    ] = None,
    price_a_day: Annotated[float | None, typer.Option(metavar="USD", help="What serving the student costs.")] = None,
) -> None:
    """Name the cheapest student that is good, fast and small enough; where there is none, the exit code is 1."""
    from understudy import console, pipeline

    if calls_a_day is None and (price_a_call, price_a_day) != (None, None):
        raise DataError("--price-a-call and --price-a-day say something only with --calls-a-day")
    break_even = None
    if calls_a_day is not None:
        break_even = pipeline.break_even(
            run_folder, calls_a_day=calls_a_day, price_a_call=price_a_call, price_a_day=price_a_day or 0.0
        )
    verdict = pipeline.choose(
        run_folder, against=against, max_drop=max_drop, max_latency_ms=max_latency_ms, max_size_mb=max_size_mb
    )
    console.show_verdict(run_folder, verdict, break_even)
    if verdict.contestant is None:
        raise typer.Exit(1)
