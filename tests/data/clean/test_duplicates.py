from collections.abc import Iterator
from dataclasses import replace
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.data.clean.support import reasons, row, rows
from tests.newswire import NEWSWIRE
from tests.newswire import rows as newswire_rows
from understudy.data.clean.duplicates import reject_duplicates
from understudy.data.clean.rejection import is_rejected, rejected
from understudy.data.clean.shingles import jaccard, shingles
from understudy.data.load import text_key
from understudy.example import Example

ARTICLES = [str(found["text"]) for found in newswire_rows(NEWSWIRE / "gold.jsonl")[:30]]


def changed(text: str) -> str:
    """The same article with one word changed."""
    words = text.split()
    return " ".join([*words[:5], "otherwise", *words[6:]])


def test_of_equal_texts_the_first_stays_and_the_others_name_it() -> None:
    found = list(reject_duplicates(rows(["One two", " one\nTWO", "three"]), (), 0.8))
    assert [is_rejected(example) for example in found] == [False, True, False]
    assert found[1].meta == {"kept": 1, "rejected": "duplicate", "of": "0"}


def test_of_nearly_equal_texts_the_first_stays_and_the_others_name_it_and_how_alike_they_are() -> None:
    texts = [*ARTICLES, *map(changed, ARTICLES)]
    found = list(reject_duplicates(rows(texts), (), 0.8))
    assert reasons(found) == [None] * 30 + ["near-duplicate"] * 30
    for number, example in enumerate(found[30:]):
        similarity = jaccard(shingles(ARTICLES[number]), shingles(example.text))
        assert example.meta == {
            "kept": 1,
            "rejected": "near-duplicate",
            "of": str(number),
            "similarity": round(similarity, 3),
        }


def test_without_a_threshold_only_equal_texts_are_duplicates() -> None:
    texts = [ARTICLES[0], changed(ARTICLES[0]), ARTICLES[0].upper()]
    assert reasons(reject_duplicates(rows(texts), (), None)) == [None, None, "duplicate"]


def test_different_articles_are_not_alike() -> None:
    texts = [str(found["text"]) for found in newswire_rows(NEWSWIRE / "pool.jsonl")[:200]]
    assert set(reasons(reject_duplicates(rows(texts), (), 0.8))) == {None}


def test_a_text_that_is_held_out_is_rejected_with_where_it_stands() -> None:
    test, validation = row("t", ARTICLES[0], "test"), row("v", ARTICLES[1], "gold")
    texts = [ARTICLES[0].upper(), ARTICLES[1], changed(ARTICLES[0]), changed(ARTICLES[1]), ARTICLES[2]]
    found = list(reject_duplicates(rows(texts, "generated"), [test, validation], 0.8))
    assert reasons(found) == [
        "stands in test",
        "stands in validation",
        "near-duplicate of test",
        "near-duplicate of validation",
        None,
    ]
    assert [example.meta.get("of") for example in found] == ["t", "v", "t", "v", None]


def test_test_rows_in_the_stream_pass_and_are_held_out_from_those_behind_them() -> None:
    stream = [row("a", "one", "test"), row("b", "one", "test"), row("c", "one", "pool"), row("d", "two", "pool")]
    assert reasons(reject_duplicates(stream, (), 0.8)) == [None, None, "stands in test", None]


def test_a_text_that_is_out_already_makes_no_other_a_duplicate() -> None:
    out = rejected(row("a", "one"), "too long")
    found = list(reject_duplicates([out, row("b", "one")], (), 0.8))
    assert found[0] is out
    assert not is_rejected(found[1])


def test_the_most_alike_of_several_is_named() -> None:
    base = ARTICLES[3]
    further = f"{base} And that was all that the office had to say about it on Tuesday, a spokesman added later."
    earlier = [row("near", further, "test"), row("nearer", changed(base), "test")]
    [found] = reject_duplicates([row("x", base)], earlier, 0.8)
    assert found.meta["of"] == "nearer"


def test_rows_come_one_at_a_time() -> None:
    def endless() -> Iterator[Example]:
        for number in count():
            yield row(str(number), f"text number {number} of many")

    found = reject_duplicates(endless(), (), 1.0)
    assert [next(found).id for _ in range(3)] == ["0", "1", "2"]


@given(st.lists(st.text(min_size=1, max_size=12)), st.sampled_from([None, 0.5, 0.8, 1.0]))
def test_nothing_vanishes_and_what_is_kept_is_unique(texts: list[str], threshold: float | None) -> None:
    given_rows = rows(texts)
    found = list(reject_duplicates(given_rows, (), threshold))
    assert [replace(example, meta={"kept": 1}) for example in found] == given_rows
    kept = [example for example in found if not is_rejected(example)]
    assert len({text_key(example.text) for example in kept}) == len(kept)
    if threshold is None:
        assert {text_key(text) for text in texts} == {text_key(example.text) for example in kept}


@given(st.lists(st.text(alphabet="ab ", min_size=1, max_size=30), max_size=20))
def test_what_is_called_nearly_equal_is(texts: list[str]) -> None:
    for example in reject_duplicates(rows(texts), (), 0.6):
        if example.meta.get("rejected") == "near-duplicate":
            other = texts[int(example.meta["of"])]
            assert jaccard(shingles(example.text), shingles(other)) == pytest.approx(
                example.meta["similarity"], abs=0.001
            )
            assert example.meta["similarity"] >= 0.6
