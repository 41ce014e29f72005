"""The commands for the teacher's half of the flow: teach, clean, and those that look after the replies."""

import json
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

from tests.commands import Call, one_line
from tests.newswire import rows, write_rows
from tests.teacher.fake_batch_api import FakeBatchApi, Fault, answered
from tests.teacher.fake_endpoint import Act, FakeEndpoint, answers, fails, label


def answer(text: str) -> Act:
    if "Cup final" in text or text.startswith("That reply"):
        return label("sports")
    return label("sport" if "Goal!" in text else "politics")


@pytest.fixture
def live(tiny: Path) -> Path:
    """The tiny recipe, at a price."""
    recipe = tiny.read_text().replace("model: m", "model: m\n  price: {input: 100.0, output: 0.0}\n  max_attempts: 1")
    tiny.write_text(recipe)
    return tiny


def at(fake: FakeEndpoint, recipe: Path) -> Path:
    recipe.write_text(recipe.read_text().replace("http://127.0.0.1:9/v1", fake.base_url))
    return recipe


@pytest.fixture
def taught(live: Path, call: Call) -> Path:
    with FakeEndpoint(respond=answer) as fake:
        assert call("teach", at(fake, live), "--out", live.parent / "run")[0] == 0
    return live


# teach


def test_teach_asks_and_says_what_came_of_it_and_trains_nothing(call: Call, live: Path) -> None:
    folder = live.parent
    with FakeEndpoint(respond=answer) as fake:
        code, out, err = call("teach", at(fake, live), "--out", folder / "run")
        assert len(fake.requests) == 5
    assert code == 0, err
    assert "Answered: 3 texts" in out
    assert "Rejected: 1" in out
    assert "1 not an answer: unknown label …" in out
    assert "Spent:    5 requests, 525 tokens, $0.05" in out
    assert f"{folder}/run/2-taught.jsonl" in out
    assert {row["id"]: row.get("target") for row in rows(folder / "run" / "2-taught.jsonl")} == {
        "t1": None,
        "t2": "politics",
        "p1": "sport",
        "p2": "politics",
    }
    assert not (folder / "run" / "5-students").exists()


def test_check_says_why_texts_are_not_worth_asking_about_and_where_that_is_set(call: Call, live: Path) -> None:
    pool = rows(live.parent / "pool.jsonl")
    write_rows(live.parent / "pool.jsonl", [*pool, {"id": "again", "text": pool[0]["text"]}])
    code, out, err = call("check", live, "--out", live.parent / "run")
    assert code == 0, err
    assert "1 of the pool not worth asking about\n        1 duplicate\n" in out
    assert "set under clean: min_chars, max_chars, near_duplicates, decontaminate, degenerate, language\n" in out
    write_rows(live.parent / "pool.jsonl", pool)
    assert "under clean" not in call("check", live, "--out", live.parent / "run")[1]


def test_a_teacher_that_gives_every_text_the_same_answer_is_told(call: Call, live: Path) -> None:
    folder = live.parent
    write_rows(folder / "pool.jsonl", [{"id": f"p{number}", "text": f"Goal {number}!"} for number in range(18)])
    with FakeEndpoint(respond=lambda _: label("sport")) as fake:
        out = call("teach", at(fake, live), "--out", folder / "run")[1]
    assert "Note:     every answer is 'sport'; see whether texts and labels are the right ones" in out


@pytest.mark.parametrize(("texts", "others"), [(17, "no such text"), (18, "Goal 7!")])
def test_few_answers_or_different_ones_call_for_no_note(call: Call, live: Path, texts: int, others: str) -> None:
    folder = live.parent
    write_rows(folder / "pool.jsonl", [{"id": f"p{number}", "text": f"Goal {number}!"} for number in range(texts)])
    with FakeEndpoint(respond=lambda text: label("politics" if others in text else "sport")) as fake:
        out = call("teach", at(fake, live), "--out", folder / "run")[1]
    assert f"Answered: {texts + 2} texts" in out
    assert "every answer" not in out


def test_teaching_again_asks_nothing(call: Call, taught: Path) -> None:
    code, out, _ = call("teach", taught, "--out", taught.parent / "run")  # nobody answers there any more
    assert code == 0
    assert "Answered: 3 texts" in out


def test_what_is_still_open_is_told_and_asked_for_by_the_same_command(call: Call, live: Path) -> None:
    with FakeEndpoint(label("politics"), fails(500), respond=answer) as fake:
        recipe = at(fake, live)
        recipe.write_text(recipe.read_text().replace("max_attempts: 1", "max_attempts: 1\n  concurrency: 1"))
        code, out, _ = call("teach", recipe, "--out", live.parent / "run")
        assert (code, "Open:     1 may still be answered" in out) == (0, True)
        asked = len(fake.requests)
        code, out, _ = call("teach", recipe, "--out", live.parent / "run")
        assert (code, "Open" in out, len(fake.requests)) == (0, False, asked + 1)


def test_a_budget_that_is_reached_is_told_without_a_traceback(call: Call, live: Path) -> None:
    with FakeEndpoint(respond=answer) as fake:
        recipe = at(fake, live)
        recipe.write_text(
            recipe.read_text().replace("model: m", "model: m\n  concurrency: 1\n  budget: {tokens: 3100}")
        )
        code, _, err = call("teach", recipe, "--out", live.parent / "run")
        assert 0 < len(fake.requests) < 5
    assert code == 2
    assert "the budget of 3,100 tokens is reached" in err
    assert "raise teacher.budget, or lower teacher.max_tokens (2,048)" in err
    assert "run again to go on" in err
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--import-batch"], "--import-batch needs the files that came back"),
        (["stray.jsonl"], "stray.jsonl: only --import-batch takes files"),
        (["--export-batch", "a", "--submit-batch", "b"], "expected one of --export-batch, --import-batch, --submit-"),
        (["--submit-batch", "a", "--cancel-batch", "a"], "--submit-batch and --cancel-batch"),
        (["--import-batch", "a", "--cancel-batch", "a"], "--submit-batch and --cancel-batch"),
    ],
)
def test_options_that_do_not_go_together_are_told(call: Call, tiny: Path, arguments: list[str], message: str) -> None:
    code, _, err = call("teach", tiny, *arguments)
    assert code == 2
    assert message in one_line(err)
    assert not (tiny.parent / "runs").exists()


def test_an_endpoint_that_is_not_there_is_told_without_a_traceback(call: Call, live: Path) -> None:
    code, _, err = call("teach", live, "--out", live.parent / "run")
    assert code == 2
    assert "the connection failed" in err
    assert "Traceback" not in err


def test_a_batch_that_was_cut_short_can_be_cancelled(call: Call, live: Path) -> None:
    submitted = live.parent / "batch"
    with FakeBatchApi(plans=[["in_progress"]]) as fake:
        fake.faults["look"].append(Fault(fails(401)))
        arguments = (at(fake, live), "--out", live.parent / "run")
        assert call("teach", *arguments, "--submit-batch", submitted)[0] == 2
        code, out, err = call("teach", *arguments, "--cancel-batch", submitted)
        assert (code, fake.calls["cancel"]) == (0, 1), err
        assert "Kept 4 replies" in out
        code, _, err = call("teach", *arguments, "--cancel-batch", submitted)
        assert (code, "no batch is under way" in err) == (2, True)


def test_what_nobody_knows_is_told_from_what_is_known(call: Call, live: Path) -> None:
    with FakeEndpoint(answers('{"label": "politics"}'), respond=answer) as fake:
        code, out, err = call("teach", at(fake, live), "--out", live.parent / "run")
    assert code == 0, err
    assert "Spent:    3 requests, 315 tokens, $0.03; and up to 1 request, 2,7" in out
    assert "whose cost nobody knows" in out


def test_an_export_says_what_it_replaces_and_the_command_that_comes_next(call: Call, live: Path) -> None:
    folder = live.parent / "my batch"
    arguments = ("teach", live, "--out", live.parent / "run")
    code, out, err = call(*arguments, "--export-batch", folder)
    assert (code, "Replaced" in out) == (0, False), err
    [command] = [line for line in out.splitlines() if "--import-batch" in line]
    assert shlex.split(command) == ["understudy", *map(str, arguments), "--import-batch", f"{folder}/output.jsonl"]
    assert "Replaced 1 request file of an earlier export" in call(*arguments, "--export-batch", folder)[1]


def test_what_is_to_be_corrected_is_told_from_what_is_missing(call: Call, live: Path) -> None:
    folder = live.parent / "batch"
    arguments = ("teach", live, "--out", live.parent / "run")
    call(*arguments, "--export-batch", folder)
    [first, second, *_] = rows(folder / "requests-0001.jsonl")
    output = folder / "output.jsonl"
    write_rows(output, [answered(first["custom_id"]), answered(second["custom_id"], "no label at all")])
    code, out, err = call(*arguments, "--import-batch", output)
    assert code == 0, err
    assert "Kept 2 replies and 0 refusals; 3 are missing, of which 1 are to be corrected." in out
    assert f"  {output}:2: not an answer: not JSON" in out
    assert "Or mend these lines and import the file again" in out


@pytest.mark.parametrize("line", ["torn\n", json.dumps(answered("0" * 64)) + "\n"])
def test_a_file_that_brings_nothing_is_an_error(call: Call, live: Path, line: str) -> None:
    (live.parent / "output.jsonl").write_text(2 * line)
    code, _, err = call("teach", live, "--out", live.parent / "run", "--import-batch", live.parent / "output.jsonl")
    assert code == 2
    assert "output.jsonl" in one_line(err.splitlines()[-1] + "\n")


# clean


def test_clean_says_what_is_left_out_and_asks_nothing(call: Call, taught: Path) -> None:
    code, out, err = call("clean", taught, "--out", taught.parent / "run")
    assert code == 0, err
    assert "Kept:     2 rows in" in out
    assert "Left out: 0 rows in" in out


def test_clean_before_anything_is_taught_is_told(call: Call, tiny: Path) -> None:
    code, _, err = call("clean", tiny, "--out", tiny.parent / "run")
    assert code == 2
    assert "nothing was taught yet" in one_line(err)


def test_clean_before_anything_is_generated_is_told(call: Call, taught: Path) -> None:
    taught.write_text(f"{taught.read_text()}generate: {{from: targets, count: 2}}\n")
    code, _, err = call("clean", taught, "--out", taught.parent / "run")
    assert code == 2
    assert "nothing was generated yet (no 2-generated.jsonl in it); teach or run it first" in one_line(err)


# replies


@pytest.fixture
def store(taught: Path) -> Path:
    return taught.parent / "replies.jsonl"


def test_show_says_what_lies_in_the_store(call: Call, store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "20")
    code, out, _ = call("replies", "show", "--store", store)
    assert code == 0
    assert "\nm from http://127.0.0.1:" in out
    assert " ".join(out.split()).endswith("500 tokens read, 25 written")


def test_what_is_exported_teaches_a_recipe_that_has_no_endpoint(call: Call, taught: Path, store: Path) -> None:
    folder = taught.parent
    code, out, _ = call("replies", "export", folder / "recording", "--store", store, "--model", "m")
    assert code == 0
    assert "Wrote 5 exchanges to" in out
    recipe, shown = yaml.safe_load(taught.read_text()), yaml.safe_load(out.split("In a recipe:")[1])
    del recipe["teacher"]["base_url"]
    recipe["teacher"] |= {"store": "none.jsonl", **shown["teacher"]}
    taught.write_text(yaml.safe_dump(recipe))
    code, out, err = call("teach", taught, "--out", folder / "again")
    assert code == 0, err
    assert "Spent:    nothing" in out
    answered = [[row.get("target") for row in rows(folder / name / "2-taught.jsonl")] for name in ("run", "again")]
    assert answered[0] == answered[1]
    assert not (folder / "none.jsonl").exists()


def test_prune_removes_what_is_named_and_a_dry_run_nothing(call: Call, store: Path) -> None:
    before = store.read_bytes()
    code, out, _ = call("replies", "prune", "--store", store, "--model", "m", "--dry-run")
    assert (code, out) == (0, "Would remove 5 replies, and 0 stay.\n")
    assert store.read_bytes() == before
    assert call("replies", "prune", "--store", store, "--truncated")[1] == "Removed 0 replies, and 5 stay.\n"
    out = call("replies", "prune", "--store", store, "--older-than", "0")[1]
    assert out.startswith("Removed 5 replies, and 0 stay.\n")
    assert "To have it ask again, remove its 2-taught.jsonl" in out
    assert store.read_bytes() == b""


@pytest.mark.parametrize("command", [["export", "recording"], ["prune"], ["prune", "--dry-run"]])
@pytest.mark.parametrize(
    ("chosen", "message"),
    [
        (["--model", "nope"], "unknown model 'nope'; expected one of: m"),
        (["--from", "http://elsewhere"], "unknown endpoint 'http://elsewhere'; "),
    ],
)
def test_a_model_or_an_endpoint_that_is_not_in_the_store_is_told(
    call: Call, store: Path, monkeypatch: pytest.MonkeyPatch, command: list[str], chosen: list[str], message: str
) -> None:
    before = store.read_bytes()
    monkeypatch.chdir(store.parent)
    code, _, err = call("replies", *command, "--store", store, *chosen)
    assert code == 2
    assert message in one_line(err)
    assert store.read_bytes() == before
    assert not Path("recording").exists()


def test_prune_without_a_choice_is_refused(call: Call, store: Path) -> None:
    code, _, err = call("replies", "prune", "--store", store)
    assert code == 2
    assert "that would remove everything; expected" in one_line(err)
    assert len(store.read_text().splitlines()) == 5


@pytest.mark.parametrize("arguments", [["show"], ["export", "folder"], ["prune", "--refused"]])
def test_a_store_that_is_not_there_is_told(
    call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    code, _, err = call("replies", *arguments)
    assert code == 2
    assert "runs/replies.jsonl: no reply store" in one_line(err)
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_a_store_of_nonsense_is_an_empty_one(call: Call, tmp_path: Path) -> None:
    path = tmp_path / "replies.jsonl"
    path.write_bytes(b"\xff\xfe nonsense\n" + json.dumps({"key": "short"}).encode() + b"\n")
    assert call("replies", "show", "--store", path)[0] == 0
    assert "Wrote 0 exchanges" in call("replies", "export", tmp_path / "out", "--store", path)[1]


# stopping by hand

HEEDING = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"  # in the background, too


def teaching(recipe: Path) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", f"{HEEDING}; from understudy.cli import main; main()", "teach", str(recipe)]
    out = ["--out", str(recipe.parent / "run")]
    return subprocess.Popen([*command, *out], stderr=subprocess.PIPE, text=True, cwd=recipe.parent)


def stopped(process: "subprocess.Popen[str]", fake: FakeEndpoint, how: int) -> None:
    """Stop it as soon as something is under way."""
    while not fake.under_way and process.poll() is None:
        time.sleep(0.005)
    process.send_signal(how)


def kept(folder: Path) -> int:
    return sum(path.read_bytes().count(b"\n") for path in folder.rglob("replies.jsonl"))


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_teaching_that_is_stopped_waits_for_what_is_paid_for_and_says_how_to_go_on(live: Path, how: int) -> None:
    with FakeEndpoint(respond=lambda text: Act(delay=2.0, body=answer(text).body)) as fake:
        process = teaching(at(fake, live))
        stopped(process, fake, how)
        _, err = process.communicate(timeout=60)
        assert kept(live.parent) == len(fake.requests) > 0
    assert process.returncode == 130
    assert "already paid for; Ctrl-C ends that." in err
    assert err.splitlines()[-1] == "Stopped; the same command goes on from here."
    assert "Traceback" not in err


def test_a_second_stop_leaves_what_is_under_way(live: Path) -> None:
    with FakeEndpoint(respond=lambda text: Act(delay=30.0)) as fake:
        process = teaching(at(fake, live))
        stopped(process, fake, signal.SIGINT)
        assert process.stderr is not None
        told = [next(line for line in process.stderr if "Ctrl-C ends that" in line)]
        process.send_signal(signal.SIGINT)
        told += process.stderr
        assert process.wait(15) == 130
    assert told[-1] == "Stopped; the same command goes on from here.\n"
    assert len(told) == 2, told
