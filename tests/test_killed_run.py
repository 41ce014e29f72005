"""A run that is killed at any moment goes on from there, and ends as if nothing had been."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import understudy as us
from tests.newswire import quality, write_recipe

MOMENTS = [
    "1-inputs.jsonl",
    "2-taught.jsonl",
    "4-train.jsonl",
    "5-students/gold/linear/seed-0",
    "5-students/distilled/linear/seed-0.fit.json",
    "5-students/gold/linear/seed-1.test.jsonl",
    ".6-scores.json.*.part",
    "6-scores.json",
]


def killed_at(moment: str, recipe: Path, out: Path) -> bool:
    """Start the run and kill it as soon as that file is there; whether it was killed before it ended."""
    command = [sys.executable, "-m", "understudy", "run", str(recipe), "--out", str(out)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    folder, _, name = moment.rpartition("/")
    while process.poll() is None and not list((out / folder).glob(name)):
        time.sleep(0.0005)
    process.send_signal(signal.SIGKILL)
    return process.wait() == -signal.SIGKILL


def test_a_run_that_is_killed_again_and_again_ends_with_the_same_scores(small: Path) -> None:
    write_recipe(small.parent, seeds=2, name="killed")
    whole = us.run(small, out=small.parent / "whole")
    out = small.parent / "killed"
    killed = [killed_at(moment, small, out) for moment in MOMENTS]
    assert sum(killed) >= 6
    assert not (out / "8-report.html").exists() or not killed[-1]
    command = [sys.executable, "-m", "understudy", "run", str(small), "--out", str(out)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "Nothing to do" not in done.stderr
    finished = us.finished(out)
    assert quality(finished.scores) == quality(whole.scores)
    assert finished.student("linear/distilled").predict(["A goal."]) == whole.student("linear/distilled").predict(
        ["A goal."]
    )
    assert not list(out.rglob("*.part"))
    for name in ("1-inputs", "2-taught", "3-clean", "3-rejected", "4-train", "4-validation", "4-test"):
        assert (out / f"{name}.jsonl").read_bytes() == (whole.path / f"{name}.jsonl").read_bytes()
    assert (out / "8-report.html").exists()
