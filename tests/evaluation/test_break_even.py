import math

import pytest

from understudy.errors import DataError
from understudy.evaluation.break_even import BreakEven


def test_the_days_are_the_cost_of_teaching_over_what_is_saved_a_day() -> None:
    found = BreakEven(teaching_usd=90.0, price_a_call_usd=0.002, calls_a_day=10_000, serving_usd_a_day=5.0)
    assert found.saved_usd_a_day == pytest.approx(15.0)
    assert found.days == pytest.approx(6.0)
    assert found.sentence == (
        "It pays back after 6.0 days: teaching cost $90.00, 10,000 calls a day at $0.002 would be $20.00 a day, and "
        "serving the student is $5.00."
    )


@pytest.mark.parametrize("serving", [20.0, 30.0])
def test_where_serving_costs_as_much_as_the_calls_it_never_pays_back(serving: float) -> None:
    found = BreakEven(90.0, 0.002, 10_000, serving)
    assert found.days is None
    assert found.sentence.startswith("It never pays back: 10,000 calls a day at $0.002 would be $20.00 a day, and")


def test_what_cost_nothing_is_paid_back_at_once() -> None:
    assert BreakEven(0.0, 0.0, 100).days == 0.0
    assert BreakEven(1.0, 1.0, 100).sentence.startswith("It pays back within a day: ")
    assert BreakEven(0.0, 0.0, 100, 1.0).days is None


def test_the_price_of_a_call_follows_from_the_account_and_the_account_from_the_price() -> None:
    by_account = BreakEven.recorded(3.0, 1000, calls_a_day=10)
    assert (by_account.teaching_usd, by_account.price_a_call_usd) == (3.0, 0.003)
    by_price = BreakEven.recorded(None, 1000, calls_a_day=10, price_a_call_usd=0.004)
    assert (by_price.teaching_usd, by_price.price_a_call_usd) == (4.0, 0.004)
    both = BreakEven.recorded(3.0, 1000, calls_a_day=10, price_a_call_usd=0.004, serving_usd_a_day=0.01)
    assert both == BreakEven(3.0, 0.004, 10, 0.01)


@pytest.mark.parametrize(("cost", "replies", "price"), [(None, 1000, None), (3.0, 0, None), (None, None, 0.1)])
def test_what_is_not_known_is_not_made_up(cost: float | None, replies: int | None, price: float | None) -> None:
    with pytest.raises(DataError, match="not recorded in this run; give the price of a call"):
        BreakEven.recorded(cost, replies, calls_a_day=10, price_a_call_usd=price)


@pytest.mark.parametrize("value", [-1.0, math.nan, math.inf])
def test_what_is_no_amount_is_refused(value: float) -> None:
    with pytest.raises(DataError, match=r"calls a day: expected a number from 0 on \(found"):
        BreakEven(1.0, 1.0, value)
    with pytest.raises(DataError, match="serving usd a day"):
        BreakEven.recorded(1.0, 10, calls_a_day=1, serving_usd_a_day=value)
