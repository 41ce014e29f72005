from tests.data.clean.support import kinds, reasons, row, rows
from understudy.data.clean.length import reject_by_length


def test_a_text_is_too_long_from_the_limit_on() -> None:
    found = list(reject_by_length(rows(["x" * 9, "y" * 10, "z" * 1234]), 1, 10))
    assert reasons(found) == [
        None,
        "too long (10 characters; expected fewer than clean.max_chars, 10)",
        "too long (1,234 characters; expected fewer than clean.max_chars, 10)",
    ]
    assert kinds(found) == [None, "too long", "too long"]


def test_white_space_around_a_text_does_not_make_it_long_enough() -> None:
    found = list(reject_by_length(rows(["four", " thr\n", "\t \n", ""]), 4, 10))
    assert reasons(found) == [
        None,
        *(f"too short ({length} characters; expected at least clean.min_chars, 4)" for length in (3, 0, 0)),
    ]
    assert kinds(found) == [None, "too short", "too short", "too short"]


def test_what_is_out_already_and_test_rows_stay_as_they_are() -> None:
    [out] = reject_by_length(rows(["x" * 99]), 1, 10)
    untouched = [out, row("t", "x" * 99, "test")]
    assert list(reject_by_length(untouched, 1, 50)) == untouched
