from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.errors import DataError, ModelError
from understudy.example import Example
from understudy.students.labels.decoder import LabelDecoder, labels_of, target_distributions, weights
from understudy.students.temperature import fit_temperature
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
def test_every_distribution_sums_to_one(counts: list[dict[str, float]]) -> None:
    softs = [{label: round(count / sum(one.values()), 3) for label, count in one.items()} for one in counts]
    found = target_distributions([row(soft=soft) for soft in softs], LABELS)
    assert found.shape == (len(softs), 3)
    assert np.allclose(found.sum(axis=1), 1)
    for distribution, soft in zip(found, softs, strict=True):
        assert distribution == pytest.approx([soft.get(label, 0) for label in LABELS], abs=0.005)


def test_a_soft_label_off_the_list_is_refused_and_named() -> None:
    with pytest.raises(DataError, match=r"the row 'x': unknown label 'd'; expected one of: a, b, c"):
        target_distributions([row(), row(soft={"a": 0.5, "d": 0.5})], LABELS)
    with pytest.raises(DataError, match=r"the row 'x': unknown label 'd'"):
        target_distributions([row("d")], LABELS)


@pytest.mark.parametrize(
    "soft",
    [
        {"a": float("nan")},
        {"a": float("inf")},
        {"a": 10**400},
        {"a": -0.5, "b": 1.5},
        {"a": -0.5, "b": 0.75, "c": 0.75},
        {"a": "1.0"},
        {"a": True},
        {"a": None},
        {"a": [1.0]},
        ["a"],
        "a",
    ],
)
def test_what_are_no_probabilities_are_refused(soft: Any) -> None:
    with pytest.raises(DataError, match=r"the row 'x': .*expected"):
        target_distributions([row(soft=soft)], LABELS)


@pytest.mark.parametrize("soft", [{"a": 0.5}, {"a": 0.6, "b": 0.6}, {"a": 0}])
def test_soft_labels_that_do_not_sum_to_one_are_refused(soft: dict[str, float]) -> None:
    with pytest.raises(DataError, match=r"the row 'x': the soft probabilities sum to .*; expected 1"):
        target_distributions([row(soft=soft)], LABELS)


def test_weights_are_the_examples() -> None:
    assert weights([row(weight=0.5), row(), row(weight=0.0)]).tolist() == [0.5, 1.0, 0.0]


def test_the_most_probable_label_is_answered_with_its_probability() -> None:
    logits = np.log(np.array([[0.2, 0.5, 0.3], [0.4, 0.3, 0.3], [1e-12, 1e-12, 1.0]]))
    found = LabelDecoder(LABELS).predictions(logits)
    assert [answer.target for answer in found] == ["b", "a", "c"]
    assert [answer.confidence for answer in found] == pytest.approx([0.5, 0.4, 1.0])
    assert all(type(answer.confidence) is float for answer in found)
    assert LabelDecoder(LABELS).predictions(np.zeros((0, 3))) == []


def test_a_temperature_changes_the_confidence_and_never_the_answer() -> None:
    logits = np.array([[0.0, 2.0, 1.0]])
    cool, warm = (LabelDecoder(LABELS).predictions(logits, temperature)[0] for temperature in (0.5, 4.0))
    assert cool.target == warm.target == "b"
    assert (cool.confidence or 0) > (warm.confidence or 0)


def test_calibration_makes_a_boaster_modest_and_a_doubter_surer() -> None:
    wanted = [row("a"), row("a"), row("a"), row("b")] * 25
    for scale, expected in ((20.0, "above"), (0.1, "below")):
        decoder = LabelDecoder(LABELS)
        logits = np.tile([scale, 0.0, -scale], (len(wanted), 1))
        temperature = decoder.temperature_for(logits, wanted)
        assert (temperature > 1) == (expected == "above")
        assert decoder.predictions(logits[:1], temperature)[0].confidence == pytest.approx(0.75, abs=0.05)


def test_without_validation_confidence_stays_as_it_is() -> None:
    assert LabelDecoder(LABELS).temperature_for(np.zeros((0, 3)), []) == 1.0


def test_being_right_on_a_few_is_no_reason_to_be_sure_of_everything() -> None:
    assert fit_temperature(np.array([[3.0, 0.0, 0.0]] * 5), np.array([[1.0, 0.0, 0.0]] * 5)) > 0.3
