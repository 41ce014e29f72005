"""The terminal: progress bars and tables for people. Results go to standard output, all else to standard error."""

import json
import shlex
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.progress import Progress as RichProgress

from understudy import words
from understudy.data.clean import ABOUT_LABELS, Cleaning
from understudy.progress import Bar
from understudy.report import study_table, terminal
from understudy.report.scores import Counts, Scores, Teacher
from understudy.report.statements import statements

if TYPE_CHECKING:
    from rich.progress import Task, TaskID

    from understudy.data.entities.convert import Converted
    from understudy.evaluation.break_even import BreakEven
    from understudy.evaluation.demands import Verdict
    from understudy.pipeline import Run
    from understudy.run_folder import RunFolder
    from understudy.stages.lesson import Lesson
    from understudy.stages.plan import Plan
    from understudy.study.conduct import Studied
    from understudy.teacher.batch.files import Exported, Imported
    from understudy.teacher.cost.ledger import Bill
    from understudy.teacher.replies.archive import Holding

_FEW = 100
"""With fewer test texts, an interval spans twenty points."""
_REASONS = 8
"""How many reasons for a rejection are shown."""
_LINE = 100
_SILENCE = 30.0
"""Seconds until work that no bar shows is told of in a line."""

_ABOUT_TEXTS = [field.name for field in fields(Cleaning) if field.name not in ABOUT_LABELS]
"""The settings that decide which texts the teacher is asked about."""

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)


class Terminal:
    """Progress as bars on standard error; where that is no terminal, as a line now and then, and at each end."""

    def __init__(self) -> None:
        work = (TextColumn("{task.description:<22}"), BarColumn(16), MofNCompleteColumn())
        clock = (TimeElapsedColumn(), TextColumn("gone,"), TimeRemainingColumn(), TextColumn("left"))
        self._bars = RichProgress(*work, *clock, console=err, transient=False, disable=not err.is_terminal)
        self._told = monotonic()

    def __enter__(self) -> "Terminal":
        self._bars.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._bars.stop()

    @contextmanager
    def bar(self, title: str, total: int) -> Iterator[Bar]:
        """A bar that goes away when the work within a larger one is done."""
        nested = bool(self._bars.tasks) and not self._bars.finished
        bar = _Bar(self, self._bars.add_task(title, total=total))
        try:
            yield bar
        finally:
            if nested:
                self._bars.remove_task(bar.task)
        if not err.is_terminal and not nested:
            self.say(f"{title}: done ({total})")

    def say(self, line: str) -> None:
        """One line above the bars."""
        err.print(escape(line))

    def advance(self, task: "TaskID", steps: int) -> None:
        """Move a bar on; where there is none to be seen, say from time to time how far it is."""
        self._bars.advance(task, steps)
        if not err.is_terminal and monotonic() - self._told >= _SILENCE:
            self._told = monotonic()
            self.say(_how_far(next(shown for shown in self._bars.tasks if shown.id == task)))


class _Bar:
    def __init__(self, terminal: Terminal, task: "TaskID") -> None:
        self._terminal, self.task = terminal, task

    def advance(self, steps: int = 1) -> None:
        self._terminal.advance(self.task, steps)


def _how_far(task: "Task") -> str:
    """How far a piece of work is, what time it took and, as far as can be told, will take."""
    left = f", about {words.duration(task.time_remaining)} left" if task.time_remaining else ""
    steps = f"{task.completed:,.0f} of {task.total:,.0f}"
    return f"{task.description}: {steps}, {words.duration(task.elapsed)} gone{left}"


def show_run(run: "Run") -> None:
    """The table of a finished run, the choice, and where the report is."""
    scores = Scores.model_validate(run.scores)
    teacher, data = scores.teacher or Teacher(), scores.data or Counts()
    out.print(terminal.score_table(scores, out))
    out.print()
    for line in _account(teacher, data):
        out.print(escape(line), soft_wrap=True)
    out.print()
    for place, statement in enumerate(statements(scores)):
        out.print(escape(statement.text), style=None if place else "bold", soft_wrap=True)
    for note in _notes(data):
        out.print(escape(f"Note: {note}"), soft_wrap=True)
    out.print()
    if scores.choice and scores.choice.folder:
        out.print(f"Model:  {escape(str(run.path / scores.choice.folder))}", soft_wrap=True)
    out.print(f"Report: {escape(str(run.report))}", soft_wrap=True)


def _account(teacher: Teacher, data: Counts) -> Iterator[str]:
    """Who taught at what cost, and which texts nothing could be made of, if any."""
    yield f"Teacher: {teacher.model or words.NOT_RECORDED}, {words.count(teacher.requests)} replies, {_paid(teacher)}."
    if teacher.unusable:
        of = f"{teacher.unusable:,} of {words.count(data.test)} test texts"
        yield f"It gave no usable answer to {of} (scored as wrong)."
    if rejected := sum((data.rejected or {}).values()):
        yield f"{rejected:,} texts were left out of training: see 3-rejected.jsonl."


def _paid(teacher: Teacher) -> str:
    """What the replies cost, and what the run has spent, where that is not the same."""
    cost, spent = words.dollars(teacher.cost_usd), words.dollars(teacher.spent_usd)
    differs = teacher.cost_usd and teacher.spent_usd is not None and spent != cost
    return f"cost {cost}; this run has spent {spent}" if differs else f"cost {cost}"


def _notes(data: Counts) -> Iterator[str]:
    """What a reader of the figures must know."""
    if data.note:
        yield data.note
    if data.test is not None and data.test < _FEW:
        yield _few(data.test)


def _few(test: int) -> str:
    return f"{test:,} test texts are few; differences hardly show below {_FEW}"


def show_study(study: "Studied") -> None:
    """A study's claims with their verdicts, its table, and where its page is."""
    findings = study.findings
    out.print(study_table.terminal(findings, out))
    out.print()
    if findings.note:
        out.print(escape(f"Note: {findings.note}"), soft_wrap=True)
    out.print(f"Tables: {escape(str(study.tables))}", soft_wrap=True)
    out.print(f"Report: {escape(str(study.report))}", soft_wrap=True)


def show_verdict(folder: Path, verdict: "Verdict", break_even: "BreakEven | None") -> None:
    """Which student will do, when it has paid for itself, and where it lies; or why none will do."""
    out.print(escape(verdict.sentence), style="bold", soft_wrap=True)
    if verdict.contestant is None:
        return
    if break_even is not None:
        out.print(escape(break_even.sentence), soft_wrap=True)
    out.print(f"Model: {escape(str(folder / verdict.contestant.facts['folder']))}", soft_wrap=True)


def show_plan(plan: "Plan") -> None:
    """What a recipe would do."""
    rows = ", ".join(f"{count:,} {source}" for source, count in plan.rows.items() if count)
    out.print(f"Data:     {rows}; {plan.skipped:,} of the pool not worth asking about")
    _show_reasons(plan.passed_over)
    if plan.passed_over:
        out.print(f"          what is worth it is set under clean: {', '.join(_ABOUT_TEXTS)}", soft_wrap=True)
    for reason, count in plan.left_out.items():
        out.print(f"          {count:,} more of gold left out: {escape(reason)}")
    for source, name in plan.formats.items():
        out.print(f"          {source}: {escape(name)}{escape(_entities(plan.entities.get(source)))}", soft_wrap=True)
    asking = (
        ("Teacher", "texts", plan.forecast),
        ("Writing", "requests", plan.writing),
        ("Checking", "texts", plan.checking),
    )
    for title, unit, forecast in asking:
        if forecast is not None:
            done, to_ask = f"{forecast.cached:,} answered already", f"{forecast.to_ask:,} to ask"
            out.print(f"{title + ':':<9} {forecast.rows:,} {unit}, {done}, {to_ask}")
    for line in _costs(plan):
        out.print(escape(line), soft_wrap=True)
    out.print(f"Replies:  kept in {escape(str(plan.store))}", soft_wrap=True)
    if plan.rows["test"] < _FEW:
        out.print(f"Note:     {_few(plan.rows['test'])}")
    for oddity in plan.oddities:
        out.print(f"Note:     {escape(oddity)}", soft_wrap=True)
    arms = "\n          ".join(f"{name}, trained {seeds} x" for name, seeds in plan.arms.items())
    out.print(f"Students: {escape(arms) or 'none; teach is all that can be done'}")


def _entities(types: Mapping[str, int] | None) -> str:
    """How many entities there are of each type, most frequent first; nothing where that is not known."""
    if types is None:
        return ""
    most_first = sorted(types.items(), key=lambda found: -found[1])
    return f"; entities: {', '.join(f'{type_} {count:,}' for type_, count in most_first) or 'none'}"


def _costs(plan: "Plan") -> Iterator[str]:
    """What asking would take, and what it may take."""
    if plan.to_ask:
        about = "about " if plan.forecast.estimated else ""
        yield f"Tokens:   {about}{plan.tokens.input:,} read and {about}{plan.tokens.output:,} written"
    if not plan.to_ask or plan.cost_usd == 0:
        yield "Cost:     nothing"
    elif plan.cost_usd is None:
        example = "price: {input: 0.40, output: 1.60}"
        yield f"Cost:     unknown; set teacher.price in the recipe, in USD for a million tokens: {example}"
    else:
        source = f", by {plan.price_source}" if plan.price_source else ""
        yield f"Cost:     about {words.dollars(plan.cost_usd)}{source}, and more for replies that are no answer"
    if str(plan.budget):
        spent = "" if not plan.spent_usd else f"; {words.dollars(plan.spent_usd)} of it spent"
        yield f"Budget:   {plan.budget}{spent}"
    yield from _shortage(plan)


def _shortage(plan: "Plan") -> Iterator[str]:
    """Whether the budget will end the asking before it begins, or before its end."""
    if plan.attempt is None:
        return
    if not plan.left.covers(plan.attempt, plan.attempt_usd):
        cost = "" if plan.attempt_usd is None else f" ({words.dollars(plan.attempt_usd)})"
        yield (
            f"Warning:  a request may take {plan.attempt.total:,} tokens{cost}, and {plan.left} is left of the budget: "
            f"it will not be sent. Raise teacher.budget, or lower teacher.max_tokens ({plan.max_tokens:,})"
        )
    elif not plan.left.covers(plan.tokens, plan.cost_usd):
        yield f"Warning:  that is more than is left of the budget ({plan.left}), which will end the asking early"


def show_lesson(lesson: "Lesson") -> None:
    """What came of asking the teacher."""
    out.print(f"Answered: {lesson.answered:,} texts")
    if lesson.written:
        out.print(f"Written:  {lesson.written:,} texts")
    if lesson.rejected:
        out.print(f"Rejected: {sum(lesson.rejected.values()):,}, with the reason under meta.rejected")
    _show_reasons(lesson.rejected)
    if lesson.only_answer is not None:
        said = escape(words.quoted(lesson.only_answer))
        out.print(f"Note:     every answer is {said}; see whether texts and labels are the right ones", soft_wrap=True)
    if lesson.unanswered:
        out.print(f"Open:     {lesson.unanswered:,} may still be answered; the same command asks for them again")
    spent = [_billed(lesson.known)] if lesson.known.requests else []
    if lesson.unknown.requests:
        spent.append(f"up to {_billed(lesson.unknown)}, whose cost nobody knows")
    out.print(f"Spent:    {'; and '.join(spent) or 'nothing'}", soft_wrap=True)
    for path in lesson.files:
        out.print(f"File:     {escape(str(path))}", soft_wrap=True)


def _billed(bill: "Bill") -> str:
    """Requests, tokens and dollars, as far as they are known."""
    cost = "" if bill.usd is None else f", {words.dollars(bill.usd)}"
    return f"{_counted(bill.requests, 'request')}, {bill.tokens.total:,} tokens{cost}"


def _counted(count: int, thing: str) -> str:
    """So many of a thing."""
    return f"{count:,} {thing}{'' if count == 1 else 's'}"


def show_cleaned(kept: int, rejected: Mapping[str, int], folder: "RunFolder") -> None:
    """What cleaning kept and what it left out."""
    out.print(f"Kept:     {kept:,} rows in {escape(str(folder.clean))}", soft_wrap=True)
    out.print(f"Left out: {sum(rejected.values()):,} rows in {escape(str(folder.rejected))}", soft_wrap=True)
    _show_reasons(rejected)


def show_exported(exported: "Exported", command: Sequence[str | Path], folder: Path) -> None:
    """Which batch files there are now, and the command that takes in what comes back."""
    if exported.replaced:
        out.print(f"Replaced {_counted(exported.replaced, 'request file')} of an earlier export to that folder.")
    if not exported.files:
        out.print("Nothing to ask: the replies are all there.")
        return
    out.print(f"Wrote {exported.requests:,} requests to:")
    for file in exported.files:
        out.print(f"  {escape(str(file))}", soft_wrap=True)
    out.print("Save what comes back there as output.jsonl, then:")
    line = shlex.join(map(str, [*command, "--import-batch", folder / "output.jsonl"]))
    out.print(f"  {escape(line)}", soft_wrap=True)


def show_imported(imported: "Imported") -> None:
    """What the output of a batch brought."""
    corrections = f", of which {imported.corrections:,} are to be corrected" if imported.corrections else ""
    missing = f"{imported.missing:,} are missing{corrections}"
    out.print(f"Kept {imported.kept:,} replies and {imported.refused:,} refusals; {missing}.", soft_wrap=True)
    others = ("failed", "unknown", "repeated", "broken")
    counts = [f"{getattr(imported, name):,} {name}" for name in others if getattr(imported, name)]
    if counts:
        out.print(f"Other lines: {', '.join(counts)}.")
    for line in imported.named:
        out.print(f"  {escape(line)}", soft_wrap=True)
    if imported.missing:
        out.print("Export again to ask for what is missing, and only that.")
    if imported.corrections:
        line = "Or mend these lines and import the file again: what can be used then takes their place."
        out.print(line, soft_wrap=True)


def show_holdings(store: Path, holdings: Sequence["Holding"]) -> None:
    """What lies in a reply store; names can be long, and are to be copied, so that no column would hold them."""
    out.print(escape(str(store)), soft_wrap=True)
    for held in holdings:
        days = " to ".join(dict.fromkeys((held.first[:10], held.last[:10])))
        out.print(f"\n{escape(held.model)} from {escape(held.answerer or '-')}", soft_wrap=True)
        out.print(f"  {held.replies:,} replies, {held.refused:,} refused, {days}", soft_wrap=True)
        out.print(f"  {held.tokens.input:,} tokens read, {held.tokens.output:,} written", soft_wrap=True)


def show_recording(count: int, folder: Path) -> None:
    """Where a recording lies, and what a recipe says to use it."""
    requests, replies = folder.resolve() / "requests.jsonl", folder.resolve() / "replies.jsonl"
    out.print(escape(f"Wrote {count:,} exchanges to {requests} and {replies}."), soft_wrap=True)
    if count:
        recording = f"{{requests: {json.dumps(str(requests))}, replies: {json.dumps(str(replies))}}}"
        out.print(escape(f"In a recipe:\n\nteacher:\n  replies: {recording}"), soft_wrap=True)


def _show_reasons(rejected: Mapping[str, int]) -> None:
    """The most frequent reasons, each shortened to a line."""
    for reason, count in list(rejected.items())[:_REASONS]:
        shown = reason if len(reason) <= _LINE else f"{reason[:_LINE]}…"
        out.print(f"  {count:>7,} {escape(shown)}", soft_wrap=True)
    if len(rejected) > _REASONS:
        out.print(f"          and {len(rejected) - _REASONS:,} more kinds of reasons")


def show_error(message: str) -> None:
    """What went wrong and can be put right."""
    err.print(f"[bold red]error:[/bold red] {escape(message)}", soft_wrap=True)


def show_conversion(to: Path, done: "Converted") -> None:
    """What was converted, what was left out, and what is odd in it."""
    count = _counted(done.texts, "text")
    err.print(f"Wrote {escape(str(to))}: {count}{escape(_entities(done.types))}", soft_wrap=True)
    if done.unmarked:
        err.print(f"Left out: {_counted(done.unmarked, 'text')} in which nobody has marked entities yet")
    for oddity in done.oddities:
        err.print(f"Note: {escape(oddity)}", soft_wrap=True)


def write(lines: Iterable[str]) -> None:
    """A result that another program may read, to standard output."""
    sys.stdout.writelines(lines)
