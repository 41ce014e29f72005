"""What people read in a terminal, or in a log."""

import copy
import html
import io
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from understudy import console
from understudy.pipeline import Run
from understudy.report.scores import Scores
from understudy.report.statements import statements
from understudy.teacher.cost.spending import Tokens
from understudy.teacher.replies.archive import Holding

LONG = "https://a-long-name-of-a-host.example.com/deployments/a-longer-name-of-a-model/v1"


@dataclass
class Clock:
    """A clock that goes when it is told to."""

    now: float = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(console, "monotonic", clock)
    return clock


def writing(monkeypatch: pytest.MonkeyPatch, clock: Clock, terminal: bool) -> io.StringIO:
    """What is written to standard error from here on."""
    written = io.StringIO()
    shown = Console(file=written, force_terminal=terminal, color_system=None, width=80, get_time=clock)
    monkeypatch.setattr(console, "err", shown)
    return written


# Progress


def test_a_log_has_a_line_every_half_minute_with_the_time_gone_and_the_time_left(
    monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    written = writing(monkeypatch, clock, terminal=False)
    with console.Terminal() as progress, progress.bar("teach", 2_000) as bar:
        for _ in range(100):
            clock.now += 1
            bar.advance(10)
    assert written.getvalue().splitlines() == [
        "teach: 300 of 2,000, 30 s gone, about 2 min 50 s left",
        "teach: 600 of 2,000, 1 min 0 s gone, about 2 min 20 s left",
        "teach: 900 of 2,000, 1 min 30 s gone, about 1 min 50 s left",
        "teach: done (2000)",
    ]


def test_a_log_tells_of_the_work_within_larger_work_and_of_no_time_left_that_nobody_knows(
    monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    written = writing(monkeypatch, clock, terminal=False)
    with console.Terminal() as progress, progress.bar("students", 2) as arms:
        with progress.bar("gbdt", 4) as rounds:
            clock.now += 40
            rounds.advance()
        arms.advance()
    assert written.getvalue().splitlines() == ["gbdt: 1 of 4, 40 s gone", "students: done (2)"]


def test_quick_work_has_one_line_in_a_log(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> None:
    written = writing(monkeypatch, clock, terminal=False)
    with console.Terminal() as progress, progress.bar("clean", 100) as bar:
        for _ in range(100):
            clock.now += 0.1
            bar.advance()
    assert written.getvalue() == "clean: done (100)\n"


def test_a_bar_says_which_time_is_gone_and_which_is_left(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> None:
    written = writing(monkeypatch, clock, terminal=True)
    with console.Terminal() as progress, progress.bar("training on simple_mix", 20_000) as bar:
        for _ in range(60):
            clock.now += 1
            bar.advance(100)
    assert "0:01:00 gone, 0:02:20 left" in written.getvalue()


# The summary of a run


def summary(run: Run, capsys: pytest.CaptureFixture[str], **changed: dict[str, Any]) -> str:
    """What is shown of the run where its scores say something else under ``teacher`` or ``data``."""
    scores = copy.deepcopy(run.scores)
    for part, values in changed.items():
        scores[part].update(values)
    console.show_run(replace(run, scores=scores))
    return capsys.readouterr().out


def test_texts_are_left_out_of_training_whoever_wrote_them(
    newswire_run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    out = summary(newswire_run, capsys, teacher={"unusable": 0}, data={"pool": 0, "rejected": {"not JSON": 2}})
    assert "\n2 texts were left out of training: see 3-rejected.jsonl.\n" in out
    assert "no usable answer" not in out


def test_unusable_answers_are_told_alone(newswire_run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    out = summary(newswire_run, capsys, teacher={"unusable": 7}, data={"rejected": {}})
    assert f"no usable answer to 7 of {newswire_run.scores['data']['test']} test texts" in out
    assert "left out" not in out


@pytest.mark.parametrize(
    ("cost", "spent", "said"),
    [
        (0.006, 0.0068, "cost $0.006; this run has spent $0.0068."),
        (0.006, 0.0, "cost $0.006; this run has spent $0.00."),
        (0.006, 0.006, "cost $0.006."),
        (0.006, None, "cost $0.006."),
        (None, 0.0, "cost not recorded."),
    ],
)
def test_what_the_replies_cost_and_what_the_run_has_spent_are_two_sums(
    newswire_run: Run, capsys: pytest.CaptureFixture[str], cost: float | None, spent: float | None, said: str
) -> None:
    assert said in summary(newswire_run, capsys, teacher={"cost_usd": cost, "spent_usd": spent})


def test_few_test_texts_are_told(newswire_run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    note = "Note: 99 test texts are few; differences hardly show below 100"
    assert note in summary(newswire_run, capsys, data={"test": 99})
    assert "test texts are few" not in summary(newswire_run, capsys, data={"test": 100})


def test_the_number_of_seeds_has_a_column_of_that_name(newswire_run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    title, _, header, *_ = summary(newswire_run, capsys).splitlines()
    assert title.rstrip().endswith("test texts, 95 % intervals")
    assert header.split()[:2] == ["student/mixture", "seeds"]


def test_an_old_runs_scores_are_shown_as_far_as_they_go(newswire_run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    scores = copy.deepcopy(newswire_run.scores)
    for key in ("form", "exact", "diagnostic", "learning_curve", "data"):
        del scores[key]
    for row in scores["rows"]:
        del row["control"]
    scores["teacher"] = {"model": "claude", "requests": 7, "cost_usd": None}
    console.show_run(replace(newswire_run, scores=scores))
    out = capsys.readouterr().out
    assert "– test texts" in out
    assert "\n\nTeacher: claude, 7 replies, cost not recorded.\n\n" in out
    assert f"{scores['choice']['sentence']}\n" in out
    assert "Its answers" not in out


def test_the_choice_is_told_in_the_very_words_of_the_page(
    newswire_run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    out = summary(newswire_run, capsys)
    told = [statement.text for statement in statements(Scores.model_validate(newswire_run.scores))]
    page = html.unescape(newswire_run.report.read_text(encoding="utf-8"))
    assert len(told) == 3
    for text in told:
        assert f"\n{text}\n" in out
        assert f"<p>{text}</p>" in page


# The store


def test_model_and_endpoint_are_never_wrapped(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    day, next_day = "2026-11-20T10:00:00+00:00", "2026-11-21T10:00:00+00:00"
    held = [
        Holding("a-longer-name-of-a-model", LONG, 12_000, 1, Tokens(5_000_000, 60_000), day, next_day),
        Holding("[m]", None, 1, 0, Tokens(10, 2), day, day),
    ]
    console.show_holdings(Path("runs/replies.jsonl"), held)
    assert capsys.readouterr().out.splitlines() == [
        "runs/replies.jsonl",
        "",
        f"a-longer-name-of-a-model from {LONG}",
        "  12,000 replies, 1 refused, 2026-11-20 to 2026-11-21",
        "  5,000,000 tokens read, 60,000 written",
        "",
        "[m] from -",
        "  1 replies, 0 refused, 2026-11-20",
        "  10 tokens read, 2 written",
    ]
