"""The terminal: progress bars and tables for people. Results go to standard output, all else to standard error."""

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
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

    from understudy.pipeline import Run
    from understudy.run_folder import RunFolder
    from understudy.stages.lesson import Lesson
    from understudy.stages.plan import Plan
    from understudy.teacher.batch.files import Exported, Imported
    from understudy.teacher.replies.archive import Holding

_FEW = 100
"""With fewer test texts, an interval spans twenty points."""
_REASONS = 8
"""How many reasons for a rejection are shown."""
_LINE = 100

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
    cost = words.dollars(teacher["cost_usd"])
    if teacher["cost_usd"] and teacher["spent_usd"] is not None:
        cost += f" ({words.dollars(teacher['spent_usd'])} by this run)"
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
    rows = ", ".join(f"{count:,} {source}" for source, count in plan.rows.items() if count)
    forecast = plan.forecast
    out.print(f"Data:     {rows}; {plan.skipped:,} of the pool not worth asking about")
    out.print(f"Teacher:  {forecast.rows:,} texts, {forecast.cached:,} answered already, {forecast.to_ask:,} to ask")
    if plan.writing is not None:
        writing = plan.writing
        out.print(
            f"Writing:  {writing.rows:,} requests, {writing.cached:,} answered already, {writing.to_ask:,} to ask"
        )
    for line in _costs(plan):
        out.print(escape(line), soft_wrap=True)
    out.print(f"Replies:  kept in {escape(str(plan.store))}", soft_wrap=True)
    if plan.rows["test"] < _FEW:
        out.print(f"Note:     {plan.rows['test']} test texts are few; differences will hardly show below {_FEW}")
    arms = "\n          ".join(f"{name}, trained {seeds} x" for name, seeds in plan.arms.items())
    out.print(f"Students: {escape(arms) or 'none; teach is all that can be done'}")


def _costs(plan: "Plan") -> Iterator[str]:
    """What asking would take, and what it may take."""
    if plan.to_ask:
        about = "about " if plan.forecast.estimated else ""
        yield f"Tokens:   {about}{plan.tokens.input:,} read and {about}{plan.tokens.output:,} written"
    if not plan.to_ask or plan.cost_usd == 0:
        yield "Cost:     nothing"
    elif plan.cost_usd is None:
        yield "Cost:     unknown; set teacher.price in the recipe"
    else:
        source = f", by {plan.price_source}" if plan.price_source else ""
        yield f"Cost:     about {words.dollars(plan.cost_usd)}{source}, and more for replies that are no answer"
    limits = [] if plan.budget.usd is None else [words.dollars(plan.budget.usd)]
    limits += [] if plan.budget.tokens is None else [f"{plan.budget.tokens:,} tokens"]
    if limits:
        spent = "" if not plan.spent_usd else f"; {words.dollars(plan.spent_usd)} of it spent"
        yield f"Budget:   {' and '.join(limits)}{spent}"


def show_lesson(lesson: "Lesson") -> None:
    """What came of asking the teacher."""
    out.print(f"Answered: {lesson.answered:,} texts")
    if lesson.written:
        out.print(f"Written:  {lesson.written:,} texts")
    if lesson.rejected:
        out.print(f"Rejected: {sum(lesson.rejected.values()):,}, with the reason under meta.rejected")
    _show_reasons(lesson.rejected)
    if lesson.unanswered:
        out.print(f"Open:     {lesson.unanswered:,} may still be answered; the same command asks for them again")
    cost = "" if lesson.spent_usd is None else f", {words.dollars(lesson.spent_usd)}"
    spent = f"{lesson.requests:,} requests, {lesson.spent.total:,} tokens{cost}" if lesson.requests else "nothing"
    out.print(f"Spent:    {spent}")
    for path in lesson.files:
        out.print(f"File:     {escape(str(path))}", soft_wrap=True)


def show_cleaned(kept: int, rejected: Mapping[str, int], folder: "RunFolder") -> None:
    """What cleaning kept and what it left out."""
    out.print(f"Kept:     {kept:,} rows in {escape(str(folder.clean))}", soft_wrap=True)
    out.print(f"Left out: {sum(rejected.values()):,} rows in {escape(str(folder.rejected))}", soft_wrap=True)
    _show_reasons(rejected)


def show_exported(exported: "Exported", folder: Path) -> None:
    """Which batch files there are now."""
    if not exported.files:
        out.print("Nothing to ask: the replies are all there.")
        return
    out.print(f"Wrote {exported.requests:,} requests to:")
    for file in exported.files:
        out.print(f"  {escape(str(file))}", soft_wrap=True)
    out.print(f"Then: understudy teach RECIPE --import-batch {escape(str(folder))}/OUTPUT...", soft_wrap=True)


def show_imported(imported: "Imported") -> None:
    """What the output of a batch brought."""
    out.print(f"Kept {imported.kept:,} replies and {imported.refused:,} refusals; {imported.missing:,} are missing.")
    others = ("failed", "unknown", "repeated", "broken")
    counts = [f"{getattr(imported, name):,} {name}" for name in others if getattr(imported, name)]
    if counts:
        out.print(f"Other lines: {', '.join(counts)}.")
    for line in imported.named:
        out.print(f"  {escape(line)}", soft_wrap=True)
    if imported.missing:
        out.print("Export again to ask for what is missing, and only that.")


def show_holdings(store: Path, holdings: Sequence["Holding"]) -> None:
    """What lies in a reply store."""
    table = Table(title=escape(str(store)), title_justify="left", box=SIMPLE_HEAD, pad_edge=False)
    for name in ("model", "from"):
        table.add_column(name, overflow="fold")
    for name in ("replies", "refused", "tokens read", "written", "first", "last"):
        table.add_column(name, justify="right", no_wrap=True)
    for held in holdings:
        counts = (held.replies, held.refused, held.tokens.input, held.tokens.output)
        table.add_row(
            escape(held.model),
            escape(held.answerer or "-"),
            *(f"{count:,}" for count in counts),
            held.first[:10],
            held.last[:10],
        )
    out.print(table)


def _show_reasons(rejected: Mapping[str, int]) -> None:
    """The most frequent reasons, each shortened to a line."""
    for reason, count in list(rejected.items())[:_REASONS]:
        shown = reason if len(reason) <= _LINE else f"{reason[:_LINE]}…"
        out.print(f"  {count:>7,} {escape(shown)}", soft_wrap=True)
    if len(rejected) > _REASONS:
        out.print(f"          and {len(rejected) - _REASONS:,} more kinds of reasons")


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
