import random
import sys
from dataclasses import replace

import numpy as np
import pytest

from tests.data.clean.support import row
from tests.newswire import LABELS, NEWSWIRE, recorded_labels
from tests.newswire import rows as newswire_rows
from understudy.data.clean import label_errors as module
from understudy.data.clean.label_errors import _folds, reject_label_errors
from understudy.data.clean.rejection import is_rejected, rejected
from understudy.errors import MissingExtra
from understudy.example import Example

SAID = recorded_labels()
POOL = [
    Example(id=found["id"], text=found["text"], target=SAID[found["id"]], source="annotated")
    for found in newswire_rows(NEWSWIRE / "pool.jsonl")[:360]
]


def flipped(share: float) -> tuple[list[Example], set[str]]:
    """The pool with a share of its labels replaced by others, and which."""
    rng = random.Random(0)
    wrong = {example.id for example in rng.sample(POOL, round(share * len(POOL)))}
    others = {label: [other for other in LABELS if other != label] for label in LABELS}
    rows = [
        replace(example, target=rng.choice(others[str(example.target)])) if example.id in wrong else example
        for example in POOL
    ]
    return rows, wrong


def test_labels_that_were_made_wrong_are_found() -> None:
    examples, wrong = flipped(0.2)
    found = list(reject_label_errors(examples, (), 0))
    assert [example.id for example in found] == [example.id for example in examples]
    doubted = {example.id for example in found if is_rejected(example)}
    assert len(doubted & wrong) > 0.6 * len(wrong)
    assert len(doubted & wrong) > 0.6 * len(doubted)


def test_the_likelier_label_stands_beside_the_reason() -> None:
    examples, _ = flipped(0.2)
    for example in reject_label_errors(examples, (), 0):
        if is_rejected(example):
            assert example.meta["rejected"] == "probable label error"
            assert example.meta["likely"] in LABELS
            assert example.meta["likely"] != example.target


def test_gold_helps_and_is_not_among_what_comes_back() -> None:
    examples, wrong = flipped(0.3)
    gold = [replace(example, id=f"gold {example.id}", source="gold") for example in POOL]
    alone, helped = (list(reject_label_errors(examples, known, 0)) for known in ((), gold))
    assert [example.id for example in helped] == [example.id for example in examples]

    def hits(rows: list[Example]) -> int:
        return len({example.id for example in rows if is_rejected(example)} & wrong)

    assert hits(helped) > hits(alone)


def test_the_same_seed_finds_the_same() -> None:
    examples, _ = flipped(0.2)
    assert list(reject_label_errors(examples[:200], (), 1)) == list(reject_label_errors(examples[:200], (), 1))


def test_rows_that_are_out_or_have_no_label_stay_as_they_are() -> None:
    examples, _ = flipped(0.2)
    others = [rejected(row("out", "text", target="sport"), "too long"), row("none", "text without a label")]
    found = list(reject_label_errors([*others, *examples], (), 0))
    assert found[:2] == others


@pytest.mark.parametrize("labels", [[], ["a"], ["a"] * 9, ["a", "b"], ["a"] * 20 + ["b"], ["a"] * 20 + ["b"] * 4])
def test_where_nothing_can_be_compared_nothing_is_doubted(labels: list[str]) -> None:
    examples = [row(str(number), f"text {number}", target=label) for number, label in enumerate(labels)]
    assert list(reject_label_errors(examples, (), 0)) == examples


def test_a_label_with_few_rows_is_not_doubted_away() -> None:
    examples = [replace(example, target="rare") if place < 3 else example for place, example in enumerate(POOL[:200])]
    found = list(reject_label_errors(examples, (), 0))
    assert not any(is_rejected(example) for example in found[:3])


def test_texts_without_a_word_can_be_judged() -> None:
    examples = [row(str(number), "?! 🙂" if number % 2 else "...", target="ab"[number % 2]) for number in range(20)]
    assert len(list(reject_label_errors(examples, (), 0))) == 20


def test_more_rows_than_are_learned_from_are_all_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_LEARNED_FROM", 300)
    monkeypatch.setattr(module, "_JUDGED_AT_A_TIME", 70)
    examples, wrong = flipped(0.2)
    doubted = {example.id for example in reject_label_errors(examples, (), 0) if is_rejected(example)}
    assert len(doubted & wrong) > 0.3 * len(wrong)


def test_every_label_is_spread_evenly_over_the_folds() -> None:
    labels = np.array([0] * 50 + [1] * 10 + [2] * 5)
    folds = _folds(np.random.default_rng(1).permutation(labels), 0)
    assert np.bincount(folds).tolist() == [13] * 5
    for label in range(3):
        members = np.bincount(_folds(labels, 0)[labels == label], minlength=5)
        assert members.max() - members.min() <= 1


def test_without_the_package_its_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cleanlab.filter", None)
    monkeypatch.setitem(sys.modules, "cleanlab", None)
    with pytest.raises(MissingExtra, match=r"the search for label errors needs .*'understudy\[clean\]'"):
        module.confident_learning()
