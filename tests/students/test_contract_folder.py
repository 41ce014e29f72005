"""What every student's model folder keeps to: it is whole, carries no code, and whatever is wrong in it is told."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("lightgbm")
pytest.importorskip("torch")
pytest.importorskip("transformers")

from tests.students import small
from tests.students.contract import Cell
from understudy import registry
from understudy.data.files import folder_bytes
from understudy.errors import ModelError
from understudy.progress import Silent
from understudy.students.student import MANIFEST, load, read_manifest

pytestmark = pytest.mark.usefixtures("one_thread")
FREE_TEXT = {"model", "prefix", "vectors"}
"""Settings that any text will do for."""


def test_saved_again_after_loading_it_is_the_same_model(cell: Cell, tmp_path: Path) -> None:
    load(cell.folder).save(tmp_path / "again")
    assert load(tmp_path / "again").predict(cell.lesson.texts) == cell.predicted()
    again, first = (json.loads((folder / MANIFEST).read_text()) for folder in (tmp_path / "again", cell.folder))
    assert again == first


def test_no_file_can_carry_code(cell: Cell) -> None:
    files = [file for file in cell.folder.rglob("*") if file.is_file()]
    assert {file.suffix for file in files} <= {".json", ".safetensors", ".txt"}
    for file in files:
        # A pickle starts with its protocol, a zip (which torch and numpy write) with PK, a gzip with 1F 8B.
        assert not file.read_bytes().startswith((b"\x80", b"PK", b"\x1f\x8b", b"\x93NUMPY"))
    assert folder_bytes(cell.folder) == sum(file.stat().st_size for file in files) > 0


def test_the_manifest_tells_the_task_and_the_settings(cell: Cell) -> None:
    manifest = read_manifest(cell.folder)
    assert (manifest.student, manifest.task_name) == (cell.name, cell.task)
    assert manifest.settings == registry.settings(cell.student)
    assert registry.settings(manifest.task) == registry.settings(cell.lesson.task)


def test_saving_replaces_the_whole_folder(cell: Cell, copy: Path) -> None:
    (copy / "left over.txt").write_text("from another model")
    (copy / MANIFEST).write_text("{}")
    cell.student.save(copy)
    assert sorted(file.name for file in copy.iterdir()) == sorted(file.name for file in cell.folder.iterdir())
    assert load(copy).predict(cell.lesson.texts) == cell.predicted()
    assert [folder.name for folder in copy.parent.iterdir()] == ["copy"]


def test_saving_removes_nothing_but_a_model(cell: Cell, tmp_path: Path) -> None:
    (tmp_path / "thesis").mkdir()
    kept = tmp_path / "thesis" / "chapter.txt"
    kept.write_text("years of work")
    for place in (tmp_path / "thesis", kept):
        with pytest.raises(ModelError, match="holds something other than a model"):
            cell.student.save(place)
    assert kept.read_text() == "years of work"
    (tmp_path / "empty").mkdir()
    cell.student.save(tmp_path / "empty")
    assert load(tmp_path / "empty").predict(cell.lesson.texts) == cell.predicted()


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_no_numbers_are_a_model_error(cell: Cell, copy: Path, value: float) -> None:
    from safetensors.numpy import load_file, save_file

    for file in copy.glob("*.safetensors"):
        weights = load_file(file)
        for name, array in weights.items():
            harmed = array.copy()
            harmed.reshape(-1)[-1] = value
            save_file({**weights, name: harmed}, file)
            with pytest.raises(ModelError, match="not a number"):
                load(copy)
        save_file(weights, file)


def test_a_missing_empty_or_cut_off_file_is_a_model_error(cell: Cell, copy: Path) -> None:
    for file in sorted(copy.iterdir()):
        whole = file.read_bytes()
        for harmed in (None, b"", whole[: len(whole) // 2], whole[: len(whole) // 50], b"\xff" * 64, b"[[" * 9999):
            if harmed is None:
                file.unlink()
            else:
                file.write_bytes(harmed)
            with pytest.raises(ModelError):
                load(copy)
        file.write_bytes(whole)
    assert load(copy).predict(cell.lesson.texts) == cell.predicted()


@pytest.mark.parametrize("value", [None, 1, "text", [], {}, {"words": 3}, [[]], [1, 2], [["a", "a"]], [{"a": "b"}]])
def test_a_json_file_with_something_else_in_it_is_a_model_error(cell: Cell, copy: Path, value: Any) -> None:
    for file in copy.glob("*.json"):
        if file.name == "tokenizer_config.json":
            continue
        whole = file.read_text(encoding="utf-8")
        file.write_text(json.dumps(value), encoding="utf-8")
        with pytest.raises(ModelError):
            load(copy)
        file.write_text(whole, encoding="utf-8")


def test_weights_of_another_shape_are_a_model_error(cell: Cell, copy: Path) -> None:
    from safetensors.numpy import load_file, save_file

    for file in copy.glob("*.safetensors"):
        weights = load_file(file)
        for name, value in weights.items():
            if value.size < 2:
                continue
            for harmed in ({**weights, name: value.reshape(-1)[:-1]}, {k: v for k, v in weights.items() if k != name}):
                save_file({key: array.copy() for key, array in harmed.items()}, file)
                with pytest.raises(ModelError):
                    load(copy)
        save_file(weights, file)
    assert load(copy).predict(cell.lesson.texts) == cell.predicted()


def _set(*path: str, to: Any) -> Callable[[dict[str, Any]], object]:
    def harm(manifest: dict[str, Any]) -> None:
        for key in path[:-1]:
            manifest = manifest[key]
        manifest[path[-1]] = to

    return harm


@pytest.mark.parametrize(
    "harm",
    [
        _set("format", to=2),
        _set("format", to="1"),
        _set("student", to="linear"),
        _set("student", to=None),
        _set("student", "name", to="no such student"),
        _set("student", "name", to="os.system"),
        _set("student", "name", to="understudy.students.linear:Linear"),
        _set("student", "name", to=["linear"]),
        _set("student", "name", to=3),
        _set("student", "name", to=None),
        _set("student", "settings", to=None),
        _set("student", "settings", to=[]),
        _set("student", "settings", "no_such_setting", to=1),
        _set("student", "settings", "seed", to="often"),
        _set("student", "settings", "seed", to=[1]),
        _set("student", "settings", "seed", to=1.5),
        _set("task", to=[]),
        _set("task", "name", to="os.system"),
        _set("task", "name", to={}),
        _set("task", "settings", to=7),
        _set("task", "settings", "no_such_setting", to=1),
        lambda manifest: manifest.pop("format"),
        lambda manifest: manifest.pop("task"),
        lambda manifest: manifest["student"].pop("name"),
        lambda manifest: manifest["student"].pop("settings"),
    ],
)
def test_a_hostile_manifest_is_a_model_error(cell: Cell, copy: Path, harm: Callable[[dict[str, Any]], object]) -> None:
    manifest = json.loads((copy / MANIFEST).read_text(encoding="utf-8"))
    harm(manifest)
    (copy / MANIFEST).write_text(json.dumps(manifest), encoding="utf-8")
    with pytest.raises(ModelError) as error:
        load(copy)
    assert str(copy) in str(error.value)
    assert "\n" not in str(error.value)


def test_settings_of_the_wrong_type_are_a_model_error(cell: Cell, copy: Path) -> None:
    manifest = json.loads((copy / MANIFEST).read_text(encoding="utf-8"))
    for part in ("student", "task"):
        for setting in manifest[part]["settings"]:
            values: list[Any] = [{"a": []}, [[]], True if part == "task" else "much"]
            for value in values:
                if setting in FREE_TEXT and value == "much":
                    continue
                harmed = json.loads(json.dumps(manifest))
                harmed[part]["settings"][setting] = value
                (copy / MANIFEST).write_text(json.dumps(harmed), encoding="utf-8")
                with pytest.raises(ModelError, match=setting):
                    load(copy)


@pytest.mark.parametrize(
    "labels", [[], ["sport"], ["sport", "money"], ["sport", "money", "science", "more"], "abc", [1, 2, 3], {"a": 1}]
)
def test_labels_that_do_not_fit_the_weights_are_a_model_error(cell: Cell, copy: Path, labels: Any) -> None:
    if cell.task != "classification":
        pytest.skip("not a task of labels")
    manifest = json.loads((copy / MANIFEST).read_text(encoding="utf-8"))
    manifest["task"]["settings"]["labels"] = labels
    (copy / MANIFEST).write_text(json.dumps(manifest), encoding="utf-8")
    with pytest.raises(ModelError):
        load(copy)


def test_another_students_folder_is_a_model_error(cell: Cell, copy: Path) -> None:
    manifest = json.loads((copy / MANIFEST).read_text(encoding="utf-8"))
    for name in registry.names("student"):
        if name == cell.name:
            continue
        manifest["student"] = {"name": name, "settings": {}}
        (copy / MANIFEST).write_text(json.dumps(manifest), encoding="utf-8")
        with pytest.raises(ModelError):
            load(copy)


def test_what_is_no_model_folder_is_a_model_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("text")
    (tmp_path / "empty").mkdir()
    (tmp_path / "folder" / MANIFEST).mkdir(parents=True)
    for name in ("missing", "file", "empty", "folder"):
        with pytest.raises(ModelError, match=name):
            load(tmp_path / name)


def test_a_student_that_is_not_registered_cannot_be_saved(tmp_path: Path) -> None:
    homemade = type("Homemade", (registry.find("student", "linear"),), {})
    student = homemade()
    student.fit(small.mixture(), [], small.TASK, Silent())
    with pytest.raises(ModelError, match="Homemade is no registered student"):
        student.save(tmp_path / "model")
    assert list(tmp_path.iterdir()) == []
