import asyncio
import heapq
import itertools
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from understudy.teacher.endpoint.pace import Bucket, Pace

T = TypeVar("T")


class Clock:
    """Time that passes only where somebody waits for it, and then at once."""

    def __init__(self) -> None:
        self.now = 1000.0
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._number = itertools.count()

    def monotonic(self) -> float:
        return self.now

    async def wait_for(self, awaited: Awaitable[Any], seconds: float) -> None:
        """What `asyncio.wait_for` is to a pace: it waits for the closing, or for the time."""
        closing = asyncio.ensure_future(awaited)
        sleeper: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self.now + seconds, next(self._number), sleeper))
        await asyncio.wait([closing, sleeper], return_when=asyncio.FIRST_COMPLETED)
        if not closing.done():
            closing.cancel()
            raise TimeoutError

    async def sleep(self, seconds: float) -> None:
        with pytest.raises(TimeoutError):
            await self.wait_for(asyncio.Event().wait(), seconds)

    async def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run it, and let time pass whenever nothing else can happen."""
        task = asyncio.ensure_future(work)
        while not task.done():
            for _ in range(50):
                await asyncio.sleep(0)
            if self._sleepers and not task.done():
                moment, _, sleeper = heapq.heappop(self._sleepers)
                self.now = max(self.now, moment)
                if not sleeper.done():
                    sleeper.set_result(None)
        return await task


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("understudy.teacher.endpoint.pace.time.monotonic", clock.monotonic)
    monkeypatch.setattr("understudy.teacher.endpoint.pace.asyncio.wait_for", clock.wait_for)
    return clock


def simulated(clock: Clock, scenario: Callable[[], Coroutine[Any, Any, T]]) -> T:
    return asyncio.run(clock.run(scenario()))


def paced(most: int, requests: float | None = None, tokens: float | None = None) -> Pace:
    return Pace(most, requests, tokens, closing=asyncio.Event())


async def settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


class Crowd:
    """Requests that hold their turn until they are told to end."""

    def __init__(self, by: Pace) -> None:
        self.by = by
        self.let_through: list[int] = []
        self.ends: dict[int, asyncio.Event] = {}

    async def start(self, *numbers: int) -> list[asyncio.Task[None]]:
        tasks = [asyncio.create_task(self._hold(number)) for number in numbers]
        await settle()
        return tasks

    async def end(self, *numbers: int) -> None:
        for number in numbers:
            self.ends[number].set()
        await settle()

    async def _hold(self, number: int) -> None:
        self.ends[number] = asyncio.Event()
        async with self.by.turn():
            self.let_through.append(number)
            await self.ends[number].wait()


def test_turns_are_given_in_order_and_never_more_than_allowed() -> None:
    async def scenario() -> None:
        crowd = Crowd(paced(2))
        await crowd.start(*range(6))
        assert crowd.let_through == [0, 1]
        await crowd.end(1)
        assert crowd.let_through == [0, 1, 2]
        await crowd.end(0, 2)
        assert crowd.let_through == [0, 1, 2, 3, 4]

    asyncio.run(scenario())


def test_congestion_halves_the_limit_once_for_all_that_were_under_way(clock: Clock) -> None:
    async def scenario() -> list[float]:
        by = paced(100)
        since = [await by.ready(1) for _ in range(20)]
        await clock.sleep(0.5)
        limits = []
        for moment in since:
            by.congested(moment)
            limits.append(by.limit)
        await clock.sleep(0.5)
        by.congested(await by.ready(1))
        return [*limits, by.limit]

    assert simulated(clock, scenario) == [50.0] * 20 + [25.0]


def test_the_limit_never_falls_below_one(clock: Clock) -> None:
    async def scenario() -> float:
        by = paced(4)
        for _ in range(10):
            by.congested(await by.ready(1))
            await clock.sleep(1)
        return by.limit

    assert simulated(clock, scenario) == 1.0


def test_a_halved_limit_lets_no_one_follow_until_enough_have_ended() -> None:
    async def scenario() -> None:
        by = paced(4)
        crowd = Crowd(by)
        await crowd.start(*range(8))
        by.congested(await by.ready(1))
        assert by.limit == 2
        await crowd.end(0, 1)
        assert crowd.let_through == [0, 1, 2, 3]
        await crowd.end(2)
        assert crowd.let_through == [0, 1, 2, 3, 4]

    asyncio.run(scenario())


def test_the_limit_grows_by_one_for_a_round_of_answers_and_no_further_than_allowed(clock: Clock) -> None:
    async def scenario() -> list[float]:
        by, limits = paced(10), []
        by.congested(await by.ready(1))
        for _ in range(10):
            for _ in range(int(by.limit)):
                by.answered(0)
            limits.append(by.limit)
        return limits

    limits = simulated(clock, scenario)
    assert 5.8 < limits[0] <= 6
    assert all(0.7 < later - earlier <= 1 for earlier, later in itertools.pairwise(limits[:4]))
    assert limits[-1] == 10


def test_retry_after_holds_all_and_the_longest_counts(clock: Clock) -> None:
    async def scenario() -> list[float]:
        by = paced(10)
        start = await by.ready(1)
        by.congested(start, 30)
        by.congested(start, 5)
        return [moment - start for moment in await asyncio.gather(*(by.ready(1) for _ in range(3)))]

    assert simulated(clock, scenario) == pytest.approx([30, 30, 30])


def test_a_wait_that_is_asked_for_while_others_wait_already_holds_them_too(clock: Clock) -> None:
    async def scenario() -> float:
        by = paced(10)
        start = await by.ready(1)
        by.congested(start, 5)
        waiting = asyncio.create_task(by.ready(1))
        await clock.sleep(3)
        by.congested(start, 10)
        return await waiting - start

    assert simulated(clock, scenario) == pytest.approx(13)


@pytest.mark.parametrize("per_minute", [6.0, 60.0, 600.0])
def test_requests_per_minute_are_kept_in_any_minute(clock: Clock, per_minute: float) -> None:
    async def scenario() -> list[float]:
        by = paced(1000, requests=per_minute)
        return list(await asyncio.gather(*(by.ready(1) for _ in range(int(3 * per_minute)))))

    moments = simulated(clock, scenario)
    assert moments == sorted(moments)
    burst = per_minute * 3 / 60 + 1
    most = max(sum(start <= moment < start + 60 for moment in moments) for start in moments)
    assert per_minute * 0.9 <= most <= per_minute + burst


def test_tokens_per_minute_are_kept_in_any_minute(clock: Clock) -> None:
    async def scenario() -> list[float]:
        by = paced(1000, tokens=60_000)
        return list(await asyncio.gather(*(by.ready(500) for _ in range(360))))

    moments = simulated(clock, scenario)
    most = max(500 * sum(start <= moment < start + 60 for moment in moments) for start in moments)
    assert 54_000 <= most <= 60_000 * 63 / 60 + 500


def test_unused_tokens_are_taken_up_within_a_second(clock: Clock) -> None:
    async def scenario() -> float:
        by = paced(10, tokens=6_000)
        start = await by.ready(6_000)
        waiting = asyncio.create_task(by.ready(6_000))
        await clock.sleep(1)
        by.answered(5_990)
        return await waiting - start

    assert simulated(clock, scenario) < 2


@settings(max_examples=60, deadline=None)
@given(draws=st.lists(st.integers(0, 100), max_size=40))
def test_a_bucket_never_gives_more_than_has_filled_it(draws: list[int]) -> None:
    clock = Clock()
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("understudy.teacher.endpoint.pace.time.monotonic", clock.monotonic)
        bucket = Bucket(60)
        start = clock.now
        for drawn, amount in zip(itertools.accumulate(draws, initial=0), draws, strict=False):
            clock.now += bucket.wait()
            assert drawn <= clock.now - start + 3 + 1e-6
            bucket.draw(amount)


def test_without_limits_nobody_waits(clock: Clock) -> None:
    async def scenario() -> list[float]:
        return [await by.ready(10**9) for _ in range(100)]

    by = paced(1)
    assert set(simulated(clock, scenario)) == {1000.0}


def test_who_is_cancelled_while_waiting_takes_no_place() -> None:
    async def scenario() -> None:
        crowd = Crowd(paced(1))
        tasks = await crowd.start(0, 1, 2)
        tasks[1].cancel()
        await settle()
        await crowd.end(0)
        assert crowd.let_through == [0, 2]

    asyncio.run(scenario())


def test_who_is_cancelled_at_its_turn_passes_it_on() -> None:
    async def scenario() -> None:
        crowd = Crowd(paced(1))
        tasks = await crowd.start(0, 1, 2)
        crowd.ends[0].set()
        while not tasks[0].done():  # its turn has gone to the next, who does not know yet
            await asyncio.sleep(0)
        tasks[1].cancel()
        await settle()
        assert crowd.let_through == [0, 2]
        await crowd.end(2)
        await crowd.start(3)
        assert crowd.let_through[-1] == 3

    asyncio.run(scenario())


def test_who_is_cancelled_under_way_gives_its_place_back() -> None:
    async def scenario() -> None:
        crowd = Crowd(paced(2))
        tasks = await crowd.start(0, 1, 2, 3)
        tasks[0].cancel()
        tasks[1].cancel()
        await settle()
        assert crowd.let_through == [0, 1, 2, 3]

    asyncio.run(scenario())


def test_closing_ends_every_wait(clock: Clock) -> None:
    async def scenario() -> float:
        closing = asyncio.Event()
        by = Pace(10, 1.0, 10.0, closing=closing)
        by.congested(await by.ready(10_000), 500)
        waiting = [asyncio.create_task(by.ready(10_000)) for _ in range(5)]
        waiting += [asyncio.create_task(by.sleep(400))]  # type: ignore[arg-type]
        await clock.sleep(1)
        closing.set()
        await asyncio.gather(*waiting)
        return clock.now

    assert simulated(clock, scenario) < 1005
