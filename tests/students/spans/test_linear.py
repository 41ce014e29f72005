"""The linear tagger."""

from pathlib import Path

import pytest

from tests.students import small
from understudy.example import Span
from understudy.progress import Silent
from understudy.students.spans.features import KINDS
from understudy.students.spans.linear import LinearTagger
from understudy.students.spans.values import Values
from understudy.training.mixtures import Mixture


def learned(c: float = 10.0) -> LinearTagger:
    tagger = LinearTagger(small.NER_TASK, values=Values(1_000, fewest=2), c=c, iterations=50)
    tagger.fit(Mixture.named("gold", small.marked("gold", 40), []), small.marked("gold", 10, shift=50), Silent())
    return tagger


def test_names_are_found_by_their_neighbours_and_their_shape() -> None:
    text = "A note. Zoe Smith went to Prague."
    answer = learned().predict([text])[0]
    assert answer.target == (Span(8, 17, "PER"), Span(26, 32, "LOC"))
    assert answer.confidence is not None
    assert 0.3 < answer.confidence < 1.0


def test_every_value_has_a_weight_for_each_tag(tmp_path: Path) -> None:
    tagger = learned()
    values = Values(1_000, fewest=2)
    tagger.write(tmp_path)
    values.load(tmp_path)
    assert tagger.count_parameters() == (values.size + 1) * 5
    assert values.size > len(KINDS)


def test_a_weak_penalty_makes_it_surer() -> None:
    text = "Ada went to Oslo."
    sure, less_sure = (learned(c).predict([text])[0].confidence for c in (10.0, 0.001))
    assert sure == pytest.approx(1.0, abs=0.2)
    assert (less_sure or 1.0) < (sure or 0.0)
