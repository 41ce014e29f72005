import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.study.support import write_study
from understudy.data.files import read_json
from understudy.errors import RunError
from understudy.progress import Silent
from understudy.run_folder import RunFolder
from understudy.study.conduct import conduct

CLAIMS = [
    {"claim": "Labels of the teacher help", "better": "distilled", "than": "gold"},
    {"claim": "Nobody needs the teacher", "better": "union", "than": "teacher"},
]


def without_times(findings: dict[str, Any]) -> dict[str, Any]:
    """What must be the same whenever and however often a study was taken up."""
    rows = [
        {name: value for name, value in row.items() if name not in {"train_seconds", "latency_ms"}}
        for row in findings["rows"]
    ]
    return {**findings, "rows": rows, "created": None}


def test_every_cell_is_scored_and_every_claim_answered(tmp_path: Path) -> None:
    path = write_study(tmp_path, mixtures=["distilled", "union", "needle"], distilled=[12], claims=CLAIMS)
    found = read_json(conduct(path, tmp_path / "out", jobs=1).path / "6-study.json")
    assert [row["name"] for row in found["rows"]] == [
        "linear/gold",
        "linear/distilled",
        "linear/union",
        "linear/needle",
        "linear/distilled, 12 distilled",
        "linear/union, 12 distilled",
        "linear/needle, 12 distilled",
    ]
    assert all(0 <= row["metrics"]["accuracy"]["mean"] <= 1 for row in found["rows"])
    assert [row["latency_ms"] is not None for row in found["rows"]] == [row["whole"] for row in found["rows"]]
    for said in found["claims"]:
        pooled, [alone] = said["pooled"], said["by_student"]
        assert pooled["difference"] == pytest.approx(alone["difference"])  # there is but one student
        assert pooled["low"] <= pooled["difference"] <= pooled["high"]
        assert pooled["p_holm"] >= pooled["p_value"]
    assert {(comparison["a"], comparison["b"]) for comparison in found["controls"]} == {
        (f"linear/{mixture}", "linear/gold") for mixture in ("distilled", "union", "needle")
    }
    assert [(curve["mixture"], curve["over"]) for curve in found["curves"]] == [
        (mixture, "distilled") for mixture in ("distilled", "union", "needle")
    ]
    assert json.loads(json.dumps(found, allow_nan=False)) == found


def test_the_same_study_again_does_nothing_and_side_by_side_finds_the_same(tmp_path: Path) -> None:
    path = write_study(tmp_path, seeds=1)
    first = conduct(path, tmp_path / "one", jobs=1)
    assert first.report.is_file()
    assert "linear" in first.tables.read_text(encoding="utf-8")
    stamp = (first.path / "6-study.json").stat().st_mtime_ns
    conduct(path, tmp_path / "one", jobs=1)
    assert (first.path / "6-study.json").stat().st_mtime_ns == stamp
    beside = conduct(path, tmp_path / "two", jobs=2)
    found = [without_times(read_json(made.path / "6-study.json")) for made in (first, beside)]
    assert found[0] == found[1]


def test_a_folder_in_which_a_run_is_at_work_is_left_alone(tmp_path: Path) -> None:
    path = write_study(tmp_path)
    with RunFolder(tmp_path / "out").locked(), pytest.raises(RunError, match="another run is at work"):
        conduct(path, tmp_path / "out", Silent(), jobs=1)


@pytest.mark.slow
def test_a_study_that_is_killed_ten_times_ends_with_the_same_findings(tmp_path: Path) -> None:
    path = write_study(
        tmp_path, {"students": {"linear": None, "gbdt": {"rounds": 20}}}, gold=[12], distilled=[6, 12], claims=CLAIMS
    )
    whole = read_json(conduct(path, tmp_path / "whole", jobs=1).path / "6-study.json")
    command = [sys.executable, "-m", "understudy", "study", str(path), "--out", str(tmp_path / "killed")]
    for kill in range(10):
        process = subprocess.Popen([*command, "--jobs", "2"], start_new_session=True, stderr=subprocess.DEVNULL)
        time.sleep(1.5 + 0.7 * kill)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    subprocess.run([*command, "--jobs", "1"], check=True, capture_output=True)
    assert without_times(read_json(tmp_path / "killed" / "6-study.json")) == without_times(whole)
