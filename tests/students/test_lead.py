"""The beginning of a text as its summary."""

import json
from pathlib import Path

import pytest

from tests.students import small
from understudy.errors import ModelError
from understudy.example import Example
from understudy.progress import Silent
from understudy.students.lead import Lead
from understudy.students.student import load
from understudy.training.mixtures import Mixture

TEXT = "One man left.\nTwo women came. Three children sang! Four dogs barked. Five birds flew. Six fish swam."


def fitted(target: str, **settings: int) -> Lead:
    example = Example(id="a", text=TEXT, target=target, source="gold")
    student = Lead(**settings)
    student.fit(Mixture.named("gold", [example] * 3, []), [], small.SUMMARY_TASK, Silent())
    return student


def answer(student: Lead, text: str = TEXT) -> object:
    return student.predict([text])[0].target


@pytest.mark.parametrize("sentences", [1, 2, 3])
def test_so_many_sentences_are_taken_as_the_setting_says(sentences: int) -> None:
    parts = ["One man left.", "Two women came.", "Three children sang!"]
    assert answer(fitted("Something else", sentences=sentences)) == " ".join(parts[:sentences])


def test_left_open_it_takes_as_many_as_score_highest() -> None:
    assert answer(fitted("One man left. Two women came.")) == "One man left. Two women came."
    assert answer(fitted("One man left.")) == "One man left."


def test_line_breaks_between_sentences_are_learned_too() -> None:
    assert answer(fitted("One man left.\nTwo women came.")) == "One man left.\nTwo women came."


def test_a_short_text_is_its_own_beginning() -> None:
    student = fitted("a", sentences=3)
    assert answer(student, "Only this.") == "Only this."
    assert answer(student, " \n ") == ""


def test_it_claims_no_confidence_since_nothing_tells_one_beginning_from_another() -> None:
    assert [answer.confidence for answer in fitted("One man left.").predict([TEXT, "", "Only this."])] == [None] * 3


def test_it_says_one_number_and_how_many_it_tried() -> None:
    student = Lead()
    fit = student.fit(small.mixture(), [], small.SUMMARY_TASK, Silent())
    assert (fit.steps, student.count_parameters()) == (5, 1)
    assert Lead(sentences=2).fit(small.mixture(), [], small.SUMMARY_TASK, Silent()).steps == 1


@pytest.mark.parametrize("harm", [{"sentences": 0}, {"sentences": 1.5}, {"joint": "x"}, {"more": 1}])
def test_a_beginning_that_is_none_is_a_model_error(harm: dict[str, object], tmp_path: Path) -> None:
    fitted("One man left.").save(tmp_path / "model")
    part = tmp_path / "model" / "beginning.json"
    part.write_text(json.dumps(json.loads(part.read_text()) | harm))
    with pytest.raises(ModelError):
        load(tmp_path / "model")
