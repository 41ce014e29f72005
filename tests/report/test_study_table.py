import io
import re
from typing import Any

import pytest
from rich.console import Console

from tests.report.studies import MIXTURES, comparison, make_findings
from understudy.report import study_table
from understudy.report.findings import Findings

HOSTILE = "<script>|x|\n[link](http://evil.example)`*[bold]"


def findings(**changed: Any) -> Findings:
    return Findings.model_validate({**make_findings(), **changed})


def shown(found: Findings, width: int = 100) -> str:
    written = io.StringIO()
    console = Console(file=written, width=width, color_system=None, highlight=False)
    console.print(study_table.terminal(found, console))
    return written.getvalue()


def claim(difference: float, verdict: str, **changed: Any) -> dict[str, Any]:
    pooled = comparison("simple_mix", "union", difference)
    return {"claim": "c", "better": "simple_mix", "than": "union", "verdict": verdict, "pooled": pooled, **changed}


@pytest.mark.parametrize(
    ("difference", "verdict", "said"),
    [
        (0.05, "supported", "simple mix beats union: +0.050 [+0.022, +0.077] macro-F1; corrected p = 0.008."),
        (-0.05, "contradicted", "simple mix is worse than union: −0.050"),
        (0.01, "not shown", "No significant difference between simple mix and union: +0.010"),
    ],
)
def test_a_claims_sentence_follows_its_pooled_comparison(difference: float, verdict: str, said: str) -> None:
    answer = study_table.answers(findings(claims=[claim(difference, verdict)]))[0]
    assert (answer.verdict, answer.sentence.startswith(said)) == (verdict, True)


def test_a_difference_is_called_one_only_where_the_study_does() -> None:
    pooled = {**comparison("simple_mix", "union", 0.02), "low": 0.01, "high": 0.03, "significant": False}
    answer = study_table.answers(findings(claims=[claim(0.02, "not shown", pooled=pooled)]))[0]
    assert answer.forest[0].compared.verdict == "no significant difference"


def test_the_forest_of_one_student_is_not_said_twice() -> None:
    one = make_findings(("linear",))
    answers = study_table.answers(Findings.model_validate(one))
    assert [[each.whose for each in answer.forest] for answer in answers] == [["all students"]] * 3
    assert " over " not in answers[0].sentence


def test_mixtures_by_students_marks_the_best_and_what_beats_gold_alone() -> None:
    found = findings()
    table = study_table.by_mixture(found)
    assert list(table) == found.mixtures
    for place in range(4):
        column = [cells[place] for cells in table.values()]
        assert max(column, key=lambda cell: cell.text).best
        assert sum(cell.best for cell in column) == 1
    assert table["gold"][0].mark == ""
    assert table["union"][0].mark == "▲"
    assert {cell.share for cells in table.values() for cell in cells} >= {0.0, 1.0}


def test_an_arm_that_is_not_there_is_an_empty_cell() -> None:
    rows = [row for row in make_findings()["rows"] if row["name"] != "gbdt/needle"]
    assert [cell.text for cell in study_table.by_mixture(findings(rows=rows))["needle"]][1] == ""


def test_the_markdown_holds_every_arm_claim_and_size() -> None:
    said = study_table.markdown(findings())
    assert said.count("| supported |") == 1
    for mixture in MIXTURES:
        assert f"| encoder | {mixture.replace('_', ' ')} | 3 |" in said
    assert "| teacher | – |" in said
    assert re.search(r"\| student \| learned from \| 60 \| 120 \| 240 \| 480 \| 862 \| 1,724 \|", said)
    assert "(0.792 [0.752, 0.828]) |" in said
    assert "| encoder | union | 24 | 240 | 3 |" in said


def test_every_line_of_a_markdown_table_has_as_many_cells_as_its_head_whatever_the_names_are() -> None:
    text = make_findings(("linear",), ("gold", "union"))
    text["rows"][0]["student"] = text["claims"][0]["claim"] = text["curves"][0]["mixture"] = HOSTILE
    said = study_table.markdown(Findings.model_validate(text))
    for table in said.split("### ")[1:]:
        cells = {len(re.findall(r"(?<!\\)\|", line)) for line in table.splitlines()[2:] if line}
        assert len(cells) == 1
    assert not re.search(r"(?<!\\)<script", said)
    assert not re.search(r"(?<!\\)\]\(", said)


def test_an_empty_study_makes_no_table() -> None:
    empty = findings(rows=[], claims=[], controls=[], curves=[], shares={}, teacher=None)
    assert study_table.markdown(empty) == ""
    assert "no arm was measured" in shown(empty)


@pytest.mark.parametrize("width", [80, 120])
def test_the_terminal_shows_verdicts_then_the_teacher_then_the_best(width: int) -> None:
    out = shown(findings(), width)
    assert "…" not in out
    places = [out.index(said) for said in ("not shown", "supported", "contradicted", "teacher   ", "encoder/")]
    assert places == sorted(places)


def test_a_name_in_the_terminal_is_no_markup() -> None:
    assert "[bold]x" in shown(findings(claims=[claim(0.05, "supported", claim="[bold]x")]))
