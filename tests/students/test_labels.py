import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.errors import ModelError
from understudy.example import Example
from understudy.students.labels import labels_of, predictions, target_distributions, weights
from understudy.tasks.classification import Classification

LABELS = ["a", "b", "c"]


def row(target: str = "b", soft: dict[str, float] | None = None, weight: float = 1.0) -> Example:
    return Example(id="x", text="text", target=target, soft=soft, weight=weight)


def test_the_labels_are_the_tasks_in_their_order() -> None:
    assert labels_of(Classification(labels={"z": "", "a": ""})) == ["z", "a"]


def test_a_task_without_labels_is_refused() -> None:
    with pytest.raises(ModelError, match="has no labels"):
        labels_of(object())  # type: ignore[arg-type]


def test_a_hard_label_is_all_of_the_distribution_and_a_soft_one_its_share() -> None:
    found = target_distributions([row("c"), row("b", {"a": 0.25, "b": 0.75}), row("a", {})], LABELS)
    assert found.tolist() == [[0, 0, 1], [0.25, 0.75, 0], [1, 0, 0]]
    assert found.dtype == np.float32


@given(st.lists(st.dictionaries(st.sampled_from(LABELS), st.floats(0.01, 100), min_size=1), max_size=5))
def test_every_distribution_sums_to_one(softs: list[dict[str, float]]) -> None:
    found = target_distributions([row(soft=soft) for soft in softs], LABELS)
    assert found.shape == (len(softs), 3)
    assert np.allclose(found.sum(axis=1), 1)


def test_weights_are_the_examples() -> None:
    assert weights([row(weight=0.5), row(), row(weight=0.0)]).tolist() == [0.5, 1.0, 0.0]


def test_the_most_probable_label_is_answered_with_its_probability() -> None:
    found = predictions(np.array([[0.2, 0.5, 0.3], [0.4, 0.3, 0.3], [0.0, 0.0, 1.0]]), LABELS)
    assert [(answer.target, answer.confidence) for answer in found] == [("b", 0.5), ("a", 0.4), ("c", 1.0)]
    assert all(type(answer.confidence) is float for answer in found)
    assert predictions(np.zeros((0, 3)), LABELS) == []
