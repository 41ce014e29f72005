import copy
import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from tests.commands import Call, one_line
from tests.newswire import LABELS, rows, write_rows, write_slice
from tests.teacher.fake_endpoint import FakeEndpoint
from understudy import console
from understudy.pipeline import Run

TEXT = "The striker scored twice before half-time."
UNDERSTUDY = [sys.executable, "-m", "understudy"]


# init, check, run, report


def test_init_writes_a_recipe_once(call: Call, tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    code, out, _ = call("init", path)
    assert code == 0
    assert f"understudy check {path}" in out.replace("\n", " ")
    path.write_text("mine")
    code, _, err = call("init", path)
    assert (code, path.read_text()) == (2, "mine")
    assert "exists already" in one_line(err)


def test_init_makes_the_folder_too(call: Call, tmp_path: Path) -> None:
    path = tmp_path / "absent" / "deep" / "mine.yaml"
    assert call("init", path)[0] == 0
    assert "teacher:" in path.read_text()


def test_init_where_nothing_can_be_written_is_told(call: Call, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    code, _, err = call("init", tmp_path / "file" / "mine.yaml")
    assert code == 2
    assert "mine.yaml: cannot be written (" in one_line(err)


def test_check_says_what_a_run_would_do_and_spends_nothing(call: Call, tiny: Path) -> None:
    with FakeEndpoint() as fake:
        price = f"{fake.base_url}\n  price: {{input: 1.0, output: 2.0}}"
        tiny.write_text(tiny.read_text().replace("http://127.0.0.1:9/v1", price))
        before = sorted(tiny.parent.rglob("*"))
        code, out, err = call("check", tiny)
        assert fake.requests == []
    assert (code, err) == (0, "")
    assert sorted(tiny.parent.rglob("*")) == before
    assert "2 gold, 2 pool, 2 test" in out
    assert "4 to ask" in out
    assert "$0.00" in out
    assert "linear/simple_mix, trained 3 x" in out
    assert "2 test texts are few" in out
    assert f"{tiny.parent}/replies.jsonl" in out


def test_check_tells_what_the_run_of_that_folder_has_spent(call: Call, tiny: Path) -> None:
    with FakeEndpoint() as fake:
        priced = f"{fake.base_url}\n  price: {{input: 1000.0, output: 0}}\n  budget: {{usd: 9}}"
        tiny.write_text(tiny.read_text().replace("http://127.0.0.1:9/v1", priced))
        assert call("teach", tiny, "--out", tiny.parent / "mine")[0] == 0
    out = call("check", tiny, "--out", tiny.parent / "mine")[1]
    assert "Budget:   $9.00; $0.4 of it spent" in out
    assert "of it spent" not in call("check", tiny, "--out", tiny.parent / "other")[1]


@pytest.mark.parametrize(
    ("settings", "warning"),
    [
        ("budget: {tokens: 100000}", None),
        ("budget: {tokens: 2500}", "a request may take 2,7"),
        ("budget: {tokens: 800}\n  max_tokens: 1", "that is more than is left of the budget (800 tokens)"),
        ("price: {input: 1, output: 1000}\n  budget: {usd: 1}", "a request may take"),
    ],
)
def test_check_warns_of_a_budget_that_will_not_do(call: Call, tiny: Path, settings: str, warning: str | None) -> None:
    write_rows(tiny.parent / "pool.jsonl", [{"id": f"p{number}", "text": f"Goal {number}!"} for number in range(10)])
    tiny.write_text(tiny.read_text().replace("model: m", f"model: m\n  {settings}"))
    _, out, _ = call("check", tiny)
    assert ("Warning:" in out) == (warning is not None)
    assert (warning or "") in out


def test_check_says_so_where_the_price_is_unknown_and_where_nothing_is_to_pay(
    call: Call, tiny: Path, newswire_recipe: Path
) -> None:
    assert "unknown; set teacher.price" in call("check", tiny)[1]
    assert "Cost:     nothing" in call("check", newswire_recipe)[1]


def test_a_second_run_says_that_there_is_nothing_to_do_and_shows_the_table(
    call: Call, newswire_recipe: Path, newswire_run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "140")
    code, out, err = call("run", newswire_recipe, "--out", newswire_run.path)
    assert code == 0
    assert "Nothing to do: this run is finished" in err
    table = out.split("Teacher:")[0].splitlines()
    for row in newswire_run.scores["rows"]:
        name = f"{row['student']}/{row['mixture']}" if row["mixture"] else "teacher"
        [line] = [line for line in table if line.strip().startswith(f"{name} ")]
        for metric in ("accuracy", "macro_f1"):
            estimate = row["metrics"][metric]
            assert f"{estimate['mean']:.3f} {estimate['low']:.2f}-{estimate['high']:.2f}" in line
    assert newswire_run.scores["choice"]["sentence"] in out
    assert str(newswire_run.report) in out
    assert "Teacher: claude, 196 replies, cost not recorded." in out


def test_the_table_fits_into_80_columns(call: Call, newswire_run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    _, out, _ = call("report", newswire_run.path)
    assert "…" not in out


def test_report_writes_the_page_anew_and_nothing_else(call: Call, newswire_run: Run, tmp_path: Path) -> None:
    path = tmp_path / "run"
    shutil.copytree(newswire_run.path, path)
    (path / "8-report.html").write_text("old")
    code, out, _ = call("report", path)
    assert code == 0
    assert "linear/distilled" in out
    expected = newswire_run.report.read_text().replace(str(newswire_run.path), str(path))
    assert (path / "8-report.html").read_text() == expected
    code, _, err = call("report", tmp_path)
    assert code == 2
    assert "no finished run" in one_line(err)


def test_a_folder_that_cannot_be_one_ends_in_one_line(call: Call, tiny: Path) -> None:
    code, _, err = call("run", tiny, "--out", tiny.parent / "pool.jsonl")
    assert code == 2
    assert "cannot be a run's folder (File exists)" in one_line(err)


# predict


@pytest.fixture
def model(newswire_run: Run) -> Path:
    return newswire_run.path / "5-students" / "distilled" / "linear" / "seed-0"


def test_texts_are_answered_by_a_runs_choice_or_by_any_model(call: Call, newswire_run: Run, model: Path) -> None:
    for folder in (newswire_run.path, model):
        code, out, err = call("predict", folder, TEXT, "Übermäßig – 選挙")
        assert (code, err) == (0, "")
        first, second = map(json.loads, out.splitlines())
        assert (first["text"], second["text"]) == (TEXT, "Übermäßig – 選挙")
        assert "Übermäßig – 選挙" in out
        for answer in (first, second):
            assert set(answer) == {"text", "target", "confidence"}
            assert answer["target"] in LABELS
            assert 0 < answer["confidence"] <= 1


def test_a_file_of_json_lines_is_answered_row_by_row(call: Call, model: Path, tmp_path: Path) -> None:
    asked = [{"id": index, "text": f"{TEXT} {index}", "note": None} for index in range(3000)]
    write_rows(tmp_path / "in.jsonl", asked)
    code, out, _ = call("predict", model, "--file", tmp_path / "in.jsonl")
    assert code == 0
    answers = [json.loads(line) for line in out.splitlines()]
    assert [{key: row[key] for key in ("id", "text", "note")} for row in answers] == asked
    assert all(row["target"] in LABELS for row in answers)


def test_a_csv_is_answered_too(call: Call, model: Path, tmp_path: Path) -> None:
    with (tmp_path / "in.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["nr", "body"], ["7", TEXT], ["8", "two\nlines"]])
    code, out, _ = call("predict", model, "--file", tmp_path / "in.csv", "--text", "body")
    assert code == 0
    answers = [json.loads(line) for line in out.splitlines()]
    assert [(row["nr"], row["body"]) for row in answers] == [("7", TEXT), ("8", "two\nlines")]


def test_what_a_row_holds_itself_is_kept_beside_the_answer(call: Call, model: Path, tmp_path: Path) -> None:
    first = {"text": TEXT, "target": "mine", "confidence": "high", "id": 1}
    second = {"text": TEXT, "target": "mine", "given_target": "older"}
    write_rows(tmp_path / "in.jsonl", [first, second])
    code, out, _ = call("predict", model, "--file", tmp_path / "in.jsonl")
    assert code == 0
    one, two = map(json.loads, out.splitlines())
    assert one["target"] in LABELS
    assert {name: one[name] for name in ("id", "text", "given_target", "given_confidence")} == {
        "id": 1,
        "text": TEXT,
        "given_target": "mine",
        "given_confidence": "high",
    }
    assert (two["given_target"], two["given_given_target"]) == ("older", "mine")
    assert "given_target" in call("predict", "--help")[1]


def test_half_a_character_is_answered_and_written_as_json(call: Call, model: Path, tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_text('{"text": "a \\ud83d", "id": "\\udc00 ü"}\n')
    code, out, _ = call("predict", model, "--file", tmp_path / "in.jsonl")
    assert code == 0
    assert json.loads(out)["text"] == "a \ud83d"
    assert "\\udc00 ü" in out


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b'{"txt": "x"}\n', "in.jsonl:1: unknown column 'text'; did you mean 'txt'?; set --text"),
        (b'{"text": "x"}\n{"text": 5}\n', "in.jsonl:2: the column 'text' holds no text (found 5)"),
        (b'{"text": "x"}\n{"text"\n', "in.jsonl:2: not JSON ("),
    ],
)
def test_a_bad_file_of_texts_ends_in_one_line(
    call: Call, model: Path, tmp_path: Path, content: bytes, message: str
) -> None:
    (tmp_path / "in.jsonl").write_bytes(content)
    code, _, err = call("predict", model, "--file", tmp_path / "in.jsonl")
    assert code == 2
    assert one_line(err).startswith(f"{tmp_path}/{message}")


def test_texts_and_a_file_or_neither_is_an_error(call: Call, model: Path, tmp_path: Path) -> None:
    write_rows(tmp_path / "in.jsonl", [{"text": TEXT}])
    for arguments in ([], [TEXT, "--file", tmp_path / "in.jsonl"]):
        code, out, err = call("predict", model, *arguments)
        assert (code, out) == (2, "")
        assert "expected either texts or --file" in one_line(err)


def test_a_column_without_a_file_is_an_error(call: Call, model: Path) -> None:
    code, out, err = call("predict", model, "--text", "foo", "bar")
    assert (code, out) == (2, "")
    assert "--text names the column of texts in --file" in one_line(err)


def test_a_run_that_is_not_finished_is_told_as_such(call: Call, model: Path, tmp_path: Path) -> None:
    (tmp_path / "recipe.yaml").write_text("name: tiny\n")
    code, _, err = call("predict", tmp_path, TEXT)
    assert code == 2
    assert one_line(err) == f"{tmp_path}: this run is not finished; go on with understudy run and its recipe"
    trained = tmp_path / "5-students" / "distilled" / "linear" / "seed-0"
    shutil.copytree(model, trained)
    assert one_line(call("predict", tmp_path, TEXT)[2]).endswith(f"such as {trained}")
    assert call("predict", trained, TEXT)[0] == 0


@pytest.mark.parametrize("content", [None, "{}", '{"format": 1', '{"format": 99}'])
def test_a_folder_that_holds_no_model_ends_in_one_line(call: Call, tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "model.json").write_text(content)
    code, _, err = call("predict", tmp_path, TEXT)
    assert code == 2
    assert str(tmp_path) in one_line(err)


def test_a_broken_scores_file_ends_in_one_line(call: Call, tmp_path: Path) -> None:
    for content in ("{}", "[", "null"):
        (tmp_path / "6-scores.json").write_text(content)
        for arguments in (["predict", tmp_path, TEXT], ["report", tmp_path]):
            code, _, err = call(*arguments)
            assert code == 2
            assert "6-scores.json: not " in one_line(err)


# The terminal


@pytest.mark.parametrize("command", ["init", "check", "run", "predict", "report"])
def test_every_commands_help_has_an_example(call: Call, command: str) -> None:
    code, out, _ = call(command, "--help")
    assert code == 0
    assert f"understudy {command}" in out.split("Example")[1]


def test_help_lists_the_commands_and_says_where_to_start(call: Call) -> None:
    code, out, _ = call("--help")
    assert code == 0
    for command in ("init", "check", "run", "predict", "report"):
        assert f" {command} " in out
    assert "Start with: understudy init" in out


def test_an_unknown_command_is_told_with_the_closest(call: Call) -> None:
    code, _, err = call("rnu")
    assert code == 2
    assert "Did you mean 'run'?" in err


@pytest.mark.parametrize("arguments", [["--help"], ["predict", "MODEL", "--file", "IN"]])
def test_a_reader_that_stops_early_gets_no_traceback(model: Path, tmp_path: Path, arguments: list[str]) -> None:
    write_rows(tmp_path / "in.jsonl", [{"text": TEXT}] * 20_000)
    places = {"MODEL": str(model), "IN": str(tmp_path / "in.jsonl")}
    command = [*UNDERSTUDY, *(places.get(argument, argument) for argument in arguments)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.readline()
    process.stdout.close()
    assert process.stderr.read() == b""
    assert process.wait() in {0, 1}


def test_shell_completion_is_printed() -> None:
    environment = {**os.environ, "_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"}
    done = subprocess.run(
        [*UNDERSTUDY, "--show-completion", "bash"], env=environment, capture_output=True, text=True, check=True
    )
    assert "COMPREPLY" in done.stdout


def test_a_run_that_is_stopped_by_hand_says_how_to_go_on(tmp_path: Path) -> None:
    recipe, out = write_slice(tmp_path, per_desk=2, pool=24, seeds=100), tmp_path / "run"  # more than it gets done
    heeding = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"  # in the background, too
    command = [sys.executable, "-c", f"{heeding}; from understudy.cli import main; main()"]
    process = subprocess.Popen(
        [*command, "run", str(recipe), "--out", str(out)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    while not list(out.glob("5-students/*/linear/seed-*")) and process.poll() is None:
        time.sleep(0.005)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert err.splitlines()[-1] == "Stopped; the same command goes on from here."
    assert "Traceback" not in err


@pytest.mark.usefixtures("hurried")
def test_progress_is_told_on_standard_error_and_the_result_on_standard_output(call: Call, tmp_path: Path) -> None:
    recipe = write_slice(tmp_path, per_desk=2, pool=24, seeds=1)
    code, out, err = call("run", recipe, "--out", tmp_path / "run")
    assert code == 0
    assert [line.split(":")[0] for line in err.splitlines()] == ["teach", "clean", "students", "evaluate"]
    assert "linear/distilled" in out
    assert len(rows(tmp_path / "run" / "6-predictions.jsonl")) == 24


def test_the_key_is_not_shown(call: Call, tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEST_TEACHER_KEY", "sk-secret-0123456789")
    tiny.write_text(
        tiny.read_text().replace("model: m", "model: m\n  api_key_env: TEST_TEACHER_KEY\n  max_attempts: 1")
    )
    for command in ("check", "run"):
        _, out, err = call(command, tiny, "--out", tiny.parent / "run")
        assert "sk-secret" not in out + err
    monkeypatch.delenv("TEST_TEACHER_KEY")
    code, _, err = call("check", tiny)
    assert code == 2
    assert "environment variable TEST_TEACHER_KEY is not set" in one_line(err)


def test_the_version_is_told(call: Call) -> None:
    assert call("--version")[1].startswith("understudy 0.")


def test_replies_that_were_of_no_use_are_told(capsys: pytest.CaptureFixture[str], newswire_run: Run) -> None:
    scores = copy.deepcopy(newswire_run.scores)
    scores["teacher"]["unusable"], scores["data"]["rejected"] = 7, {"not JSON": 3}
    console.show_run(replace(newswire_run, scores=scores))
    assert "no usable answer to 7 of" in " ".join(capsys.readouterr().out.split())
