import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from understudy import pipeline
from understudy.errors import RecipeError
from understudy.recipe import Recipe

SOUND: dict[str, Any] = {
    "name": "sound",
    "task": {"type": "classification", "labels": ["a", "b"]},
    "data": {"pool": "pool.jsonl", "gold": "gold.jsonl", "test": "test.jsonl"},
    "teacher": {"model": "m", "base_url": "http://localhost:1/v1"},
    "students": {"linear": None},
}


def write(folder: Path, text: str) -> Path:
    path = folder / "recipe.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def load(folder: Path, **changed: Any) -> Recipe:
    kept = {name: value for name, value in {**SOUND, **changed}.items() if value is not ...}
    return Recipe.load(write(folder, yaml.safe_dump(kept, sort_keys=False)))


def problems(folder: Path, **changed: Any) -> list[str]:
    with pytest.raises(RecipeError) as caught:
        load(folder, **changed)
    return caught.value.problems


def yaml_problems(path: Path) -> list[str]:
    with pytest.raises(RecipeError) as caught:
        Recipe.load(path)
    assert str(caught.value).startswith(f"{path}: ")
    return caught.value.problems


def test_a_sound_recipe_is_read_with_its_defaults(tmp_path: Path) -> None:
    recipe = load(tmp_path)
    assert recipe.name == "sound"
    assert [(spec.name, spec.student, spec.settings, spec.seeds) for spec in recipe.students] == [
        ("linear", "linear", {}, 3)
    ]
    assert recipe.mixtures == ("gold", "distilled", "simple_mix")
    assert recipe.clean.max_chars == 2048
    assert recipe.learning_curve is None
    assert recipe.source == (tmp_path / "recipe.yaml").resolve()


def test_a_student_may_have_a_name_settings_and_seeds_of_its_own(tmp_path: Path) -> None:
    students = {"quick": {"student": "gbdt", "rounds": 5, "seeds": 1}, "linear": {"c": 1}}
    quick, linear = load(tmp_path, students=students, seeds=4).students
    assert (quick.name, quick.student, quick.settings, quick.seeds) == ("quick", "gbdt", {"rounds": 5}, 1)
    assert (linear.settings, linear.seeds) == ({"c": 1.0}, 4)


def test_relative_paths_are_taken_from_the_recipes_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "deep").mkdir()
    monkeypatch.chdir(tmp_path / "deep")
    monkeypatch.setenv("HOME", "/home/of-somebody")
    write(tmp_path, yaml.safe_dump({**SOUND, "data": {**SOUND["data"], "pool": "../p.jsonl", "test": "~/t.jsonl"}}))
    data = Recipe.load("../recipe.yaml").data
    assert data.gold == tmp_path.resolve() / "gold.jsonl"
    assert data.pool is not None
    assert data.pool.resolve() == tmp_path.resolve().parent / "p.jsonl"
    assert data.test == Path("/home/of-somebody/t.jsonl")


def test_paths_of_a_recording_are_taken_from_there_too(tmp_path: Path) -> None:
    teacher = {"model": "m", "replies": {"requests": "a.jsonl", "replies": "/b.jsonl"}, "store": "kept.jsonl"}
    section = load(tmp_path, teacher=teacher).teacher
    [recording] = section.replies
    assert recording.requests == tmp_path.resolve() / "a.jsonl"
    assert recording.replies == Path("/b.jsonl")
    assert section.store == tmp_path.resolve() / "kept.jsonl"


@pytest.mark.parametrize(
    ("written", "compared"),
    [
        (["distilled"], ("gold", "distilled")),
        (["union", "gold"], ("gold", "union")),
        (["distilled", "distilled"], ("gold", "distilled")),
    ],
)
def test_gold_the_control_is_always_among_the_mixtures(
    tmp_path: Path, written: list[str], compared: tuple[str, ...]
) -> None:
    assert load(tmp_path, mixtures=written).mixtures == compared


def test_without_gold_only_distilled_can_be_trained(tmp_path: Path) -> None:
    data = {"pool": "p.jsonl", "test": "t.jsonl"}
    assert load(tmp_path, data=data, mixtures=["distilled"]).mixtures == ("distilled",)
    expected = ["mixtures: without data.gold there is nothing to mix; expected [distilled], or data.gold"]
    assert problems(tmp_path, data=data) == expected


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
    students = "linear, gbdt, lstm, encoder"
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


def test_without_students_there_is_only_the_teacher_to_be_had(tmp_path: Path) -> None:
    recipe = load(tmp_path, students=...)
    assert recipe.students == ()
    with pytest.raises(RecipeError, match="students: none; expected one at the least"):
        pipeline.run(recipe, tmp_path / "run")


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
    ("text", "problem"),
    [
        ("name: a\nteacher: {}\nname: b\n", "line 3: not valid YAML: the key 'name' stands twice"),
        ("students:\n  linear:\n  linear: {c: 1}\n", "line 3: not valid YAML: the key 'linear' stands twice"),
        ("name: [", "line 1: not valid YAML: expected the node content"),
        ("a: b\tc: d\n  e: f", "line 1: not valid YAML: "),
        ("name: 2020-13-45", "not valid YAML: month must be in 1..12"),
        ("- a\n- b\n", "not a recipe: expected keys such as name, task"),
        ("just words", "not a recipe: "),
        ("", "not a recipe: "),
        ("\0", "not valid YAML: unacceptable character"),
        ("{[1]: 2}", "line 1: not valid YAML: found unhashable key"),
        ("a: &a {b: c}\nd: {<<: *a}\n", "line 2: not valid YAML: << is not known here; write the keys out"),
        ("a: " + "[" * 5_000, "not valid YAML: maximum recursion depth exceeded"),
        ("name: !!python/object/apply:os.getcwd []", "line 1: not valid YAML: could not determine a constructor"),
        ("name: !!python/name:os.system", "line 1: not valid YAML: could not determine a constructor"),
    ],
)
def test_what_is_no_recipe_is_told_in_one_line(tmp_path: Path, text: str, problem: str) -> None:
    [found] = yaml_problems(write(tmp_path, text))
    assert found.startswith(problem)
    assert "\n" not in found


def test_what_cannot_be_read_is_told(tmp_path: Path) -> None:
    (tmp_path / "binary.yaml").write_bytes(b"\x00\x01\xff\xfe" * 100)
    assert yaml_problems(tmp_path / "binary.yaml")[0].startswith("not valid YAML: 'utf-8' codec can't decode")
    assert yaml_problems(tmp_path / "missing.yaml") == ["cannot be read (No such file or directory)"]
    assert yaml_problems(tmp_path) == ["cannot be read (Is a directory)"]


_LAUGH = "\n".join(
    ["a: &a [x, x, x, x, x, x, x, x, x]"]
    + [f"{new}: &{new} [{', '.join([f'*{old}'] * 9)}]" for old, new in zip("abcdefgh", "bcdefghi", strict=True)]
)
_BOMB = f"""{_LAUGH}
name: *i
task: {{type: *i, labels: *i, prompt: *i}}
data: *i
teacher: {{model: *i, headers: *i}}
students: {{linear: {{student: *i, seeds: *i}}, gbdt: {{rounds: *i, seeds: *i, student: gbdt}}, x: *i}}
mixtures: *i
seeds: *i
learning_curve: {{student: *i}}
"""


def test_a_billion_laughs_take_neither_time_nor_memory(tmp_path: Path) -> None:
    path = write(tmp_path, _BOMB)

    def limited() -> None:
        resource.setrlimit(resource.RLIMIT_CPU, (10, 10))

    code = (
        "import sys\nfrom understudy.recipe import Recipe\nfrom understudy.errors import RecipeError\n"
        "try: Recipe.load(sys.argv[1])\n"
        "except RecipeError as error: print(len(error.problems), len(str(error)))\n"
        # not getrusage: there a child begins with the figure of the process that made it
        "print(int(open('/proc/self/status').read().split('VmHWM:')[1].split()[0]) // 1024)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)],
        preexec_fn=limited,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    found, length, megabytes = map(int, done.stdout.split())
    assert 10 < found < 100
    assert length < 10_000
    assert megabytes < 500


def test_a_recipe_that_holds_itself_is_told(tmp_path: Path) -> None:
    assert "students.linear.linear: unknown key" in "\n".join(
        yaml_problems(write(tmp_path, "students: &a {linear: *a}\nname: &b [*b]\n"))
    )


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


def test_a_sound_prompt_in_the_recipe_is_used(tmp_path: Path) -> None:
    prompt = {"system": "One of {{ labels | join(', ') }}.", "user": "{{ text }}"}
    task = load(tmp_path, task={**SOUND["task"], "prompt": prompt}).task.build()
    assert task.messages("{{ x }}") == [
        {"role": "system", "content": "One of a, b."},
        {"role": "user", "content": "{{ x }}"},
    ]


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


def test_a_model_in_a_folder_beside_the_recipe_is_found_from_anywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "my-bert").mkdir()
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    students = {name: {"student": "encoder", "model": name} for name in ("my-bert", "bundled")}
    mine, bundled = load(tmp_path, students=students).students
    assert mine.settings["model"] == str(tmp_path.resolve() / "my-bert")
    assert bundled.settings["model"] == "bundled"


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


def test_labels_need_no_description(tmp_path: Path) -> None:
    task = "{type: classification, labels: {a: , b: the second}}"
    text = yaml.safe_dump({**SOUND, "task": "TASK"}).replace("TASK", task)
    assert Recipe.load(write(tmp_path, text)).task.fingerprint()["settings"]["labels"] == {"a": "", "b": "the second"}


def test_a_recipe_cannot_be_changed_after_it_was_read(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="frozen"):
        load(tmp_path).name = "other"  # type: ignore[misc]
