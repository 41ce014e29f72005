from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.students import small
from understudy.example import Example, Prediction, Span
from understudy.tasks.ner import NER
from understudy.training.checked import completed, needle, rarity, trust, weighed, weighted

LABELS = list(small.TASK.labels)
NAMES = NER(types=["PER", "ORG"])


def example(text: str, target: object, **changed: object) -> Example:
    return replace(Example(id=text[:20], text=text, source="annotated"), target=target, **changed)  # type: ignore[arg-type]


def test_a_target_like_the_judges_own_is_trusted_as_far_as_the_judge_is_sure() -> None:
    examples = [example("one", LABELS[0]), example("two", LABELS[0])]
    answers = [Prediction(LABELS[0], 0.9), Prediction(LABELS[1], 0.9)]
    assert trust(examples, answers, small.TASK) == pytest.approx([0.9, 0.1])


def test_entities_that_are_alike_in_part_lie_in_between() -> None:
    text = "Ann met Bob at Acme"
    ann, bob, acme = Span(0, 3, "PER"), Span(8, 11, "PER"), Span(15, 19, "ORG")
    examples = [example(text, target) for target in ((ann, bob), (ann, bob), (ann, bob), ())]
    answers = [Prediction(found, 1.0) for found in ((ann, bob), (ann,), (acme,), ())]
    assert trust(examples, answers, NAMES) == pytest.approx([1.0, 2 / 3, 0.0, 1.0])


def test_an_answer_without_a_confidence_is_taken_at_its_word() -> None:
    [found] = trust([example("a b c", "a b c")], [Prediction("a b c")], small.SUMMARY_TASK)
    assert found == 1.0


def test_a_text_unlike_the_others_is_rare() -> None:
    texts = ["the cat sat on the mat"] * 5 + ["quantum chromodynamics explains hadrons"]
    found = rarity([example(text, LABELS[0]) for text in texts])
    assert found[:5] == pytest.approx([found[0]] * 5)
    assert 0 < found[0] < found[5] <= 1


@given(agree=st.lists(st.booleans(), min_size=1, max_size=30), sure=st.floats(0, 1))
@settings(max_examples=50, deadline=None)
def test_weights_are_one_on_average_and_none_is_lost(agree: list[bool], sure: float) -> None:
    examples = [example(f"text number {i} {'x' * (i % 4)}", LABELS[0]) for i in range(len(agree))]
    answers = [Prediction(LABELS[0] if same else LABELS[1], sure) for same in agree]
    found = np.array([each.weight for each in weighed(examples, answers, small.TASK)])
    assert found.mean() == pytest.approx(1.0)
    assert found.min() > 0


def test_a_weight_that_an_example_has_already_counts_on() -> None:
    examples = [example("one", LABELS[0], weight=2.0), example("two", LABELS[0])]
    one, two = weighed(examples, [Prediction(LABELS[0], 0.8)] * 2, small.TASK)
    assert one.weight == pytest.approx(2 * two.weight)


def test_what_only_the_judge_has_found_completes_the_teachers_entities() -> None:
    ann, long, acme = Span(0, 3, "PER"), Span(0, 7, "ORG"), Span(15, 19, "ORG")
    [found] = completed([example("Ann met Bob at Acme", (ann,))], [Prediction((long, acme), 0.9)], NAMES)
    assert found.target == (ann, acme)


def test_labels_and_texts_have_nothing_to_complete() -> None:
    found = completed([example("one", LABELS[0])], [Prediction(LABELS[1], 0.9)], small.TASK)
    assert [each.target for each in found] == [LABELS[0]]


def test_weighted_is_a_union_and_needle_begins_and_ends_with_gold() -> None:
    assert [weighted(u, 0.8) for u in (0.0, 0.5, 1.0)] == [0.8, 0.8, 0.8]
    assert [needle(u, 0.8) for u in (0.05, 0.15, 0.85, 0.95)] == [0.0, 1.0, 1.0, 0.0]
