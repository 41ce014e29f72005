import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.data.clean.rejection import kind_of_rejection, rejected
from understudy.example import Example


def kind(reason: str) -> str:
    return kind_of_rejection(rejected(Example(id="a", text="a"), reason))


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        (
            "not an answer: unknown label 'sports'; did you mean 'sport'? (asked twice)",
            "not an answer: unknown label …",
        ),
        ("not an answer: 'Athens' does not stand in the text", "not an answer: … does not stand in the text"),
        ("not an answer: \"O'Neill's\" does not stand in it", "not an answer: … does not stand in it"),
        ("not an answer: 'Bonn': unknown type 'CITY'; expected one of: A, B", "not an answer: … unknown type …"),
        ("not an answer: not JSON (expecting value at character 12); expected {...}", "not an answer: not JSON"),
        ("refused: I'm sorry, but I can't help with that", "refused"),
        ("refused by the endpoint's content filter (asked twice)", "refused by the endpoint's content filter"),
        ("the endpoint refused the request with 400: too rude", "the endpoint refused the request with 400"),
        ("no answer from the endpoint in 6 attempts: 500: overloaded", "no answer from the endpoint in 6 attempts"),
        ("1 of 3 votes valid; the first that is not: empty", "1 of 3 votes valid"),
        ("self-check: the teacher itself answers 'sport'", "self-check: the teacher itself answers …"),
        ("self-check: no answer (refused: no)", "self-check: no answer"),
        ("near-duplicate of test", "near-duplicate of test"),
        ("(by hand)", "(by hand)"),
    ],
)
def test_reasons_that_differ_only_in_what_was_found_are_of_one_kind(reason: str, expected: str) -> None:
    assert kind(reason) == expected


@given(st.text())
def test_whatever_was_found_the_kind_is_the_same(found: str) -> None:
    assert kind(f"not an answer: unknown label {found!r}; did you mean 'a'?") == "not an answer: unknown label …"


@given(st.text(alphabet="'\":;( a\\", max_size=60))
def test_any_reason_has_a_kind_no_longer_than_itself(reason: str) -> None:
    assert len(kind(reason)) <= max(len(reason), 1)


def test_a_row_without_a_reason_in_words_is_counted_too() -> None:
    assert kind_of_rejection(Example(id="a", text="a")) == "no reason recorded"
    assert kind_of_rejection(Example(id="a", text="a", meta={"rejected": None})) == "None"
