import json
from pathlib import Path
from typing import Any

import pytest

from tests.report.studies import make_findings
from understudy.errors import DataError
from understudy.report.findings import Findings, read_findings


def findings(**changed: Any) -> Findings:
    return Findings.model_validate({**make_findings(("linear", "lstm"), ("gold", "union", "simple_mix")), **changed})


def test_the_board_has_the_teacher_on_top_and_whole_cells_best_first() -> None:
    board = findings().board
    assert board is not None
    first, *rows = board.rows
    scores = [board.score(row).mean for row in rows]
    assert first.student == "teacher"
    assert scores == sorted(scores, reverse=True)
    assert len(rows) == 6


def test_a_cell_of_fewer_examples_goes_by_its_arm_and_is_not_on_the_board() -> None:
    found = findings()
    few = [row for row in found.rows if not row.whole]
    assert [(row.name, row.gold, row.distilled) for row in few] == [("linear/union", 24, 240), ("lstm/union", 24, 240)]
    assert found.board is not None
    assert not {id(row) for row in few} & {id(row) for row in found.board.rows}


def test_without_a_teacher_or_its_headline_the_board_holds_the_students_alone() -> None:
    for teacher in (None, {"model": "m", "metrics": {}}):
        board = findings(teacher=teacher).board
        assert board is not None
        assert board.teacher_row is None


def test_a_study_of_controls_or_of_nothing_has_no_board() -> None:
    row = {"student": "lead", "mixture": "gold", "control": True, "metrics": {"macro_f1": {"mean": 0.1}}}
    assert findings(rows=[]).board is None
    assert findings(rows=[row]).board is None


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"version": 2}, "version"),
        ({"headline": "f1"}, "linear/gold has no f1, the headline metric"),
        ({"rows": [{"student": "teacher", "metrics": {"macro_f1": {"mean": 1}}}]}, "goes by the name of the teacher"),
        ({"shares": {"union": [[0, 1.5]]}}, "shares.union.0.1"),
        ({"claims": [{"claim": "x"}]}, "and 1 more"),
        (
            {"curves": [{"student": "a", "mixture": "b", "over": "pool", "metric": "f", "points": []}]},
            "curves.0.points",
        ),
        ({"m": float("nan")}, "m: Input should be a finite number"),
    ],
)
def test_a_broken_file_is_named_with_what_was_found(tmp_path: Path, change: dict[str, Any], said: str) -> None:
    path = tmp_path / "6-study.json"
    path.write_text(json.dumps({**make_findings(), **change}), encoding="utf-8")
    with pytest.raises(DataError, match=r"6-study\.json: not a study’s findings .*; run the study again") as error:
        read_findings(path)
    assert said in str(error.value)


@pytest.mark.parametrize(
    ("written", "said"), [(None, "cannot be read"), ("{", "not JSON"), ("[" * 100_000, "not JSON")]
)
def test_a_file_that_is_missing_or_no_json_is_told(tmp_path: Path, written: str | None, said: str) -> None:
    path = tmp_path / "6-study.json"
    if written is not None:
        path.write_text(written, encoding="utf-8")
    with pytest.raises(DataError, match=said):
        read_findings(path)
