from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from tests.data.clean.support import row
from understudy.data.clean.balance import reject_surplus
from understudy.data.clean.rejection import is_rejected, rejected


@given(st.lists(st.sampled_from("abc")), st.integers(1, 5))
def test_of_every_label_as_many_stay_as_may_and_as_there_are(labels: list[str], most: int) -> None:
    examples = [row(str(number), "text", target=label) for number, label in enumerate(labels)]
    found = list(reject_surplus(examples, most, 0))
    assert [example.id for example in found] == [example.id for example in examples]
    kept = Counter(example.target for example in found if not is_rejected(example))
    assert kept == {label: min(most, count) for label, count in Counter(labels).items()}


def test_which_ones_stay_is_drawn_by_the_seed_from_all_of_them() -> None:
    examples = [row(str(number), "text", target="a") for number in range(100)]
    drawn = [
        tuple(example.id for example in reject_surplus(examples, 10, seed) if not is_rejected(example))
        for seed in (0, 0, 1)
    ]
    assert drawn[0] == drawn[1] != drawn[2]
    assert max(map(int, drawn[0])) > 50


def test_the_reason_names_the_setting_and_rejected_rows_do_not_count() -> None:
    out = rejected(row("x", "text", target="a"), "too long")
    found = list(reject_surplus([out, row("a", "one", target="a"), row("b", "two", target="a")], 1, 0))
    assert found[0] == out
    assert [example.meta["rejected"] for example in found[1:] if is_rejected(example)] == ["more than max_per_label"]
