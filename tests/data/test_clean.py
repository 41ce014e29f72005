from hypothesis import given
from hypothesis import strategies as st

from understudy.data.clean import is_rejected, screen
from understudy.data.load import text_key
from understudy.example import Example, Source


def row(name: str, text: str, source: Source = "pool") -> Example:
    return Example(id=name, text=text, source=source, meta={"kept": 1})


def reasons(examples: list[Example], max_chars: int = 10) -> list[object]:
    return [example.meta.get("rejected") for example in screen(examples, max_chars)]


def test_a_text_is_too_long_from_the_limit_on() -> None:
    assert reasons([row("a", "x" * 9), row("b", "y" * 10), row("c", "z" * 11)]) == [None, "too long", "too long"]


def test_of_equal_texts_the_first_counts_and_the_others_name_it() -> None:
    screened = list(screen([row("a", "One two"), row("b", " one\nTWO"), row("c", "three")], 10))
    assert [is_rejected(example) for example in screened] == [False, True, False]
    assert screened[1].meta == {"kept": 1, "rejected": "duplicate", "of": "a"}


def test_a_text_that_is_left_out_does_not_make_another_a_duplicate() -> None:
    assert reasons([row("a", "x  " + " " * 20), row("b", "x")]) == ["too long", None]


def test_test_rows_are_never_left_out() -> None:
    assert reasons([row("a", "x" * 99, "test"), row("b", "one", "test"), row("c", "one", "test")]) == [None] * 3


@given(st.lists(st.text(min_size=1, max_size=12)), st.integers(1, 12))
def test_nothing_vanishes_and_what_is_kept_is_short_and_unique(texts: list[str], max_chars: int) -> None:
    rows = [row(str(index), text) for index, text in enumerate(texts)]
    screened = list(screen(rows, max_chars))
    assert [(example.id, example.text) for example in screened] == [(example.id, example.text) for example in rows]
    kept = [example for example in screened if not is_rejected(example)]
    assert all(len(example.text) < max_chars for example in kept)
    short = {text_key(text) for text in texts if len(text) < max_chars}
    assert sorted(text_key(example.text) for example in kept) == sorted(short)


def test_rows_are_screened_one_at_a_time() -> None:
    def endless() -> object:
        number = 0
        while True:
            number += 1
            yield row(str(number), f"text {number}")

    screened = screen(endless(), 100)  # type: ignore[arg-type]
    assert [next(screened).id for _ in range(3)] == ["1", "2", "3"]
