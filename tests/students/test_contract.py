"""What every registered student keeps to, for each of its tasks. A new student gets one line in `contract.TINY`."""

import inspect
from pathlib import Path
from typing import get_args

import pytest

pytest.importorskip("lightgbm")
pytest.importorskip("torch")
pytest.importorskip("transformers")

from tests.students import small
from tests.students.contract import LESSONS, TINY, Cell
from understudy import registry
from understudy.progress import Silent
from understudy.students.student import Student, load
from understudy.tasks.task import Form
from understudy.training.mixtures import Mixture

pytestmark = pytest.mark.usefixtures("one_thread")
each_student = pytest.mark.parametrize("name", registry.names("student"))


def is_confidence(found: float | None, cell: Cell) -> bool:
    """Whether it is a probability; a control has none, nor has who copies where copies are no answers."""
    task, student = cell.lesson.task, cell.student
    unsure = student.control or (student.copies and task.form == "text" and not task.extractive)
    return found is None if unsure else found is not None and 0.0 <= found <= 1.0


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
    assert component.forms <= set(get_args(Form))


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


def test_every_text_gets_one_answer_with_a_confidence_unless_it_is_a_controls(cell: Cell) -> None:
    answers = cell.predicted()
    assert len(answers) == len(cell.lesson.texts)
    for answer, text in zip(answers, cell.lesson.texts, strict=True):
        assert answer.target is not None
        assert cell.lesson.task.parse(cell.lesson.task.render(answer.target, text), text) == answer.target
        assert is_confidence(answer.confidence, cell)
    assert cell.student.predict([]) == []


def test_an_answer_does_not_depend_on_its_company(cell: Cell) -> None:
    alone = [cell.student.predict([text])[0] for text in cell.lesson.texts]
    for one, answer in zip(alone, cell.predicted(), strict=True):
        assert one.target == answer.target
        assert one.confidence == pytest.approx(answer.confidence, abs=1e-2)


def test_no_text_is_too_strange(cell: Cell) -> None:
    task = cell.lesson.task
    for answer, text in zip(cell.student.predict(small.STRANGE), small.STRANGE, strict=True):
        assert answer.target is not None
        assert is_confidence(answer.confidence, cell)
        if answer.target and task.form != "spans":  # of a hundred equal mentions, which one is meant is not said
            assert task.parse(task.render(answer.target, text), text) == answer.target


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


def test_every_student_is_tiny_here_and_every_task_has_a_lesson() -> None:
    assert list(TINY) == registry.names("student")
    assert list(LESSONS) == registry.names("task")
