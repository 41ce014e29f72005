"""The pace at which an endpoint is asked: as fast as it can bear, within its limits."""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

_BURST = 3.0
"""Seconds of a rate limit that may be used up at once; the endpoint's own minute is not known to the second."""

_LOOK_EVERY = 0.5
"""Seconds after which a wait is worked out anew: others may have put back what they did not use."""


class Bucket:
    """A rate limit as a bucket that fills evenly; a draw may overdraw it, and the next has to wait for that.

    Args:
        per_minute: How much may be drawn in a minute; None for any amount.
    """

    def __init__(self, per_minute: float | None) -> None:
        self._seconds_each = None if per_minute is None else 60.0 / per_minute
        self._paid_until = 0.0

    def wait(self) -> float:
        """The seconds until something may be drawn, as things stand."""
        return max(0.0, self._paid_until - time.monotonic())

    def draw(self, amount: float) -> None:
        """Take so much."""
        if self._seconds_each is not None:
            self._paid_until = max(self._paid_until, time.monotonic() - _BURST) + amount * self._seconds_each

    def put_back(self, amount: float) -> None:
        """Return what was drawn in vain."""
        if self._seconds_each is not None:
            self._paid_until -= amount * self._seconds_each


class Pace:
    """Lets requests through: so many at a time as the endpoint has shown that it can bear.

    Additive increase, multiplicative decrease (Chiu and Jain 1989): every answer raises the limit a little, so that it
    grows by one while as many are answered as may be under way; congestion halves it, once for all requests that were
    under way together. It starts at the most that is allowed, since that is what the user has asked for.

    Args:
        most: The highest limit.
        requests_per_minute: Rate limit of the account, if any.
        tokens_per_minute: Likewise, of tokens.
        closing: Ends every wait.
    """

    def __init__(
        self,
        most: int,
        requests_per_minute: float | None = None,
        tokens_per_minute: float | None = None,
        *,
        closing: asyncio.Event,
    ) -> None:
        self.limit = float(most)
        self._most = most
        self._requests, self._tokens = Bucket(requests_per_minute), Bucket(tokens_per_minute)
        self._closing = closing
        self._under_way = 0
        self._door = asyncio.Lock()
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._resume = 0.0
        self._cut = 0.0

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait for one's turn; it lasts over all attempts, so that a request in trouble keeps others from following."""
        await self._slot()
        try:
            yield
        finally:
            self._under_way -= 1
            self.wake()

    async def ready(self, tokens: int) -> float:
        """Wait until an attempt of so many tokens may go out; returns the moment, to be handed to `congested`."""
        async with self._door:  # one after the other, in the order in which they came
            while (wait := self._wait()) > 0 and not self._closing.is_set():
                await self.sleep(min(wait, _LOOK_EVERY))
            self._requests.draw(1)
            self._tokens.draw(tokens)
        return time.monotonic()

    def answered(self, unused: int) -> None:
        """The endpoint answered, with so many tokens fewer than were reckoned with; with more, where it is negative."""
        self.limit = min(self._most, self.limit + 1 / self.limit)
        self._tokens.put_back(unused)
        self.wake()

    def congested(self, since: float, wait: float | None = None) -> None:
        """The endpoint is overrun: halve the limit, unless it was halved after that request had gone out.

        Args:
            since: When the request went out.
            wait: Seconds for which the endpoint asks to be left alone.
        """
        if since > self._cut:
            self.limit = max(1.0, self.limit / 2)
            self._cut = time.monotonic()
        if wait is not None:
            self._resume = max(self._resume, time.monotonic() + wait)

    async def sleep(self, seconds: float) -> None:
        """Wait, unless all is about to be closed."""
        if seconds <= 0:
            return
        try:
            await asyncio.wait_for(self._closing.wait(), seconds)
        except TimeoutError:
            return

    def _wait(self) -> float:
        return max(self._requests.wait(), self._tokens.wait(), self._resume - time.monotonic())

    async def _slot(self) -> None:
        if self._under_way < int(self.limit) and not self._waiting:
            self._under_way += 1
            return
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():  # it had just been let through
                self._under_way -= 1
                self.wake()
            raise

    def wake(self) -> None:
        """Let through those whose turn it is: everybody, once all is about to be closed."""
        while self._waiting and (self._under_way < int(self.limit) or self._closing.is_set()):
            turn = self._waiting.popleft()
            if not turn.done():
                self._under_way += 1
                turn.set_result(None)
