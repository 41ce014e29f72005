"""What the torch taggers have in common, seen in the one that learns fastest."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

pytest.importorskip("torch")

from tests.students import small
from understudy.example import Example, Span
from understudy.progress import Silent
from understudy.segments import words
from understudy.students.lstm import LSTM
from understudy.students.spans.lstm import LSTMTagger, Reading
from understudy.training.mixtures import Mixture

TEST = small.marked("test", 14, shift=90)
TEXTS = [example.text for example in TEST]
VALIDATION = small.marked("gold", 14, shift=60)


def mixture(distilled: Sequence[Example] = tuple(small.marked("annotated", 48, shift=4))) -> Mixture:
    return Mixture.named("distilled", [], distilled)


def fitted(lessons: Mixture | None = None, validation: Sequence[Example] = VALIDATION, **settings: Any) -> LSTM:
    usual = {"embedding_size": 8, "hidden_size": 8, "epochs": 12, "batch_size": 8, "learning_rate": 0.02}
    student = LSTM(**{**usual, **settings})
    student.fit(lessons or mixture(), validation, small.NER_TASK, Silent())
    return student


def f1(student: LSTM) -> float:
    answers = [answer.target for answer in student.predict(TEXTS)]
    return small.NER_TASK.tally([example.target or () for example in TEST], answers, TEXTS).scores()["f1"]


@pytest.fixture(scope="module")
def student() -> LSTM:
    return fitted()


def test_it_learns_and_is_rather_sure(student: LSTM) -> None:
    assert f1(student) == 1.0
    assert min(answer.confidence or 0.0 for answer in student.predict(TEXTS)) > 0.5


def test_fit_counts_passages_and_looks_at_validation() -> None:
    student = LSTM(embedding_size=4, hidden_size=4, epochs=2, batch_size=8)
    fit = student.fit(mixture(), VALIDATION, small.NER_TASK, Silent())
    sentences = sum(text.count(".") for text in (example.text for example in mixture().examples))
    assert fit.steps == -(-2 * sentences // 8)
    assert len(fit.history) == 4
    assert all(0 <= score <= 1 for _, score in fit.history)


def test_examples_without_weight_are_not_learned_from() -> None:
    told = small.marked("annotated", 48, shift=4)
    misled = [replace(example, id=f"w{example.id}", target=(), weight=0.0) for example in told]
    assert f1(fitted(mixture([*told, *misled]))) > 0.9
    assert f1(fitted(mixture([*told, *[replace(example, weight=9.0) for example in misled]]), [])) < 0.5


def test_passages_are_read_as_they_are_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    read = LSTMTagger._read

    def counted(self: LSTMTagger, passages: Sequence[str]) -> list[Reading]:
        asked.append(len(passages))
        return read(self, passages)

    monkeypatch.setattr(LSTMTagger, "_read", counted)
    assert len(fitted(epochs=1).predict(TEXTS * 10)) == 140
    assert max(asked) == 32


def test_words_that_are_not_read_are_in_no_entity(student: LSTM) -> None:
    short = fitted(max_length=3)
    for answer, text in zip(short.predict(TEXTS), TEXTS, strict=True):
        assert isinstance(answer.target, tuple)
        for sentence in text.split(". "):
            behind = [text.index(sentence) + start for start, _ in words(sentence)[3:]]
            assert not {span.start for span in answer.target} & set(behind)


def test_the_confidence_of_a_text_is_that_of_all_its_sentences_together(student: LSTM) -> None:
    sure, unsure = student.predict(["Ada went to Rome.", "Xyz Rome to."])
    together = student.predict(["Ada went to Rome. Xyz Rome to."])[0]
    assert together.confidence == pytest.approx((sure.confidence or 0) * (unsure.confidence or 0), abs=1e-4)
    assert 0.0 < (together.confidence or 0) < 0.9


def test_the_temperature_is_learned_from_validation(student: LSTM) -> None:
    wrong = [replace(example, target=()) for example in VALIDATION]
    doubtful = fitted(validation=wrong)
    mean = [sum(a.confidence or 0 for a in each.predict(TEXTS)) / len(TEXTS) for each in (student, doubtful)]
    assert mean[1] < mean[0]
    assert fitted(validation=[])._model.temperature == 1.0


def test_entities_across_sentences_and_over_parts_of_words_are_learned_from() -> None:
    odd = [
        Example(id="a", text="Ada. Smith went", target=(Span(0, 10, "PER"),), source="annotated"),
        Example(id="b", text="preRome-Oslo", target=(Span(3, 7, "LOC"), Span(7, 12, "PER")), source="annotated"),
        Example(id="c", text="x" * 30 + " word" * 500, target=(), source="annotated"),
        Example(id="d", text="AdaRome Oslo", target=(Span(0, 3, "PER"), Span(3, 12, "LOC")), source="annotated"),
    ]
    assert len(fitted(mixture(odd), epochs=1).predict(TEXTS)) == len(TEXTS)
