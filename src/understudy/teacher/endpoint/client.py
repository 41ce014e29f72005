"""The client: a channel to any OpenAI-compatible endpoint, which tries until it is answered or plainly will not be."""

import asyncio
import json
import math
import random
import time
from collections.abc import Callable, Mapping
from typing import Any

from understudy.errors import TeacherError
from understudy.teacher.channel import RequestFailed
from understudy.teacher.cost.ledger import Ledger, Reservation, worst_case
from understudy.teacher.cost.spending import NO_TOKENS, Tokens, usage_tokens
from understudy.teacher.endpoint.connection import Connection, Refused, Transient
from understudy.teacher.endpoint.dialect import Dialect, Dialects, Wire
from understudy.teacher.endpoint.endpoint import CHECK_ADDRESS, Endpoint
from understudy.teacher.endpoint.pace import Pace
from understudy.teacher.endpoint.response import said
from understudy.teacher.replies.recordings import is_completion
from understudy.teacher.replies.store import Reply
from understudy.teacher.request import Body

_BYTES_A_TOKEN = 4
_BETWEEN_WARNINGS = 10.0
"""Seconds."""
_USUAL_REPLY = 100
"""Tokens."""


class Client:
    """Asks one endpoint; to be made anywhere, and to be opened, used and closed within one event loop.

    Args:
        endpoint: Who is asked.
        ledger: Keeps the account, and the budget.
        dialects: Remembers how the endpoint is to be spoken to.
        say: Told what a waiting person should know.

    Attributes:
        dialect: How the endpoint turned out to be spoken to.

    Raises:
        TeacherError: The key is missing from the environment.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        ledger: Ledger | None = None,
        dialects: Dialects | None = None,
        say: Callable[[str], None] = lambda line: None,
    ) -> None:
        self.endpoint = endpoint
        self._dialects = dialects or Dialects(None, endpoint.name)
        asked_for = Dialect.of(endpoint.structure)
        self.dialect = (self._dialects.known() or Dialect()) if asked_for is None else asked_for
        self._ledger = ledger or Ledger()
        self._say = say
        self._connection = Connection(endpoint)
        self._closing = asyncio.Event()
        self._pace = Pace(
            endpoint.concurrency, endpoint.requests_per_minute, endpoint.tokens_per_minute, closing=self._closing
        )
        self._answered_in = self._dialects.known()
        self._warned = -math.inf
        self._sent: set[asyncio.Task[Any]] = set()

    @property
    def name(self) -> str:
        """The endpoint's address."""
        return self.endpoint.name

    @property
    def parallel(self) -> int:
        """As many as the endpoint is said to bear."""
        return self.endpoint.concurrency

    async def open(self) -> None:
        """Get ready to ask."""
        await self._connection.open()

    def hurry(self) -> None:
        """Begin no further attempt; those under way may end."""
        self._closing.set()
        self._pace.wake()

    async def close(self) -> None:
        """Let go of the connections, once what was sent is answered: it is paid for."""
        self.hurry()
        try:
            if self._sent:
                await self._see_in()
        finally:
            for late in self._sent:
                late.cancel()
            await asyncio.gather(*self._sent, return_exceptions=True)
            self._ledger.close()
            await self._connection.close()

    async def _see_in(self) -> None:
        """Wait for the replies that are on their way, as long as they may take."""
        replies = "a reply" if len(self._sent) == 1 else f"{len(self._sent)} replies"
        seconds = self.endpoint.timeout
        self._say(f"Waiting up to {seconds:g} s for {replies} already paid for; Ctrl-C ends that.")
        await asyncio.wait(self._sent, timeout=seconds)

    async def ask(self, body: Body) -> Reply:
        """The reply to one request, in whatever dialect the endpoint takes it.

        Raises:
            RequestFailed: It was refused, or not answered in as many attempts or seconds as allowed.
            BudgetReached: What is left of the budget does not cover it.
            TeacherError: The endpoint answers no request at all: key, address or model are wrong.
        """
        async with self._pace.turn():
            return await self._converse(body)

    async def _converse(self, body: Body) -> Reply:
        """Put the request in this dialect and, where it is refused, in the next, until it is understood."""
        dialect, first = self.dialect, ""
        while True:
            wire = dialect.spoken(body, self.endpoint.max_tokens)
            try:
                reply = await self._persist(wire)
            except Refused as refusal:
                first = first or str(refusal)
                proven, fixed = dialect == self._answered_in, self.endpoint.structure != "auto"
                further = dialect.after(str(refusal), wire, proven=proven, structured=fixed)
                if further is None:
                    raise RequestFailed(first, refused=True) from None
                dialect = further
            else:
                self._adopt(dialect)
                return reply

    def _adopt(self, dialect: Dialect) -> None:
        """Speak as the endpoint has just understood."""
        if self._answered_in is None or len(dialect.concessions) > len(self.dialect.concessions):
            for notice in dialect.notices[len(self.dialect.concessions) :]:
                self._say(f"{self.name} {notice}")
            self.dialect = self._answered_in = dialect
            if self.endpoint.structure == "auto":
                self._dialects.keep(dialect)

    async def _persist(self, wire: Wire) -> Reply:
        """Try until there is a reply, with growing, random pauses, or until patience ends."""
        payload = json.dumps(wire, ensure_ascii=False).encode("utf-8")
        worst = worst_case(wire, payload)
        last, deadline = "nothing came", _Deadline(self.endpoint.deadline)
        for attempt in range(self.endpoint.max_attempts):
            try:
                return await self._attempt(payload, worst, deadline)
            except Transient as failure:
                last = str(failure)
                self._warn(failure)
                if attempt + 1 < self.endpoint.max_attempts and not await self._pause(attempt, failure.wait, deadline):
                    raise RequestFailed(f"no answer within {self.endpoint.deadline:g} seconds: {last}") from None
        times = f"{self.endpoint.max_attempts} attempts" if self.endpoint.max_attempts > 1 else "one attempt"
        raise RequestFailed(f"no answer from the endpoint in {times}: {last}")

    def _warn(self, failure: Transient) -> None:
        """Say from time to time why it takes long."""
        if time.monotonic() - self._warned < _BETWEEN_WARNINGS:
            return
        self._warned = time.monotonic()
        does = f"answers {failure}" if failure.heard else f"does not answer ({failure})"
        waits = "" if failure.wait is None else f", and asks to wait {failure.wait:.3g} s"
        at_a_time = "one request" if int(self._pace.limit) == 1 else f"{int(self._pace.limit)} requests"
        tries = f"trying again, up to {self.endpoint.max_attempts} times"
        self._say(f"{self.name} {does}{waits}; {tries}, {at_a_time} at a time now")

    async def _attempt(self, payload: bytes, worst: Tokens, deadline: "_Deadline") -> Reply:
        """One attempt, once the budget covers it and the pace allows it."""
        reservation = await self._ledger.reserve(worst)
        try:
            since = await self._pace.ready(_likely(worst))
            if self._closing.is_set():
                raise RequestFailed("not asked: the run was stopped")
            deadline.start(since)
            return await self._send(payload, reservation, since, deadline)
        finally:
            self._ledger.give_back(reservation)  # which has no effect where something was sent

    async def _send(self, payload: bytes, reservation: Reservation, since: float, deadline: "_Deadline") -> Reply:
        """Send one attempt, and enter what it has cost."""
        used: Tokens | None = None  # whoever knows no better must take it that the worst was charged
        task = asyncio.current_task()
        assert task is not None, "an attempt is sent from within a task"
        self._sent.add(task)
        try:
            reply = await self._post(payload, min(self.endpoint.timeout, max(1.0, deadline.left())))
            used = usage_tokens(reply.completion)
        except Transient as failure:
            used = None if failure.billed else NO_TOKENS
            self._pace.congested(since, failure.wait)
            raise
        except RequestFailed:  # what came cannot be used, and is charged for all the same
            raise
        except (Refused, TeacherError):
            used = NO_TOKENS
            raise
        finally:
            self._ledger.settle(reservation, used)
            self._sent.discard(task)
        self._pace.answered(0 if used is None else _likely(reservation.worst) - used.total)
        return reply

    async def _post(self, payload: bytes, seconds: float) -> Reply:
        """Send it, and read what comes back."""
        start = time.monotonic()
        raw = await self._connection.call("POST", "chat/completions", payload, seconds=seconds)
        return Reply(self._completion(raw), round(time.monotonic() - start, 3))

    def _completion(self, raw: bytes) -> Mapping[str, Any]:
        try:
            body = json.loads(self._connection.redactor.clean_bytes(raw).decode("utf-8"))
        except (ValueError, RecursionError):
            body = None
        if is_completion(body):
            completion: Mapping[str, Any] = body
            self._check_end(completion["choices"][0])
            return completion
        message = f"what came is not a chat completion: {said(raw, self._connection.redactor)}"
        if raw.lstrip()[:1] == b"<" and self._answered_in is None:  # a web page; this is no API
            raise TeacherError(f"{self.name}: {message}; {CHECK_ADDRESS}")
        raise Transient(message, billed=True)

    def _check_end(self, choice: Mapping[str, Any]) -> None:
        """Refuse what is no reply but a provider's failure on the way, handed on by a gateway."""
        if choice.get("finish_reason") == "error":
            failure = json.dumps(choice).encode("utf-8")
            raise Transient(f"the reply ended in an error: {said(failure, self._connection.redactor)}", billed=True)

    async def _pause(self, attempt: int, wanted: float | None, deadline: "_Deadline") -> bool:
        """Wait before the next attempt: as long as the endpoint asked for, and a random time below a doubling bound.

        Returns:
            Whether there is time for another attempt after that.
        """
        bound = self._connection.longest_pause(attempt)
        pause = random.uniform(0, bound) + (wanted or 0.0)  # noqa: S311 - jitter, not a secret
        if pause >= deadline.left():
            return False
        await self._pace.sleep(pause)
        return True


class _Deadline:
    """The end of one request's time, which runs from when it may first be sent.

    Args:
        seconds: How long that is.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._end = math.inf

    def start(self, moment: float) -> None:
        """Let the time run, unless it does already."""
        self._end = min(self._end, moment + self._seconds)

    def left(self) -> float:
        """The seconds that are left."""
        return self._end - time.monotonic()


def _likely(worst: Tokens) -> int:
    """The tokens that a request will probably take, for the pace: what it really took is known soon enough."""
    return worst.input // _BYTES_A_TOKEN + min(worst.output, _USUAL_REPLY)
