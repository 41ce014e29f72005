from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.sound_recipe import SOUND, load, problems, write, yaml_problems


def test_every_mistake_is_listed_at_once_each_with_its_path(tmp_path: Path) -> None:
    found = problems(
        tmp_path,
        name="a/b",
        task={"type": "clasification", "labels": ["a", "b"]},
        data={"pool": 3, "gold": "g.jsonl", "tst": "t.jsonl", "columns": {"txt": "body"}, "validation": 1.5},
        teacher={"model": 5, "concurency": 3, "timeout": "soon", "price": {"input": -1}},
        students={
            "gbdt": {"round": 5},
            "linear": {"c": "much", "seeds": 0},
            "lnear": None,
            "mine": {"student": "lstn"},
            "drawn": {"student": "linear", "seed": 3},
            "bare": 7,
            4: None,
        },
        mixtures=["gold", "destilled"],
        seeds=0,
        learning_curve={"student": "gbtd", "points": 1},
        mixture="gold",
    )
    students = "lead, linear, gbdt, lstm, encoder, t5, bart"
    assert set(found) >= {
        "task.type: unknown task 'clasification'; did you mean 'classification'?",
        "data.pool: expected a path (found 3)",
        "data.test: missing",
        "data.tst: unknown key; did you mean 'test'?",
        "data.columns.txt: unknown key; did you mean 'text'?",
        "teacher.model: expected text (found 5; put it in quotes)",
        "teacher.concurency: unknown key; did you mean 'concurrency'?",
        "teacher.timeout: expected a number (found 'soon')",
        "teacher.price.output: missing",
        "teacher: neither base_url nor replies; expected an endpoint to ask, recorded replies, or both",
        "students.gbdt.round: unknown key; did you mean 'rounds'?",
        "students.linear.c: expected a number (found 'much')",
        "students.lnear: unknown student 'lnear'; did you mean 'linear'?",
        "students.mine.student: unknown student 'lstn'; did you mean 'lstm'?",
        "students.drawn.seed: a run draws its own seeds; expected seeds, how many of them",
        "students.bare: expected a mapping (key: value) (found 7)",
        "students.4: expected text (found 4; put it in quotes)",
        "mixtures.1: unknown mixture 'destilled'; did you mean 'distilled'?",
        "learning_curve.student: unknown student 'gbtd'; did you mean 'gbdt'?",
        "mixture: unknown key; did you mean 'mixtures'?",
    }
    by_value = {"name", "data.validation", "teacher.price.input", "students.linear.seeds", "seeds"}
    assert {problem.split(":")[0] for problem in found} >= {*by_value, "learning_curve.points"}
    assert len(found) == 26
    assert problems(tmp_path, students={"pretty": None}) == [
        f"students.pretty: unknown student 'pretty'; expected one of: {students}"
    ]


@pytest.mark.parametrize("section", ["name", "task", "data", "teacher"])
def test_a_missing_section_is_told(tmp_path: Path, section: str) -> None:
    assert problems(tmp_path, **{section: ...}) == [f"{section}: missing"]


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"students": None}, "students: expected a mapping (key: value) (found None)"),
        ({"students": ["linear"]}, "students: expected a mapping (key: value)"),
        ({"mixtures": []}, "mixtures: list should have at least 1 item"),
        ({"mixtures": "gold"}, "mixtures: expected a list (found 'gold')"),
        ({"seeds": 1.5}, "seeds: expected a whole number (found 1.5)"),
        ({"task": {"labels": ["a", "b"]}}, "task.type: no name of a task; expected one of: classification"),
        ({"task": {"type": ["x"], "labels": ["a", "b"]}}, "task.type: no name of a task"),
        ({"task": {"type": "classification"}}, "task.labels: missing"),
        ({"task": {"type": "classification", "labels": ["a"]}}, "task: 1 label(s) given; expected at least two"),
        ({"task": {"type": "classification", "labels": ["a", "b", "a"]}}, "task: a label stands twice"),
        ({"task": {"type": "classification", "labels": ["a", ""]}}, "task: a label is empty"),
        ({"task": {"type": "classification", "labels": "ab"}}, "task.labels: expected a mapping"),
        ({"task": {"type": "classification", "labels": {"a": 1, "b": "x"}}}, "task.labels.a: expected text (found 1"),
        ({"task": {"type": "classification", "label": ["a", "b"]}}, "task.label: unknown key; did you mean 'labels'?"),
        ({"clean": {"max_chars": 0}}, "clean.max_chars: input should be greater than 0 (found 0)"),
        ({"learning_curve": {}}, "learning_curve.student: missing"),
    ],
)
def test_one_mistake_is_told_in_one_line(tmp_path: Path, changed: dict[str, Any], problem: str) -> None:
    found = problems(tmp_path, **changed)
    assert [line for line in found if line.startswith(problem)], found
    assert all("\n" not in line for line in found)


def test_labels_that_yaml_takes_for_something_else_are_told_to_be_quoted(tmp_path: Path) -> None:
    text = yaml.safe_dump({**SOUND, "task": ...} | {"task": "TASK"}).replace(
        "TASK", "{type: classification, labels: [yes, 1]}"
    )
    assert yaml_problems(write(tmp_path, text)) == [
        "task.labels.0: expected text (found True; put it in quotes)",
        "task.labels.1: expected text (found 1; put it in quotes)",
    ]


@pytest.mark.parametrize("name", ["../x", "a/b", "..", ".hidden", "teacher", "", "a b", "a\n", "/etc"])
def test_a_students_name_is_no_way_out_of_the_run_folder(tmp_path: Path, name: str) -> None:
    [problem] = problems(tmp_path, students={name: {"student": "linear"}})
    assert problem.startswith(f"students.{name}: not a name for a student")


def test_a_name_fits_a_folder_whatever_its_letters(tmp_path: Path) -> None:
    longest = "\U00020000" * 60  # of four bytes each
    (tmp_path / longest).mkdir()
    assert load(tmp_path, name=longest, students={longest: {"student": "linear"}}).name == longest
    [problem] = problems(tmp_path, students={longest + "x": {"student": "linear"}})
    assert problem.endswith("not a name for a student (it names a folder); expected up to 60 letters, digits, . _ -")
    [problem] = problems(tmp_path, name=longest + "x")
    assert problem.startswith("name: ")


def test_a_student_is_not_trained_a_billion_times(tmp_path: Path) -> None:
    assert load(tmp_path, seeds=1000).students[0].seeds == 1000
    found = problems(tmp_path, seeds=10**9, students={"linear": {"seeds": 1001}})
    assert {problem.split(":")[0] for problem in found} == {"seeds", "students.linear.seeds"}


@pytest.mark.parametrize("name", ["../x", "a/b", "..", "", "x\n"])
def test_a_runs_name_is_no_way_out_of_the_folder_of_runs(tmp_path: Path, name: str) -> None:
    [problem] = problems(tmp_path, name=name)
    assert problem.startswith("name: ")


@pytest.mark.parametrize(
    ("prompt", "problem"),
    [
        ({"system": "{{ lables }}", "user": "{{ text }}"}, "'lables' is undefined; it may use labels, text"),
        ({"user": "{{ text }} {{ 1 / 0 }}"}, "the prompt cannot be rendered: division by zero"),
        ({"user": "{{ text }} {% include '/etc/passwd' %}"}, "the prompt cannot be rendered: "),
        ({"user": "{{ text.__class__.__mro__ }}"}, "unsafe"),
        ({"user": "{{ text "}, "the prompt cannot be rendered: unexpected end of template"),
        ({"user": "{{ text }} {% for i in range(99999999) %}{% endfor %}"}, "the prompt cannot be rendered: "),
        ({"user": "Label this."}, "task.prompt: the text to be answered does not stand in it; expected {{ text }}"),
        ({"system": "{{ text }}"}, "task: prompt: user is missing"),
        ({}, "task: prompt: user is missing"),
        ({"sytem": "Label this.", "user": "{{ text }}"}, "unknown key 'sytem'; did you mean 'system'?"),
        ({"user": 5}, "task.prompt.user: expected text (found 5"),
        ("classification.v0", "unknown prompt 'classification.v0'; did you mean 'classification.v2'?"),
        (5, "task.prompt: expected text (found 5"),
    ],
)
def test_a_prompt_given_in_the_recipe_is_tried_out(tmp_path: Path, prompt: Any, problem: str) -> None:
    [found] = problems(tmp_path, task={**SOUND["task"], "prompt": prompt})
    assert problem in found
    assert "\n" not in found


@pytest.mark.parametrize(
    ("student", "settings"),
    [
        ("linear", {"c": 0}),
        ("linear", {"c": float("inf")}),
        ("linear", {"words": 0}),
        ("linear", {"chars": -1}),
        ("linear", {"iterations": 0}),
        ("gbdt", {"rounds": 0}),
        ("gbdt", {"leaves": 1}),
        ("gbdt", {"feature_fraction": 1.5}),
        ("gbdt", {"learning_rate": -0.1}),
        ("lstm", {"batch_size": 0}),
        ("lstm", {"dropout": 1}),
        ("lstm", {"epochs": 0}),
        ("encoder", {"max_length": 2}),
        ("encoder", {"patience": 0}),
        ("encoder", {"frozen_layers": -2}),
        ("encoder", {"learning_rate": float("nan")}),
    ],
)
def test_a_setting_out_of_its_range_is_told_with_its_path(
    tmp_path: Path, student: str, settings: dict[str, float]
) -> None:
    [(setting, value)] = settings.items()
    [problem] = problems(tmp_path, students={student: settings})
    assert problem.startswith(f"students.{student}.{setting}: input should be ")
    assert problem.endswith(f"(found {value!r})")


SECRET = "sk-0123456789abcdefghij"


@pytest.mark.parametrize("name", ["authorization", "Authorization", "api-key", "X-API-Key", "x-goog-token"])
def test_a_secret_does_not_belong_in_a_recipe(tmp_path: Path, name: str) -> None:
    teacher = {**SOUND["teacher"], "headers": {name: SECRET, "X-Title": "desk"}}
    [problem] = problems(tmp_path, teacher=teacher)
    assert problem.startswith(f"teacher.headers.{name}: a secret does not belong in a recipe; expected headers_env")
    assert SECRET not in problem
    teacher = {**SOUND["teacher"], "headers_env": {name: "MY_KEY"}}
    assert load(tmp_path, teacher=teacher).teacher.headers_env == {name: "MY_KEY"}


@pytest.mark.parametrize("url", [f"https://me:{SECRET}@host/v1", f"https://{SECRET}@host/v1", f"//{SECRET}@host"])
def test_an_address_holds_no_user_and_no_password(tmp_path: Path, url: str) -> None:
    [problem] = problems(tmp_path, teacher={"model": "m", "base_url": url})
    assert problem.startswith("teacher.base_url: holds a user or password")
    assert SECRET not in problem
    assert load(tmp_path, teacher={"model": "m", "base_url": "https://host/v1/@me"})


@pytest.mark.parametrize("where", [{"api_key_env": SECRET}, {"headers_env": {"X-Key": SECRET}}])
def test_a_key_where_the_name_of_a_variable_belongs_is_told_and_not_repeated(
    tmp_path: Path, where: dict[str, Any]
) -> None:
    [problem] = problems(tmp_path, teacher={**SOUND["teacher"], **where})
    assert problem.startswith(f"teacher.{next(iter(where))}")
    assert "not the name of an environment variable" in problem
    assert SECRET not in problem


def test_a_price_that_is_one_number_is_told_what_to_write(tmp_path: Path) -> None:
    [problem] = problems(tmp_path, teacher={**SOUND["teacher"], "price": 0.4})
    expected = "expected USD for a million tokens: {input: 0.40, output: 1.60}"
    assert problem == f"teacher.price: {expected} (found 0.4)"


def test_one_vote_gives_no_soft_labels(tmp_path: Path) -> None:
    [problem] = problems(tmp_path, annotate={"soft": "votes"})
    assert problem.startswith("annotate.soft: one vote has no shares; expected annotate.votes of 2 or more")
    assert load(tmp_path, annotate={"soft": "votes", "votes": 2}).annotate.soft == "votes"
