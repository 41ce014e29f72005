"""The choice among a finished run's students by what a team demands and pays."""

import shutil
from pathlib import Path

import pytest

import understudy as us
from tests.commands import Call, one_line
from tests.newswire import stamps
from understudy.errors import DataError
from understudy.pipeline import Run
from understudy.run_folder import RunFolder


def test_the_cheapest_student_is_named_with_its_reason_and_folder(call: Call, newswire_run: Run) -> None:
    before = stamps(newswire_run.path)
    code, out, err = call("choose", newswire_run.path)
    assert (code, err) == (0, "")
    sentence, model = out.splitlines()
    found = us.choose(newswire_run.path)
    assert sentence == found.sentence
    assert found.contestant is not None
    name, _, reason = sentence.partition(" is the cheapest that will do, at ")
    assert name == found.contestant.name
    assert reason.endswith(".")
    folder = Path(model.removeprefix("Model: "))
    assert us.load(folder).predict(["A goal."])
    assert stamps(newswire_run.path) == before


def test_it_judges_by_the_scores_and_comparisons_of_the_run(newswire_run: Run) -> None:
    against = us.choose(newswire_run.path, against="teacher", max_drop=0.0)
    assert against.contestant is None
    name = against.sentence.removeprefix("No student will do; ").partition(" comes nearest")[0]
    [compared] = [
        found
        for found in newswire_run.scores["comparisons"]
        if (found["a"], found["b"], found["metric"]) == (name, "teacher", "macro_f1")
    ]
    assert f"by as much as {-compared['low']:.3f}" in against.sentence
    loose = us.choose(newswire_run.path, against="teacher", max_drop=1.0)
    assert loose.contestant is not None


def test_where_nobody_will_do_the_exit_code_is_1(call: Call, newswire_run: Run) -> None:
    code, out, err = call("choose", newswire_run.path, "--max-latency-ms", 0, "--max-size-mb", 0, "--calls-a-day", 1,
                          "--price-a-call", 1)  # fmt: skip
    assert (code, err) == (1, "")
    [line] = out.splitlines()
    assert line.startswith("No student will do; ")
    assert " where 0 ms are allowed and it takes " in line


def test_the_price_of_a_call_tells_when_it_pays_back(call: Call, newswire_run: Run) -> None:
    paid = ("--calls-a-day", 1000, "--price-a-call", 0.01, "--price-a-day", 2)
    code, out, _ = call("choose", newswire_run.path, *paid)
    assert code == 0
    assert out.splitlines()[1] == (
        "It pays back within a day: teaching cost $1.96, 1,000 calls a day at $0.01 would be $10.00 a day, and "
        "serving the student is $2.00."
    )
    reckoned = us.break_even(newswire_run.path, calls_a_day=1000, price_a_call=0.01, price_a_day=2)
    assert reckoned.days == pytest.approx(1.96 / 8)


def test_what_is_not_recorded_has_to_be_given(call: Call, newswire_run: Run) -> None:
    code, out, err = call("choose", newswire_run.path, "--calls-a-day", 1000)
    assert (code, out) == (2, "")
    assert "give the price of a call" in one_line(err)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--against", "linear/gould"], "unknown reference 'linear/gould'; did you mean 'linear/gold'?"),
        (["--against", "nobody"], "unknown reference 'nobody'; expected one of: best, teacher, linear/gold"),
        (["--max-drop", "-0.1"], "max drop: expected a number from 0 on (found -0.1)"),
        (["--max-latency-ms", "nan"], "max latency ms: expected a number from 0 on (found nan)"),
        (["--calls-a-day", "-5", "--price-a-call", "1"], "calls a day: expected a number from 0 on (found -5)"),
        (["--price-a-day", "3"], "--price-a-call and --price-a-day say something only with --calls-a-day"),
    ],
)
def test_bad_options_end_in_one_line(call: Call, newswire_run: Run, options: list[str], message: str) -> None:
    code, out, err = call("choose", newswire_run.path, *options)
    assert (code, out) == (2, "")
    assert one_line(err).startswith(message)


def test_a_folder_without_a_finished_run_ends_in_one_line(call: Call, tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "absent"):
        code, _, err = call("choose", folder)
        assert code == 2
        assert "no finished run (no 6-scores.json in it)" in one_line(err)


def test_a_run_that_lacks_a_students_answers_is_told(newswire_run: Run, tmp_path: Path) -> None:
    path = tmp_path / "run"
    shutil.copytree(newswire_run.path, path)
    next(RunFolder(path).students.rglob("seed-1.test.jsonl")).unlink()
    with pytest.raises(DataError, match=r"seed-1\.test\.jsonl: cannot be read"):
        us.choose(path)


def test_help_has_examples(call: Call) -> None:
    code, out, _ = call("choose", "--help")
    assert code == 0
    assert "understudy choose runs/newswire-desk --max-drop" in out.split("Examples")[1]
