import itertools
import random
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from understudy.teacher.generation.design import Assignment, Attribute, design

LABELS = ["sport", "law", "health", "travel"]
TOPICS = {
    label: ("news", "letters", *(f"{label} {number}" for number in range(place))) for place, label in enumerate(LABELS)
}
ATTRIBUTES = [
    Attribute("subtopic", by_label=TOPICS),
    Attribute("length", ("short", "middling", "long")),
    Attribute("register", ("plain", "formal", "chatty", "terse", "angry")),
    Attribute("writer", ("customer", "agent", "lawyer", "child")),
]

_words = st.lists(st.text(min_size=1, max_size=5), unique=True, min_size=1, max_size=6)
_attributes = st.dictionaries(st.text(min_size=1, max_size=5), _words, max_size=4).map(
    lambda found: [Attribute(name, tuple(values)) for name, values in found.items()]
)


def even(counts: Counter[Any], levels: Sequence[Any], slack: int = 1) -> bool:
    """Whether all levels were used equally often, but for so much."""
    used = [counts[level] for level in levels]
    return max(used) - min(used) <= slack and counts.total() == sum(used)


def pairs(assignments: Iterable[Assignment], first: str, second: str) -> Counter[tuple[str | None, str | None]]:
    found = [{"label": assignment.label, **assignment.values} for assignment in assignments]
    return Counter((each[first], each[second]) for each in found)


@given(_attributes, st.lists(st.text(max_size=5), unique=True, max_size=6), st.integers(0, 60), st.integers(0, 9))
def test_labels_and_values_are_used_equally_often_but_for_one(
    attributes: list[Attribute], labels: list[str], count: int, seed: int
) -> None:
    found = list(design(attributes, labels, count, seed))
    assert len(found) == count
    if labels:
        assert even(Counter(each.label for each in found), labels)
    else:
        assert {each.label for each in found} <= {None}
    for attribute in attributes:
        assert even(Counter(each.values[attribute.name] for each in found), attribute.values)
    assert all(list(each.values) == [attribute.name for attribute in attributes] for each in found)


@given(st.integers(0, 100), st.integers(0, 9))
def test_a_label_with_values_of_its_own_uses_these_equally_often(count: int, seed: int) -> None:
    found = list(design(ATTRIBUTES, LABELS, count, seed))
    for label, topics in TOPICS.items():
        assert even(Counter(each.values["subtopic"] for each in found if each.label == label), topics)


@given(_attributes, st.integers(0, 40), st.integers(0, 40), st.integers(0, 9))
def test_a_longer_design_begins_with_the_shorter(attributes: list[Attribute], a: int, b: int, seed: int) -> None:
    short, long = sorted((a, b))
    longer = list(design(attributes, LABELS, long, seed))
    assert longer[:short] == list(design(attributes, LABELS, short, seed))


def test_another_seed_makes_another_design() -> None:
    one, other = (list(design(ATTRIBUTES, LABELS, 50, seed)) for seed in (0, 1))
    assert one != other


def test_pairs_are_far_more_even_than_by_chance() -> None:
    count = 600
    found = list(design(ATTRIBUTES, LABELS, count, 0))
    draw = random.Random(0)
    by_chance = [
        Assignment(draw.choice(LABELS), {each.name: draw.choice(each.values or ["none"]) for each in ATTRIBUTES})
        for _ in range(count)
    ]
    levels = {"label": LABELS, **{each.name: each.values for each in ATTRIBUTES if each.values}}
    for first, second in itertools.combinations(levels, 2):
        every = list(itertools.product(levels[first], levels[second]))
        assert even(pairs(found, first, second), every, slack=4)
        assert not even(pairs(by_chance, first, second), every, slack=12)


def test_nothing_to_vary_asks_the_same_again() -> None:
    assert list(design([], [], 2, 0)) == [Assignment(None, {}), Assignment(None, {})]
