"""The boosted tagger."""

from dataclasses import replace

import pytest

pytest.importorskip("lightgbm")

from tests.students import small
from understudy.example import Example, Span
from understudy.progress import Silent
from understudy.students.boosting import Boosting
from understudy.students.spans.boosted import BoostedTagger
from understudy.students.spans.values import Values
from understudy.training.mixtures import Mixture

HOW = Boosting(rounds=20, learning_rate=0.3, leaves=4, feature_fraction=0.5, min_leaf=3, seed=0)


def learned(mixture: str = "gold") -> BoostedTagger:
    tagger = BoostedTagger(small.NER_TASK, values=Values(1_000, fewest=1), how=HOW)
    examples = Mixture.named(mixture, small.marked("gold", 60), small.marked("annotated", 60, shift=7))
    fit = tagger.fit(examples, small.marked("gold", 10, shift=70), Silent())
    assert fit.steps == 20
    return tagger


def as_one(examples: list[Example]) -> Example:
    """A text whose lines are those of the examples."""
    text, spans = "", []
    for example in examples:
        assert isinstance(example.target, tuple)
        spans += [Span(len(text) + start, len(text) + end, type_) for start, end, type_ in example.target]
        text += example.text + "\n"
    return Example(id=examples[0].id, text=text, target=tuple(spans))


@pytest.mark.parametrize("mixture", ["gold", "simple_mix", "union"])
def test_names_are_found_in_texts_that_were_not_learned_from(mixture: str) -> None:
    known = small.marked("test", 12, shift=200)
    held_out = [replace(example, text=example.text.replace("went", "came")) for example in known]
    answers = learned(mixture).predict([example.text for example in held_out])
    right = [answer.target == example.target for answer, example in zip(answers, held_out, strict=True)]
    assert sum(right) >= 10
    assert all(0.1 < (answer.confidence or 0.0) < 1.0 for answer in answers)


@pytest.mark.parametrize("texts", [1, 2])
def test_it_learns_from_very_few_texts_as_well_as_from_the_sentences_in_them(texts: int) -> None:
    sentences = small.marked("gold", 120)
    joined = [as_one(sentences[start::texts]) for start in range(texts)]
    tagger = BoostedTagger(small.NER_TASK, values=Values(1_000, fewest=1), how=HOW)
    tagger.fit(Mixture.named("gold", joined, []), [], Silent())
    test = small.marked("test", 12, shift=200)
    answers = tagger.predict([example.text for example in test])
    assert [answer.target for answer in answers] == [example.target for example in test]


def test_rates_count_as_parameters_as_well_as_trees() -> None:
    tagger = learned()
    assert tagger.count_parameters() > tagger._rates.size > 0
