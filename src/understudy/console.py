"""The terminal: progress bars and tables for people. Results go to standard output, all else to standard error."""

import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as RichProgress
from rich.table import Table

from understudy import words
from understudy.progress import Bar

if TYPE_CHECKING:
    from rich.progress import TaskID

    from understudy.pipeline import Plan, Run

_FEW = 100
"""With fewer test texts, an interval spans twenty points."""

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)


class Terminal:
    """Progress as bars on standard error; where that is no terminal, one line at the end of each piece of work."""

    def __init__(self) -> None:
        columns = [TextColumn("{task.description:<22}"), BarColumn(28), MofNCompleteColumn(), TimeElapsedColumn()]
        self._bars = RichProgress(*columns, console=err, transient=False, disable=not err.is_terminal)

    def __enter__(self) -> "Terminal":
        self._bars.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._bars.stop()

    @contextmanager
    def bar(self, title: str, total: int) -> Iterator[Bar]:
        """A bar that goes away when the work within a larger one is done."""
        nested = bool(self._bars.tasks) and not self._bars.finished
        task = self._bars.add_task(title, total=total)
        try:
            yield _Bar(self._bars, task)
        finally:
            if nested:
                self._bars.remove_task(task)
        if not err.is_terminal and not nested:
            self.say(f"{title}: done ({total})")

    def say(self, line: str) -> None:
        """One line above the bars."""
        err.print(escape(line))


class _Bar:
    def __init__(self, bars: RichProgress, task: "TaskID") -> None:
        self._bars, self._task = bars, task

    def advance(self, steps: int = 1) -> None:
        self._bars.advance(self._task, steps)


def show_run(run: "Run") -> None:
    """The table of a finished run, the choice, and where the report is."""
    scores = run.scores
    out.print(_score_table(scores))
    teacher = scores["teacher"]
    cost = "not recorded" if teacher["cost_usd"] is None else f"${teacher['cost_usd']:.2f}"
    out.print(
        f"Teacher: {escape(str(teacher['model']))}, {teacher['requests']:,} replies, cost {cost}.", soft_wrap=True
    )
    rejected = sum(scores["data"]["rejected"].values())
    if teacher.get("unusable") or rejected:
        data, unusable = scores["data"], teacher.get("unusable", 0)
        out.print(
            f"It gave no usable answer to {unusable:,} of {data['test']:,} test texts (scored as wrong); "
            f"{rejected:,} of {data['pool']:,} pool texts were left out: see 3-rejected.jsonl.",
            soft_wrap=True,
        )
    out.print(f"\n[bold]{escape(scores['choice']['sentence'])}[/bold]", soft_wrap=True)
    out.print(escape(_against_teacher(scores)), soft_wrap=True)
    if scores["learning_curve"]:
        out.print(escape(scores["learning_curve"]["sentence"]), soft_wrap=True)
    if scores["data"].get("note"):
        out.print(escape(f"Note: {scores['data']['note']}"), soft_wrap=True)
    out.print(f"\nModel:  {escape(str(run.path / scores['choice']['folder']))}", soft_wrap=True)
    out.print(f"Report: {escape(str(run.report))}", soft_wrap=True)


def show_plan(plan: "Plan") -> None:
    """What a recipe would do."""
    rows = ", ".join(f"{count:,} {source}" for source, count in plan.rows.items())
    forecast = plan.forecast
    out.print(f"Data:     {rows}; {plan.skipped} of the pool not worth asking about (too long, or twice there)")
    out.print(f"Teacher:  {forecast.rows:,} texts, {forecast.cached:,} answered already, {forecast.to_ask:,} to ask")
    if forecast.to_ask:
        about = "about " if forecast.estimated else ""
        out.print(f"Tokens:   {about}{forecast.tokens.input:,} read and {forecast.tokens.output:,} written")
        price = "unknown; set teacher.price in the recipe" if plan.cost_usd is None else f"{about}${plan.cost_usd:.2f}"
        out.print(f"Cost:     {price}")
    else:
        out.print("Cost:     nothing")
    out.print(f"Replies:  kept in {escape(str(plan.store))}", soft_wrap=True)
    if plan.rows["test"] < _FEW:
        out.print(f"Note:     {plan.rows['test']} test texts are few; differences will hardly show below {_FEW}")
    arms = "\n          ".join(f"{name}, trained {seeds} x" for name, seeds in plan.arms.items())
    out.print(f"Students: {escape(arms)}")


def _score_table(scores: Mapping[str, Any]) -> Table:
    metrics = list(scores["rows"][0]["metrics"])
    title = f"{escape(scores['name'])}: {scores['data']['test']:,} test texts, n seeds, 95 % intervals"
    table = Table(
        title=title, title_justify="left", box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1), collapse_padding=True
    )
    table.add_column("student/mixture", no_wrap=True)
    for name in ("n", *(words.metric(name).name for name in metrics), "p50 ms", "MB", "train s"):
        table.add_column(name, justify="right", no_wrap=True)
    chosen = _name(scores["choice"])
    for row in scores["rows"]:
        table.add_row(*_cells(row, metrics), style="bold green" if _name(row) == chosen else None)
    return table


def _cells(row: Mapping[str, Any], metrics: list[str]) -> Iterator[str]:
    yield escape(_name(row))
    yield str(row["seeds"])
    for name in metrics:
        score = row["metrics"][name]
        yield f"{score['mean']:.3f} {score['low']:.2f}-{score['high']:.2f}"
    latency = row["latency_ms"]
    yield "-" if latency is None else f"{latency['p50']:.2f}"
    yield "-" if row["size_bytes"] is None else f"{row['size_bytes'] / 1e6:.1f}"
    yield "-" if row["train_seconds"] is None else f"{row['train_seconds']:.1f}"


def _name(row: Mapping[str, Any]) -> str:
    return words.row_name(row["student"], row["mixture"])


def _against_teacher(scores: Mapping[str, Any]) -> str:
    """How the chosen student stands to its teacher, by the paired difference."""
    chosen = _name(scores["choice"])
    found = next(
        row
        for row in scores["comparisons"]
        if (row["a"], row["b"], row["metric"]) == (chosen, "teacher", scores["headline"])
    )
    metric = words.metric(scores["headline"]).name
    interval = f"{found['difference']:+.3f} [{found['low']:+.3f}, {found['high']:+.3f}] {metric}"
    if found["high"] < 0:
        return f"It is still below the teacher: {interval}."
    if found["low"] > 0:
        return f"It is above the teacher: {interval}."
    return f"No significant difference to the teacher: {interval}."


def show_error(message: str) -> None:
    """What went wrong and can be put right."""
    err.print(f"[bold red]error:[/bold red] {escape(message)}", soft_wrap=True)


def write_json(record: Mapping[str, Any]) -> None:
    """One line of a result that another program may read; half a character in it is spelled out."""
    line = json.dumps(record, ensure_ascii=False)
    sys.stdout.write(line.encode("utf-8", "backslashreplace").decode("utf-8") + "\n")
