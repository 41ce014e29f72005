"""The scores of a run for a terminal: one table, as wide as there is room for."""

from collections.abc import Iterator, Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from understudy import words
from understudy.report.scores import Row, Scores

_UNBOUNDED = 1_000


def score_table(scores: Scores, console: Console) -> Table:
    """Every row's scores, speed and size; of the scores, as many as the terminal has room for.

    Args:
        scores: What a run's scores file holds.
        console: Where the table is to be shown.
    """
    tables = list(_narrower(scores))
    unbounded = console.options.update(max_width=_UNBOUNDED)
    fitting = (table for table in tables if console.measure(table, options=unbounded).maximum <= console.width)
    return next(fitting, tables[-1])


def _narrower(scores: Scores) -> Iterator[Table]:
    """All scores with their intervals, then ever fewer: the headline stays, and longest what describes the answers."""
    metrics = [name for name in scores.rows[0].metrics if not words.metric(name).aside]
    judged = [name for name in metrics if name not in scores.diagnostic]
    yield _table(scores, metrics, intervals=judged)
    described = [name for name in metrics if name in scores.diagnostic]
    spare = [*described, *(name for name in judged if name != scores.headline)]
    for kept in range(len(spare), -1, -1):
        shown = [name for name in metrics if name not in spare[kept:]]
        yield _table(scores, shown, intervals=[scores.headline])


def _table(scores: Scores, metrics: Sequence[str], intervals: Sequence[str]) -> Table:
    texts = words.count(scores.data.test if scores.data else None)
    table = Table(
        title=f"{escape(scores.name or 'run')}: {texts} test texts, 95 % intervals\n",
        title_justify="left",
        box=SIMPLE_HEAD,
        show_edge=False,
        pad_edge=False,
        padding=(0, 1),
        collapse_padding=True,
    )
    table.add_column("student/mixture", no_wrap=True)
    titles = [words.metric(name).name.replace(" ", "\n") for name in metrics]
    for title in ("seeds", *titles, "p50 ms", "MB", "fit s"):
        table.add_column(title, justify="right", no_wrap=True)
    for row in scores.rows:
        chosen = row.name == scores.chosen.name
        table.add_row(*_cells(row, metrics, intervals), style="bold green" if chosen else None)
    return table


def _cells(row: Row, metrics: Sequence[str], intervals: Sequence[str]) -> Iterator[str]:
    yield escape(row.name)
    yield words.count(row.seeds)
    for name in metrics:
        yield _score(row, name, interval=name in intervals)
    yield words.score(row.p50, decimals=2)
    yield words.score(None if row.size_bytes is None else row.size_bytes / 1e6, decimals=1)
    yield words.score(row.train_seconds, decimals=1)


def _score(row: Row, name: str, *, interval: bool) -> str:
    score = row.metrics.get(name)
    if score is None:
        return words.NOTHING
    said = words.metric(name).said(score.mean)
    low, high = score.bounds
    return f"{said} {low:.2f}-{high:.2f}" if interval else said
