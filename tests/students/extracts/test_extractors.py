"""What linear and boosted extractors learn, and that they learn it along the mixture."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("lightgbm")

from tests.students import small
from understudy.errors import ModelError
from understudy.example import Example
from understudy.progress import Silent
from understudy.students.extracts.extractor import Lessons, _enough
from understudy.students.gbdt import GBDT
from understudy.students.linear import Linear
from understudy.students.student import load
from understudy.training.mixtures import Mixture

Student = Linear | GBDT

GOLD, DISTILLED = small.summarized("gold", 30), small.summarized("annotated", 60, shift=4)
TEST = small.summarized("test", 15, shift=90)


def lasts(examples: Sequence[Example]) -> list[Example]:
    """The same, their summary being the last sentence whatever it says: a lesson that contradicts the other."""
    return [replace(example, target=example.text.split(". ")[-1]) for example in examples]


def new(name: str) -> Student:
    if name == "linear":
        return Linear(iterations=60)
    return GBDT(chars=0, rounds=20, min_leaf=5, learning_rate=0.3)


def fitted(name: str, mixture: Mixture, validation: Sequence[Example] = ()) -> Student:
    student = new(name)
    student.fit(mixture, validation, small.SUMMARY_TASK, Silent())
    return student


def right(student: Student, examples: Sequence[Example] = TEST) -> float:
    answers = student.predict([example.text for example in examples])
    pairs = zip(answers, examples, strict=True)
    return sum(answer.target == example.target for answer, example in pairs) / len(examples)


def margin(student: Student) -> float:
    """How much higher the telling sentence scores than the last one does, where it is another."""
    lessons = Lessons.of(TEST)
    scores: Any = student._model._scores_of(lessons.documents)  # type: ignore[attr-defined]
    found = [
        score[sentences.index(summary)] - score[-1]
        for score, sentences, summary in zip(scores, lessons.documents, lessons.summaries, strict=True)
        if sentences[-1] != summary
    ]
    return float(np.mean(found))


@pytest.mark.parametrize("name", ["linear", "gbdt"])
def test_it_finds_the_telling_sentence(name: str) -> None:
    assert right(fitted(name, Mixture.named("union", GOLD, DISTILLED), GOLD[:9])) >= 0.9


@pytest.mark.parametrize("name", ["linear", "gbdt"])
def test_simple_mix_goes_from_distilled_to_gold(name: str) -> None:
    gold, mixed, distilled = (
        margin(fitted(name, Mixture.named(mixture, GOLD, lasts(DISTILLED))))
        for mixture in ("gold", "simple_mix", "distilled")
    )
    assert distilled < mixed < gold


@pytest.mark.parametrize("name", ["linear", "gbdt"])
def test_examples_without_weight_are_not_learned_from(name: str) -> None:
    ignored = [replace(example, weight=0.0) for example in lasts(DISTILLED)]
    assert right(fitted(name, Mixture.named("union", [*GOLD, *ignored], DISTILLED[:1]), GOLD[:9])) >= 0.9


@pytest.mark.parametrize("name", ["linear", "gbdt"])
def test_validation_decides_how_much_is_taken(name: str) -> None:
    wordy = [replace(example, target=example.text) for example in small.summarized("gold", 150, shift=60)]
    student = fitted(name, Mixture.named("union", GOLD, DISTILLED), wordy)
    assert [answer.target for answer in student.predict([TEST[0].text])] == [TEST[0].text]


@pytest.mark.parametrize("name", ["linear", "gbdt"])
def test_a_model_for_other_features_is_a_model_error(name: str, tmp_path: Path) -> None:
    student = fitted(name, Mixture.named("gold", GOLD, []))
    student.save(tmp_path / "model")
    part = tmp_path / "model" / {"linear": "scale.safetensors", "gbdt": "trees.txt"}[name]
    if name == "linear":
        from safetensors.numpy import save_file

        save_file({"scale": np.ones((2, 3), dtype=np.float32)}, part)
    else:
        part.write_text(part.read_text().replace("max_feature_idx=24", "max_feature_idx=2"))
    with pytest.raises(ModelError):
        load(tmp_path / "model")


def test_a_text_that_varies_in_nothing_learned_is_answered() -> None:
    """A feature that is the same in all of training says nothing, however different it is later."""
    student = fitted("linear", Mixture.named("gold", GOLD, []))
    [answer] = student.predict(["One thing after another happened. " * 300])
    assert answer.target == "One thing after another happened."
    assert 0 < (answer.confidence or 0) < 1


def test_sentences_count_as_much_as_their_example() -> None:
    lessons = Lessons.of([replace(GOLD[0], weight=0.5), replace(GOLD[1], text=" "), GOLD[2]])
    assert lessons.lengths == [3, 0, 3]
    assert lessons.by_sentence(np.array([2.0, 1.0, 3.0])).tolist() == [1, 1, 1, 3, 3, 3]


def test_of_very_many_examples_some_are_learned_from_and_the_mixture_stays_as_it_was() -> None:
    whole = Mixture.named("simple_mix", GOLD, DISTILLED * 1_000)
    few = whole.thinned(_enough)
    assert (len(few.gold), len(few.distilled)) == (30, 20_000)
    assert few.m == pytest.approx(whole.m)
