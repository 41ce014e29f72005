import resource
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.sound_recipe import SOUND, load, problems, write, yaml_problems
from understudy import pipeline
from understudy.errors import RecipeError
from understudy.recipe import Recipe


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


def test_without_students_there_is_only_the_teacher_to_be_had(tmp_path: Path) -> None:
    recipe = load(tmp_path, students=...)
    assert recipe.students == ()
    with pytest.raises(RecipeError, match="students: none; expected one at the least"):
        pipeline.run(recipe, tmp_path / "run")


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


def test_a_sound_prompt_in_the_recipe_is_used(tmp_path: Path) -> None:
    prompt = {"system": "One of {{ labels | join(', ') }}.", "user": "{{ text }}"}
    task = load(tmp_path, task={**SOUND["task"], "prompt": prompt}).task.build()
    assert task.messages("{{ x }}") == [
        {"role": "system", "content": "One of a, b."},
        {"role": "user", "content": "{{ x }}"},
    ]


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


def test_a_folder_is_not_taken_for_a_model_that_needs_none(tmp_path: Path) -> None:
    for name in ("bundled", "scratch"):
        (tmp_path / name).mkdir()
    students = {"encoder": {"model": "bundled"}, "t5": {"model": "scratch"}, "bart": {"model": "./scratch"}}
    encoder, t5, bart = load(tmp_path, students=students).students
    assert (encoder.settings["model"], t5.settings["model"]) == ("bundled", "scratch")
    assert bart.settings["model"] == str(tmp_path.resolve() / "scratch")


@pytest.mark.parametrize("model", ["someone/bert", "", " ", "x" * 5_000, "x/" * 5_000, "~nobody-of-that-name/bert"])
def test_a_model_that_is_no_folder_stays_a_name(tmp_path: Path, model: str) -> None:
    [student] = load(tmp_path, students={"encoder": {"model": model}}).students
    assert student.settings["model"] == model


def test_the_word_vectors_of_a_student_are_found_from_anywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    monkeypatch.setenv("HOME", "/home/of-somebody")
    written = {"a": "deep/glove.txt", "b": "/glove.txt", "c": "~/glove.txt"}
    students = {name: {"student": "lstm", "vectors": path} for name, path in written.items()}
    found = [student.settings["vectors"] for student in load(tmp_path, students=students).students]
    assert found == [str(tmp_path.resolve() / "deep/glove.txt"), "/glove.txt", "/home/of-somebody/glove.txt"]
    [without] = load(tmp_path, students={"lstm": {"vectors": None}}).students
    assert without.settings["vectors"] is None


def test_a_home_of_nobody_is_a_folder_like_any_other(tmp_path: Path) -> None:
    data = {**SOUND["data"], "test": "~nobody-of-that-name/t.jsonl"}
    recipe = load(tmp_path, data=data, students={"lstm": {"vectors": "~nobody-of-that-name/v.txt"}})
    assert recipe.data.test == tmp_path.resolve() / "~nobody-of-that-name/t.jsonl"
    assert recipe.students[0].settings["vectors"] == str(tmp_path.resolve() / "~nobody-of-that-name/v.txt")


def test_labels_need_no_description(tmp_path: Path) -> None:
    task = "{type: classification, labels: {a: , b: the second}}"
    text = yaml.safe_dump({**SOUND, "task": "TASK"}).replace("TASK", task)
    assert Recipe.load(write(tmp_path, text)).task.fingerprint()["settings"]["labels"] == {"a": "", "b": "the second"}


def test_a_recipe_cannot_be_changed_after_it_was_read(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="frozen"):
        load(tmp_path).name = "other"  # type: ignore[misc]
