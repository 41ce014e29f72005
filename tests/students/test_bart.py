import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

from tests.students import small
from tests.students.sequences.tiny import one_thread
from understudy.progress import Silent
from understudy.students.bart import BART


def test_it_learns() -> None:
    student = BART(model="scratch", scratch={"d_model": 32}, max_source=32, epochs=15, batch_size=8, learning_rate=5e-3)
    with one_thread():
        fit = student.fit(small.mixture(), small.VALIDATION, small.TASK, Silent())
    assert fit.steps == small.mixture().steps(15, 8)
    assert small.right(student.predict(small.TEXTS)) >= 0.9


def test_its_settings_can_be_looked_at_without_torch() -> None:
    modules = small.modules_after("from understudy.students.bart import BART; BART()")
    assert not modules & {"torch", "numpy", "transformers", "tokenizers"}
