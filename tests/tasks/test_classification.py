import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, confusion_matrix, f1_score, precision_recall_fscore_support

from tests.tasks.support import texts_of
from understudy.errors import DataError, ParseError
from understudy.tasks.classification import Classification

LABELS = ["sport", "money", "science", "weather"]
TASK = Classification(labels=LABELS)

_pairs = st.lists(
    st.tuples(st.sampled_from(LABELS), st.none() | st.sampled_from([*LABELS, "not a label"])), min_size=1, max_size=40
)


def unzipped(pairs: list[tuple[str, str | None]]) -> tuple[list[str], list[str | None], list[str]]:
    """Gold, predicted, and predicted with one word for whatever is not a label."""
    gold, predicted = [g for g, _ in pairs], [p for _, p in pairs]
    return gold, predicted, [p if p in LABELS else "none" for p in predicted]


@given(_pairs)
def test_accuracy_and_macro_f1_are_scikit_learns(pairs: list[tuple[str, str | None]]) -> None:
    gold, predicted, answers = unzipped(pairs)
    occurring = sorted({*gold, *answers} - {"none"})
    scores = TASK.tally(gold, predicted, texts_of(gold)).scores()
    assert scores["accuracy"] == pytest.approx(accuracy_score(gold, answers))
    expected = f1_score(gold, answers, labels=occurring, average="macro", zero_division=0)
    assert scores["macro_f1"] == pytest.approx(expected)


@given(_pairs)
def test_the_details_are_scikit_learns(pairs: list[tuple[str, str | None]]) -> None:
    gold, predicted, answers = unzipped(pairs)
    details = TASK.details(gold, predicted, texts_of(gold))
    expected = precision_recall_fscore_support(gold, answers, labels=LABELS, zero_division=0)
    found = [[details["per_class"][label][key] for label in LABELS] for key in ("precision", "recall", "f1", "support")]
    assert np.allclose(found, expected)
    counts = confusion_matrix(gold, answers, labels=[*LABELS, "none"])[: len(LABELS)]
    assert details["confusion"] == {"labels": LABELS, "counts": counts.tolist()}


@given(_pairs, st.integers(0, 99))
def test_a_resample_scores_as_if_its_items_were_repeated(pairs: list[tuple[str, str | None]], seed: int) -> None:
    drawn = np.random.default_rng(seed).integers(len(pairs), size=len(pairs))
    weights = np.bincount(drawn, minlength=len(pairs)).astype(float)
    gold, predicted, _ = unzipped(pairs)
    tally = TASK.tally(gold, predicted, texts_of(gold))
    resampled = tally.metrics(np.stack([weights, np.ones(len(pairs))]) @ tally.items)
    repeated = TASK.tally(
        [gold[i] for i in drawn], [predicted[i] for i in drawn], texts_of([gold[i] for i in drawn])
    ).scores()
    for name, whole in tally.scores().items():
        assert resampled[name] == pytest.approx([repeated[name], whole])


def test_a_tally_of_very_many_labels_stays_small() -> None:
    labels = [f"label {number}" for number in range(20_000)]
    task = Classification(labels=labels)
    tally = task.tally(labels[:500], [*labels[:400], *[None] * 100], texts_of(labels[:500]))
    assert tally.items.nnz <= 4 * 500
    assert tally.scores() == pytest.approx({"accuracy": 0.8, "macro_f1": 0.8})


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        ("sport", "not JSON"),
        ("{}", "no label"),
        ('{"label": null}', "the label is no text"),
        ('{"label": ["sport"]}', "the label is no text"),
        ('{"Label": "sport"}', "no label"),
        ('{"label": "Sport"}', "did you mean 'sport'"),
        ('{"label": " sport"}', "did you mean 'sport'"),
        ('{"label": "sport or money"}', "unknown label"),
    ],
)
def test_a_reply_that_is_not_an_answer_is_refused(reply: str, reason: str) -> None:
    with pytest.raises(ParseError, match=reason):
        TASK.parse(reply, "text")


@pytest.mark.parametrize(
    ("votes", "label", "agreement"),
    [
        (["sport"], "sport", 1.0),
        (["money", "sport", "sport"], "sport", 2 / 3),
        (["money", "sport", "sport", "money"], "money", 0.5),
    ],
)
def test_votes_go_to_the_majority_and_to_the_first_in_a_tie(votes: list[str], label: str, agreement: float) -> None:
    assert TASK.consensus(votes) == (label, agreement)


def test_the_reply_schema_is_strict() -> None:
    assert TASK.reply_schema.schema == {
        "type": "object",
        "properties": {"label": {"type": "string", "enum": LABELS}},
        "required": ["label"],
        "additionalProperties": False,
    }


def test_a_list_of_labels_is_a_mapping_without_descriptions() -> None:
    assert Classification(labels=["a", "b"]).labels == {"a": "", "b": ""}
    assert list(Classification(labels={"z": "last", "a": "first"}).labels) == ["z", "a"]


@pytest.mark.parametrize(
    ("labels", "reason"),
    [
        ([], "0 label"),
        (["a"], "at least two"),
        ({"a": "alone"}, "at least two"),
        (["a", "b", "a"], "stands twice"),
        (["a", ""], "empty"),
        (["a", " \n"], "empty"),
        (["yes", True], "not text"),
        ({1: "one", 2: "two"}, "not text"),
    ],
)
def test_labels_that_cannot_be_chosen_from_are_refused(labels: Any, reason: str) -> None:
    with pytest.raises(DataError, match=reason):
        Classification(labels=labels)


@pytest.mark.parametrize("value", ["Sport", "", None, 3, ["sport"], {"label": "sport"}])
def test_a_cell_that_is_no_label_is_refused(value: Any) -> None:
    with pytest.raises(DataError, match="unknown label"):
        TASK.read(value, "text")


def test_a_whole_number_stands_for_the_label_of_its_digits() -> None:
    task = Classification(labels=["0", "1", "True"])
    assert (task.read(1, "text"), task.read("0", "text")) == ("1", "0")


@pytest.mark.parametrize(
    ("value", "found"), [(2, "2 (int)"), (True, "True (bool)"), (1.0, "1.0 (float)"), (None, "None (NoneType)")]
)
def test_what_is_no_label_is_told_with_its_type(value: Any, found: str) -> None:
    with pytest.raises(DataError) as error:
        Classification(labels=["0", "1", "True"]).read(value, "text")
    assert str(error.value) == f"unknown label {found}; expected one of, as text: 0, 1, True"


def test_a_label_may_have_no_description() -> None:
    assert Classification(labels={"a": None, "b": "the second"}).labels == {"a": "", "b": "the second"}


def test_details_of_a_label_that_never_occurs_are_zeros() -> None:
    details = TASK.details(["sport"], ["sport"], texts_of(["sport"]))
    assert details["per_class"]["weather"] == {"precision": 0.0, "recall": 0.0, "f1": 0.0, "support": 0}
    json.dumps(details, allow_nan=False)
