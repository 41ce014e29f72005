from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

from tests.students import small
from tests.students.sequences.tiny import FROM_HUB, FROM_SCRATCH, one_thread, write_tiny
from understudy import registry
from understudy.example import Example, Prediction
from understudy.progress import Silent
from understudy.students.student import Student, load
from understudy.training.mixtures import Mixture

TWO_LINES = [replace(example, target="goal match\nteam") for example in small.summarized("gold", 12)]
families = pytest.mark.parametrize("family", ["t5", "bart"])


def fitted(family: str, examples: list[Example], **settings: Any) -> Student:
    student: Student = registry.build("student", family, settings)
    with one_thread():
        student.fit(Mixture.named("gold", examples, []), [], small.SUMMARY_TASK, Silent())
    return student


@families
def test_a_text_without_a_word_gets_an_empty_answer_and_no_other_does(family: str) -> None:
    student = fitted(family, small.summarized("gold", 12), **FROM_SCRATCH)
    answers = student.predict(["", " \n\t ", *small.TEXTS[:2], "\u2003"])
    assert [bool(answer.target) for answer in answers] == [False, False, True, True, False]
    assert answers[0] == Prediction("", 1.0)
    assert student.predict(["", " "]) == [Prediction("", 1.0)] * 2


@pytest.mark.parametrize(("known", "lines"), [(["¶"], "\n"), (["||"], "\n"), ([], " ")])
def test_line_breaks_are_learned_where_the_tokenizer_has_a_mark_for_them(
    known: list[str], lines: str, tmp_path: Path
) -> None:
    tiny = write_tiny("t5", tmp_path / "t5", "a", "b", *known)
    student = fitted("t5", TWO_LINES, **{**FROM_HUB, "model": str(tiny), "epochs": 80, "learning_rate": 1e-2})
    assert {answer.target for answer in student.predict(small.TEXTS)} == {f"goal match{lines}team"}
    student.save(tmp_path / "model")
    assert load(tmp_path / "model").predict(small.TEXTS) == student.predict(small.TEXTS)
