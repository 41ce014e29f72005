import io

import pytest
from rich.console import Console

from tests.evaluation.samples import ITEMS, SAMPLES
from understudy.report.scores import Scores
from understudy.report.terminal import score_table


def scores(name: str) -> Scores:
    return Scores.model_validate({**SAMPLES[name].scores(), "data": {"test": ITEMS}})


def shown(name: str, width: int) -> str:
    return table(scores(name), width)


def table(of: Scores, width: int) -> str:
    written = io.StringIO()
    console = Console(file=written, width=width, color_system=None, highlight=False)
    console.print(score_table(of, console))
    return written.getvalue()


@pytest.mark.parametrize("name", SAMPLES)
def test_every_tasks_table_fits_into_80_columns_with_its_headline(name: str) -> None:
    out = shown(name, 80)
    assert "…" not in out
    for row in scores(name).rows:
        estimate = scores(name).score(row)
        assert f"{estimate.mean:.3f} {estimate.low:.2f}-{estimate.high:.2f}" in out


@pytest.mark.parametrize("width", [80, 100, 200])
def test_the_length_of_summaries_always_stands_beside_their_score(width: int) -> None:
    teacher = next(line for line in shown("summarization", width).splitlines() if line.startswith("teacher"))
    for said in ("0.862 0.77-0.94", " 9.1 ", " 0.94 "):
        assert said in teacher


def test_a_wide_terminal_sees_every_metric_but_those_that_stand_aside() -> None:
    header = " ".join(shown("summarization", 200).splitlines()[2:4])
    for title in ("ROUGE-1", "ROUGE-2", "ROUGE-L", "words", "length", "entity", "support"):
        assert title in header
    for title in ("precision", "Lsum", "novel"):
        assert title not in header


def test_only_what_has_a_better_side_has_an_interval() -> None:
    teacher = next(line for line in shown("summarization", 200).splitlines() if line.startswith("teacher"))
    assert teacher.count("-0.9") + teacher.count("-1.0") == 3


def test_what_is_not_known_is_a_dash() -> None:
    row = {"student": "linear", "mixture": "distilled", "metrics": {"f1": {"mean": 0.5}, "words": None}}
    bare = Scores.model_validate({"headline": "f1", "rows": [row]})
    title, *_, line = table(bare, 80).rstrip().splitlines()
    assert title.startswith("run: – test texts")
    assert line.split() == ["linear/distilled", "–", "0.500", "0.50-0.50", "–", "–", "–", "–"]
