"""Requests under way, on an event loop in a thread of its own: callers need no loop, and may have one (notebooks)."""

import asyncio
import threading
from collections import Counter
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from contextlib import nullcontext
from typing import Any, Self, TypeVar

from understudy.errors import TeacherError, UnderstudyError
from understudy.teacher.channel import Channel, RequestFailed, is_of_the_text
from understudy.teacher.cost.ledger import BudgetReached
from understudy.teacher.replies.store import Reply, ReplyStore
from understudy.teacher.request import Body

T = TypeVar("T")

_DOWN = 5
"""So many requests in a row without an answer, and the endpoint is taken to be down."""
_REFUSING = 25
"""So many in a row refused, and it is taken to refuse them all (as when the credit is used up). It is more, since
single texts are refused for good reasons, and a run that is taken up again may have only those left to ask."""
_REFUSING_FROM_THE_START = 3
"""So many refused before any was answered, and the recipe or the endpoint is taken to be wrong."""
_TAKEN = 0.5
"""Seconds after which to see whether another process has got its answer to a request."""
_GRACE = 1.0
"""Seconds for which an end waits for what is under way before anybody is told; what is paid for has longer."""


class Asking:
    """Asks over a channel and keeps what is answered; nothing is sent twice, and nothing is sent once it is hopeless.

    The thread starts with the first piece of work.

    Args:
        connect: Makes the channel, which is a new one each time.
        store: Keeps the replies.

    Attributes:
        answered: Whether the teacher is known to answer: a request of this run was answered, now or earlier.
    """

    def __init__(self, connect: Callable[[], Channel], store: ReplyStore) -> None:
        self.connect = connect
        self.store = store
        self.answered = False
        self._in_a_row = Counter[bool]()
        self._refused: list[tuple[bytes, Body, str]] = []
        self._stopped: TeacherError | None = None
        self._under_way: dict[bytes, asyncio.Task[Reply]] = {}
        self._turns = asyncio.Semaphore()  # as many as the channel bears, once there is one
        self._channel: Channel | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        if self._loop is not None and self._thread is not None:
            try:
                asyncio.run_coroutine_threadsafe(self._finish(), self._loop).result()
            finally:  # also where a person does not want to wait for that
                self._loop.call_soon_threadsafe(self._loop.stop)
                self._thread.join()

    def submit(self, work: Callable[[], Coroutine[Any, Any, T]]) -> "Future[T]":
        """Start a piece of work that calls `fetch`; any number of threads may wait for it.

        Raises:
            TeacherError: The endpoint's key is missing.
        """
        loop = self._loop or self._start()
        return asyncio.run_coroutine_threadsafe(work(), loop)

    async def fetch(self, key: bytes, body: Body, *, first: bool = False) -> Reply:
        """The reply to a request, which is in the store by then; one that is already under way is only waited for.

        Args:
            key: The request's content key.
            body: The request.
            first: Whether it goes before all that wait for their turn.

        Raises:
            RequestFailed: This request will not be answered.
            TeacherError: No request will be.
        """
        if key not in self._under_way:
            task = asyncio.create_task(self._obtain(key, body, first))
            task.add_done_callback(lambda _: self._under_way.pop(key, None))
            self._under_way[key] = task
        return await asyncio.shield(self._under_way[key])

    async def _obtain(self, key: bytes, body: Body, first: bool) -> Reply:
        """Wait for a turn and ask, unless the reply has come since, or another process is asking already."""
        while True:
            async with nullcontext() if first else self._turns:
                if self._stopped is not None:
                    raise self._stopped
                with self.store.claim(key) as free:
                    if free:
                        return self.store.find(key) or await self._ask_and_keep(key, body)
            await asyncio.sleep(_TAKEN)

    async def _ask_and_keep(self, key: bytes, body: Body) -> Reply:
        assert self._channel is not None, "work is only submitted to a started loop"
        try:
            reply = await self._channel.ask(body)
            self.store.keep(key, body, reply)
        except RequestFailed as error:
            self._count_failure(error)
            if error.refused:
                self._refused.append((key, body, str(error)))
                if self.answered:  # else the recipe may be at fault, however the refusal reads
                    self._keep_refusals(only_plain=True)
            raise
        except BudgetReached as error:
            raise self.stop(error) from None
        except UnderstudyError as error:
            raise self.stop(TeacherError(f"{error}{self._kept()}")) from None
        except RecursionError:
            raise RequestFailed("the endpoint's reply is nested too deeply to be kept") from None
        self.answered = True
        self._in_a_row.clear()
        self._keep_refusals()
        return reply

    def _keep_refusals(self, *, only_plain: bool = False) -> None:
        """Keep refusals that would only come again: they speak of the text, or others were answered since.

        A refusal that is followed by no answer may be of another kind, such as a credit that is used up.
        """
        doubtful = []
        for key, body, reason in self._refused:
            if only_plain and not is_of_the_text(reason):
                doubtful.append((key, body, reason))
            else:
                self.store.keep(key, body, Reply(None, refused=reason))
        self._refused = doubtful

    def _count_failure(self, error: RequestFailed) -> None:
        """Stop where the failure is not this request's own: refused from the start, or one in a long row."""
        self._in_a_row[error.refused] += 1
        if self._stopped is not None:
            raise self._stopped
        in_a_row = self._in_a_row[error.refused]
        if in_a_row < self._enough(error):
            return
        if error.refused:
            raise self.stop(TeacherError(f"{error} ({in_a_row} requests in a row); correct the recipe")) from None
        raise self.stop(TeacherError(f"{error} ({in_a_row} requests in a row){self._kept()}")) from None

    def _kept(self) -> str:
        """What there is to go on from, if anything."""
        return ". What was answered is kept: run again to go on from there" if self.answered else ""

    def _enough(self, error: RequestFailed) -> int:
        """How many failures of this kind in a row mean that there will be no answer."""
        if not error.refused:
            return _DOWN
        return _REFUSING if self.answered else _REFUSING_FROM_THE_START

    def stop(self, reason: TeacherError) -> TeacherError:
        """Send nothing more, whoever asks for it; the first reason is the one that is given to all."""
        self._stopped = self._stopped or reason
        if self._channel is not None:
            self._channel.hurry()
        return self._stopped

    def _start(self) -> asyncio.AbstractEventLoop:
        self._channel = self.connect()
        self._turns = asyncio.Semaphore(self._channel.parallel)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=_serve, args=[self._loop], name="understudy-teacher", daemon=True)
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._channel.open(), self._loop).result()
        return self._loop

    async def _finish(self) -> None:
        """End in order: send nothing more, wait for what is on its way, then let go."""
        assert self._channel is not None, "a started loop has a channel"
        self.stop(TeacherError("the run was stopped"))
        if self._under_way:
            await asyncio.wait(self._under_way.values(), timeout=_GRACE)
        await self._channel.close()


def _serve(loop: asyncio.AbstractEventLoop) -> None:
    """Do the loop's work until it is stopped, and then break off what is left of it."""
    loop.run_forever()
    left = asyncio.all_tasks(loop)
    for task in left:
        task.cancel()
    if left:
        loop.run_until_complete(asyncio.wait(left))
    loop.close()
