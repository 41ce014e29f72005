import asyncio
import json
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from understudy.errors import DataError, TeacherError
from understudy.teacher.cost.ledger import Bill, Budget, BudgetReached, Ledger, Reservation, worst_case
from understudy.teacher.cost.spending import Price, Tokens, cost_usd

PRICE = Price(input=1.0, output=10.0)
WORST = Tokens(80, 20)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "run" / "2-spending.jsonl"


def reserve(ledger: Ledger, worst: Tokens = WORST) -> Reservation:
    return asyncio.run(ledger.reserve(worst))


def spend(ledger: Ledger, used: Tokens | None, worst: Tokens = WORST) -> None:
    ledger.settle(reserve(ledger, worst), used)


def entries(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text().splitlines() if line.strip()]


def test_what_is_settled_takes_the_place_of_what_was_reserved(path: Path) -> None:
    ledger = Ledger(path, PRICE)
    reservation = reserve(ledger)
    assert ledger.spent == Tokens(0, 0)
    ledger.settle(reservation, Tokens(10, 2))
    assert (ledger.requests, ledger.spent) == (1, Tokens(10, 2))
    assert ledger.spent_usd == pytest.approx(30e-6)
    assert entries(path) == [
        {"reserved": 0, "input": 80, "output": 20, "requests": 1, "batched": False},
        {"settled": 0, "input": 10, "output": 2, "usd": pytest.approx(30e-6), "requests": 1, "known": True},
    ]


def test_a_reservation_is_on_the_disk_before_the_request_is_sent(path: Path) -> None:
    reserve(Ledger(path))
    assert entries(path) == [{"reserved": 0, "input": 80, "output": 20, "requests": 1, "batched": False}]


def test_a_cost_that_nobody_knows_counts_as_the_worst_case(path: Path) -> None:
    ledger = Ledger(path)
    spend(ledger, None)
    assert ledger.spent == WORST
    assert entries(path)[-1]["known"] is False
    assert Ledger(path).spent == WORST


def test_a_budget_holds_over_restarts_and_open_reservations_count_as_spent(path: Path) -> None:
    budget = Budget(tokens=250)
    first = Ledger(path, None, budget)
    spend(first, Tokens(50, 10))
    reserve(first)  # the process dies here
    second = Ledger(path, None, budget)
    assert (second.spent, second.requests) == (Tokens(50 + 80, 10 + 20), 1)
    with pytest.raises(BudgetReached):
        reserve(second)
    third = Ledger(path, None, Budget(tokens=260))
    assert reserve(third).number == 2
    assert Ledger(path).spent.total == 260


def test_what_was_left_open_can_be_settled_later_and_only_once(path: Path) -> None:
    left = Ledger(path, PRICE).reserve_batch(WORST, 24)  # the process dies here
    ledger = Ledger(path, PRICE)
    assert (ledger.spent, ledger.requests) == (WORST, 0)
    for _ in range(2):
        ledger.settle(left, Tokens(10, 2))
        assert (ledger.spent, ledger.requests) == (Tokens(10, 2), 24)
    assert (Ledger(path).spent, Ledger(path).requests) == (Tokens(10, 2), 24)
    assert len(entries(path)) == 2


def test_what_another_ledger_set_aside_is_not_taken_for_ones_own(path: Path, tmp_path: Path) -> None:
    foreign = Ledger(tmp_path / "other").reserve_batch(WORST, 24)
    reserve(Ledger(path), Tokens(7, 7))
    ledger = Ledger(path)
    ledger.settle(foreign, Tokens(1, 1))
    assert (ledger.spent, ledger.requests) == (Tokens(7, 7), 0)


def test_what_was_not_sent_is_given_back_and_is_no_request(path: Path) -> None:
    ledger = Ledger(path, PRICE)
    ledger.give_back(reserve(ledger))
    left = reserve(ledger)
    again = Ledger(path, PRICE)
    again.give_back(left)
    for known in (again, Ledger(path, PRICE)):
        assert (known.spent, known.spent_usd, known.requests) == (Tokens(0, 0), 0.0, 0)


def test_a_batch_costs_its_share_of_the_price(path: Path) -> None:
    ledger = Ledger(path, Price(1.0, 10.0, batch=0.25), Budget(usd=100e-6))
    assert cost_usd(WORST, PRICE) == pytest.approx(280e-6)
    ledger.settle(ledger.reserve_batch(WORST, 2), Tokens(40, 4))
    assert ledger.spent_usd == pytest.approx(20e-6)
    left = ledger.reserve_batch(WORST, 2)
    again = Ledger(path, ledger.price, ledger.budget)
    assert again.spent_usd == pytest.approx(90e-6)
    with pytest.raises(BudgetReached):
        reserve(again)
    again.settle(left, None)
    assert again.spent_usd == pytest.approx(90e-6)


def test_half_the_price_is_what_most_charge_for_a_batch() -> None:
    assert Price(1.0, 10.0).by_batch == Price(0.5, 5.0)


def test_what_was_entered_keeps_its_price(path: Path) -> None:
    spend(Ledger(path, PRICE), Tokens(10, 2))
    dearer = Ledger(path, Price(100.0, 100.0))
    assert dearer.spent_usd == pytest.approx(30e-6)
    spend(dearer, Tokens(1, 0))
    assert dearer.spent_usd == pytest.approx(130e-6)
    assert Ledger(path).spent_usd is None


def test_what_was_entered_while_no_price_was_known_is_priced_once_there_is_one(path: Path) -> None:
    spend(Ledger(path), Tokens(10, 2))
    assert Ledger(path, PRICE).spent_usd == pytest.approx(30e-6)


def test_a_ledger_that_is_taken_up_again_holds_no_blank_lines(path: Path) -> None:
    for _ in range(3):
        ledger = Ledger(path)
        spend(ledger, Tokens(10, 2))
        ledger.close()
    lines = path.read_text().split("\n")
    assert (len(lines), lines.index("")) == (7, 6)


@pytest.mark.parametrize("torn", [1, 10, -2, -1])
def test_a_line_torn_by_a_crash_never_makes_the_spending_less(path: Path, torn: int) -> None:
    ledger = Ledger(path)
    spend(ledger, Tokens(10, 2))
    whole = path.read_bytes()
    spend(ledger, Tokens(11, 3))
    ledger.close()
    after = path.read_bytes()[len(whole) :]
    reserved, settled = after.splitlines(keepends=True)
    path.write_bytes(whole + reserved + settled[:torn])
    again = Ledger(path)
    assert again.spent in {Tokens(10 + 80, 2 + 20), Tokens(21, 5)}
    spend(again, Tokens(1, 1))
    assert Ledger(path).spent == again.spent


@pytest.mark.parametrize(
    "line",
    [
        "",
        "null",
        "[]",
        "{",
        '"reserved"',
        '{"reserved": 1}',
        '{"settled": 0, "input": 1e999, "output": 1}',
        '{"settled": 0, "input": NaN, "output": 1}',
        '{"settled": [0], "input": 1, "output": 1}',
        '{"settled": 0, "input": 1, "output": 1, "usd": NaN}',
        '{"settled": 0, "input": 1, "output": 1, "usd": -1}',
        '{"settled": 0, "input": 1, "output": 1, "usd": "1"}',
        '{"settled": 0, "input": 1, "output": 1, "usd": 0, "requests": null}',
        f'{{"reserved": 5, "input": 1{"0" * 400}, "output": 1}}',
        "[" * 100_000,
        "\ufffd",
    ],
)
def test_a_line_that_is_no_entry_is_passed_over(path: Path, line: str) -> None:
    spend(Ledger(path, PRICE), Tokens(10, 2))
    with path.open("a") as out:
        out.write(line + "\n")
    ledger = Ledger(path, PRICE)
    assert (ledger.spent, ledger.requests, ledger.spent_usd) == (Tokens(10, 2), 1, 30e-6)


def test_a_request_waits_for_what_others_may_give_back() -> None:
    async def run() -> list[str]:
        ledger = Ledger(budget=Budget(tokens=150))
        first = await ledger.reserve(WORST)
        second = asyncio.create_task(ledger.reserve(WORST))
        await asyncio.sleep(0)
        told = [f"waiting: {not second.done()}"]
        ledger.settle(first, Tokens(20, 5))
        told.append(f"number: {(await second).number}")
        return told

    assert asyncio.run(run()) == ["waiting: True", "number: 1"]


def test_all_who_wait_are_told_when_nothing_is_left_to_wait_for() -> None:
    async def run() -> list[BaseException | Reservation]:
        ledger = Ledger(budget=Budget(tokens=150))
        first = await ledger.reserve(WORST)
        waiting = [asyncio.create_task(ledger.reserve(WORST)) for _ in range(5)]
        await asyncio.sleep(0)
        ledger.settle(first, None)
        return await asyncio.gather(*waiting, return_exceptions=True)

    assert [type(outcome) for outcome in asyncio.run(run())] == [BudgetReached] * 5


def test_the_error_says_what_was_allowed_and_what_is_spent() -> None:
    ledger = Ledger(None, PRICE, Budget(usd=0.0003, tokens=1500))
    spend(ledger, Tokens(100, 10))
    with pytest.raises(BudgetReached) as caught:
        reserve(ledger)
    assert str(caught.value) == (
        "the budget of $0.0003 and 1,500 tokens is reached: 110 tokens ($0.0002) are spent, and the next request "
        "could take more than is left; raise teacher.budget, or lower teacher.max_tokens (20), which is most of that"
    )


@pytest.mark.parametrize(
    ("worst", "budget", "lever"),
    [
        (Tokens(80, 20), Budget(usd=1e-9), True),  # dear to write
        (Tokens(80, 20), Budget(tokens=1), False),
        (Tokens(800, 2), Budget(usd=1e-9), False),
        (Tokens(80, 90), Budget(tokens=1), True),
    ],
)
def test_shorter_replies_are_named_as_a_way_out_where_they_would_be_one(
    worst: Tokens, budget: Budget, lever: bool
) -> None:
    with pytest.raises(BudgetReached, match=r"raise teacher\.budget") as caught:
        Ledger(None, PRICE, budget).reserve_batch(Tokens(3 * worst.input, 3 * worst.output), 3)
    assert (f"lower teacher.max_tokens ({worst.output})" in str(caught.value)) == lever


def test_what_is_known_what_is_not_and_what_is_left_add_up(path: Path) -> None:
    budget = Budget(usd=0.01, tokens=1000)
    ledger = Ledger(path, PRICE, budget)
    spend(ledger, Tokens(10, 2))
    spend(ledger, None)
    ledger.reserve_batch(WORST, 3)  # the process dies here
    again = Ledger(path, PRICE, budget)
    assert again.known == Bill(1, Tokens(10, 2), 0.00003)
    assert again.unknown == Bill(1 + 3, Tokens(160, 40), 0.00042)
    assert again.left == Budget(0.00955, 1000 - 212)
    assert again.spent.total == again.known.tokens.total + again.unknown.tokens.total


@pytest.mark.parametrize("budget", [Budget(tokens=0), Budget(usd=0.0)])
def test_a_budget_of_nothing_allows_nothing(budget: Budget) -> None:
    with pytest.raises(BudgetReached):
        reserve(Ledger(None, PRICE, budget))


def test_a_budget_in_usd_needs_a_price() -> None:
    with pytest.raises(TeacherError, match=r"set teacher\.price"):
        Ledger(budget=Budget(usd=1.0))


def test_a_file_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="the ledger cannot be read"):
        Ledger(tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="the ledger cannot be written"):
        reserve(Ledger(tmp_path / "file" / "ledger"))


Request = tuple[int, int, float, float, str]
REQUESTS = st.lists(
    st.tuples(
        st.integers(0, 100),
        st.integers(0, 50),
        st.floats(0, 1),
        st.floats(0, 1),
        st.sampled_from(["known", "known", "unknown", "crash"]),
    ),
    max_size=30,
)


async def spent_on(requests: list[Request], path: Path, budget: Budget, parallel: int) -> tuple[Tokens, Ledger]:
    """What requests of known and unknown cost are billed in truth, and the ledger that let them through.

    Where one crashes, so does the process, and with it all that are under way; what a known one took is learned later.
    """
    ledger, billed = Ledger(path, PRICE, budget), Tokens(0, 0)
    for start in range(0, len(requests), parallel):
        under_way: list[tuple[Reservation, Tokens, str]] = []
        for read, written, share_read, share_written, ending in requests[start : start + parallel]:
            try:
                reservation = await asyncio.wait_for(ledger.reserve(Tokens(read, written)), 0.001)
            except (BudgetReached, TimeoutError):
                continue
            used = Tokens(int(read * share_read), int(written * share_written))
            billed = billed.plus(used)
            under_way.append((reservation, used, ending))
        if any(ending == "crash" for *_, ending in under_way):
            ledger.close()
            ledger = Ledger(path, PRICE, budget)
        for reservation, used, ending in under_way:
            if ending != "crash":
                ledger.settle(reservation, used if ending == "known" else None)
    ledger.close()
    return billed, ledger


@settings(max_examples=100, deadline=None)
@given(requests=REQUESTS, tokens=st.integers(1, 2000), usd=st.floats(1e-6, 0.01), parallel=st.integers(1, 10))
def test_spending_never_exceeds_the_budget(requests: list[Request], tokens: int, usd: float, parallel: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "ledger"
        billed, ledger = asyncio.run(spent_on(requests, path, Budget(usd, tokens), parallel))
        assert billed.total <= ledger.spent.total <= tokens
        assert (cost_usd(billed, PRICE) or 0) <= (ledger.spent_usd or 0) <= usd
        assert Ledger(path, PRICE).spent == ledger.spent


def test_the_worst_case_is_a_token_a_byte_and_the_limit_that_is_sent() -> None:
    assert worst_case({"max_tokens": 7}, b"x" * 100) == Tokens(100, 7)
    assert worst_case({"max_completion_tokens": 8}, "ü".encode()) == Tokens(2, 8)
    assert worst_case({}, b"").output >= 2048
