"""A run that is killed at any moment goes on from there, and ends as if nothing had been."""

import signal
import subprocess
import sys
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
DYING = """
import signal, sys
from fnmatch import fnmatch

from understudy.cli import main

moment, there = sys.argv.pop(1), False

def watch(event, arguments):
    global there
    part, name = map(str, arguments[:2]) if event == "os.rename" else ("", "")
    if there or fnmatch(part, moment):
        signal.raise_signal(signal.SIGKILL)
    there = fnmatch(name, moment)

sys.addaudithook(watch)
main()
"""
"""The command line, which kills itself as soon as a file is there, whole: in its place, or under the name before."""


def killed_at(moment: str, recipe: Path, out: Path) -> bool:
    """Start the run, to be killed as soon as that file is there; whether it was."""
    command = [sys.executable, "-c", DYING, str(out / moment), "run", str(recipe), "--out", str(out)]
    return subprocess.run(command, capture_output=True, check=False).returncode == -signal.SIGKILL


def test_a_run_that_is_killed_again_and_again_ends_with_the_same_scores(small: Path) -> None:
    write_recipe(small.parent, seeds=2, name="killed")
    whole = us.run(small, out=small.parent / "whole")
    out = small.parent / "killed"
    killed = [killed_at(moment, small, out) for moment in MOMENTS]
    assert all(killed)
    assert not (out / "8-report.html").exists()
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
