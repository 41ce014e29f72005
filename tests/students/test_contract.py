"""What every registered student keeps to, for each of its tasks. A new student gets one line in `TINY`."""

import inspect
import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("lightgbm")
pytest.importorskip("torch")
pytest.importorskip("transformers")

from tests.students import small
from tests.students.tiny_bert import write_tiny_bert
from understudy import registry
from understudy.data.files import folder_bytes
from understudy.errors import ModelError
from understudy.example import Example, Prediction
from understudy.progress import Silent
from understudy.students.student import MANIFEST, Student, load, read_manifest
from understudy.tasks.task import Task
from understudy.training.mixtures import Mixture

BERT = "the folder of a tiny BERT"
TINY: dict[str, dict[str, Any]] = {
    "linear": {"iterations": 30},
    "gbdt": {"rounds": 8, "max_features": 200},
    "lstm": {"embedding_size": 8, "hidden_size": 4, "epochs": 2},
    "encoder": {"model": BERT, "max_length": 32, "epochs": 1, "learning_rate": 1e-3},
}
"""Settings with which each student learns in a second."""


@dataclass(frozen=True)
class Lesson:
    """A small task, and what there is to learn it from."""

    task: Task
    gold: Sequence[Example]
    distilled: Sequence[Example]
    validation: Sequence[Example]
    texts: Sequence[str]

    def mixture(self, name: str = "union") -> Mixture:
        return Mixture.named(name, self.gold, self.distilled)


LESSONS = {
    "classification": Lesson(
        small.TASK, small.examples("gold", 12), small.examples("annotated", 24, shift=4), small.VALIDATION, small.TEXTS
    ),
}
CELLS = [(name, task) for name in registry.names("student") for task in sorted(registry.find("student", name).tasks)]
each_student = pytest.mark.parametrize("name", registry.names("student"))


class Cell:
    """A student that has learned a task, and the folder that it was saved in; nothing changes either."""

    def __init__(self, name: str, task: str, bert: Path, folder: Path) -> None:
        self.name, self.task, self.lesson = name, task, LESSONS[task]
        self._bert = bert
        self.student = self.learned()
        self.folder = folder
        self.student.save(folder)

    def learned(self, mixture: str = "union", **settings: Any) -> Student:
        tiny = {key: str(self._bert) if value is BERT else value for key, value in TINY[self.name].items()}
        student: Student = registry.build("student", self.name, {**tiny, **settings})
        student.fit(self.lesson.mixture(mixture), self.lesson.validation, self.lesson.task, Silent())
        return student

    def predicted(self) -> list[Prediction]:
        return self.student.predict(self.lesson.texts)


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """So little work is done soonest by one thread, above all where other tests run beside it."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def bert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_bert(tmp_path_factory.mktemp("hub") / "tiny-bert")


@pytest.fixture(scope="module", params=CELLS, ids="-".join)
def cell(request: pytest.FixtureRequest, bert: Path, tmp_path_factory: pytest.TempPathFactory) -> Cell:
    name, task = request.param
    return Cell(name, task, bert, tmp_path_factory.mktemp(f"{name}-{task}") / "model")


@pytest.fixture
def copy(cell: Cell, tmp_path: Path) -> Path:
    return Path(shutil.copytree(cell.folder, tmp_path / "copy"))


@each_student
def test_the_constructor_only_keeps_its_settings(name: str) -> None:
    component = registry.find("student", name)
    parameters = inspect.signature(component).parameters
    assert all(parameter.kind is parameter.KEYWORD_ONLY for parameter in parameters.values())
    assert "seed" in parameters
    defaults = {key: parameter.default for key, parameter in parameters.items()}
    assert registry.settings(component()) == defaults
    odd = {key: object() for key in parameters}
    assert registry.settings(component(**odd)) == odd
    assert component.tasks <= set(registry.names("task"))


def test_loaded_it_predicts_exactly_the_same(cell: Cell) -> None:
    again = load(cell.folder)
    assert type(again) is type(cell.student)
    assert again.predict(cell.lesson.texts) == cell.predicted()
    assert again.predict(small.STRANGE) == cell.student.predict(small.STRANGE)
    assert again.count_parameters() == cell.student.count_parameters() > 0


@pytest.mark.parametrize("name", ["linear", "gbdt"])
def test_in_another_process_it_predicts_exactly_the_same(name: str, bert: Path, tmp_path: Path) -> None:
    cell = Cell(name, "classification", bert, tmp_path / "model")
    assert small.predicted_elsewhere(cell.folder) == cell.predicted()


def test_saved_again_after_loading_it_is_the_same_model(cell: Cell, tmp_path: Path) -> None:
    load(cell.folder).save(tmp_path / "again")
    assert load(tmp_path / "again").predict(cell.lesson.texts) == cell.predicted()
    again, first = (json.loads((folder / MANIFEST).read_text()) for folder in (tmp_path / "again", cell.folder))
    assert again == first


def test_every_text_gets_one_answer_with_a_confidence(cell: Cell) -> None:
    answers = cell.predicted()
    assert len(answers) == len(cell.lesson.texts)
    for answer, text in zip(answers, cell.lesson.texts, strict=True):
        assert answer.target is not None
        assert cell.lesson.task.parse(cell.lesson.task.render(answer.target, text), text) == answer.target
        assert answer.confidence is not None
        assert 0.0 <= answer.confidence <= 1.0
    assert cell.student.predict([]) == []


def test_an_answer_does_not_depend_on_its_company(cell: Cell) -> None:
    alone = [cell.student.predict([text])[0] for text in cell.lesson.texts]
    for one, answer in zip(alone, cell.predicted(), strict=True):
        assert one.target == answer.target
        assert one.confidence == pytest.approx(answer.confidence, abs=1e-2)


def test_no_text_is_too_strange(cell: Cell) -> None:
    for answer in cell.student.predict(small.STRANGE):
        assert answer.target is not None
        assert 0.0 <= (answer.confidence or -1.0) <= 1.0


def test_the_same_seed_gives_the_same_student(cell: Cell) -> None:
    assert cell.learned().predict(cell.lesson.texts) == cell.predicted()


@pytest.mark.parametrize("mixture", registry.names("mixture"))
def test_every_mixture_can_be_learned(cell: Cell, mixture: str) -> None:
    answers = cell.learned(mixture, seed=1).predict(cell.lesson.texts)
    assert len(answers) == len(cell.lesson.texts)


def test_it_learns_without_validation_and_with_a_source_missing(cell: Cell) -> None:
    for name, gold, distilled in (("gold", cell.lesson.gold, []), ("distilled", [], cell.lesson.distilled)):
        student: Student = registry.build("student", cell.name, registry.settings(cell.student))
        fit = student.fit(Mixture.named(name, gold, distilled), [], cell.lesson.task, Silent())
        assert fit.steps > 0
        assert len(student.predict(cell.lesson.texts)) == len(cell.lesson.texts)


def test_learning_again_starts_anew(cell: Cell) -> None:
    student = cell.learned("gold", seed=cell.student.seed)  # type: ignore[attr-defined]
    student.fit(cell.lesson.mixture(), cell.lesson.validation, cell.lesson.task, Silent())
    assert student.predict(cell.lesson.texts) == cell.predicted()


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
                if setting == "model" and value == "much":
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


def test_every_student_is_tiny_here_and_every_task_has_a_lesson() -> None:
    assert list(TINY) == registry.names("student")
    assert set(LESSONS) == {task for _, task in CELLS}
