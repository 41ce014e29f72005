"""Requests under way, on an event loop in a thread of its own: callers need no loop, and may have one (notebooks)."""

import asyncio
import threading
from collections import Counter
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from typing import Any, Self, TypeVar

from understudy.errors import TeacherError, UnderstudyError
from understudy.teacher.client import Client, Endpoint, RequestFailed
from understudy.teacher.replies import ReplyStore
from understudy.teacher.request import Body, content_key

T = TypeVar("T")

_DOWN = 5
"""So many requests in a row without an answer, and the endpoint is taken to be down."""
_REFUSING = 25
"""So many in a row refused, and it is taken to refuse them all (as when the credit is used up). It is more, since
single texts are refused for good reasons, and a run that is taken up again may have only those left to ask."""
_GRACE = 5.0
"""Seconds for which an end waits for replies that are on their way: they are paid for."""


class Asking:
    """Asks an endpoint and keeps what it answers; nothing is sent twice, and nothing is sent once it is hopeless.

    The thread starts with the first piece of work.

    Attributes:
        answered: Whether the teacher is known to answer: a request of this run was answered, now or earlier.
    """

    def __init__(self, endpoint: Endpoint, store: ReplyStore) -> None:
        self.endpoint = endpoint
        self.store = store
        self.answered = False
        self._in_a_row = Counter[bool]()
        self._stopped: TeacherError | None = None
        self._under_way: dict[str, asyncio.Task[None]] = {}
        self._client: Client | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        if self._loop is not None and self._thread is not None:
            asyncio.run_coroutine_threadsafe(self._finish(), self._loop).result()
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()

    def submit(self, work: Callable[[], Coroutine[Any, Any, T]]) -> "Future[T]":
        """Start a piece of work that calls `fetch`; any number of threads may wait for it.

        Raises:
            TeacherError: The endpoint's key is missing.
        """
        loop = self._loop or self._start()
        return asyncio.run_coroutine_threadsafe(work(), loop)

    async def fetch(self, body: Body) -> None:
        """Have a request answered and the reply in the store; one that is already under way is only waited for.

        Raises:
            RequestFailed: This request will not be answered.
            TeacherError: No request will be.
        """
        key = content_key(body)
        if key not in self._under_way:
            task = asyncio.create_task(self._ask_and_keep(body))
            task.add_done_callback(lambda _: self._under_way.pop(key, None))
            self._under_way[key] = task
        await asyncio.shield(self._under_way[key])

    async def _ask_and_keep(self, body: Body) -> None:
        assert self._client is not None, "work is only submitted to a started loop"
        if self._stopped is not None:
            raise self._stopped
        try:
            reply = await self._client.ask(body)
            self.store.append(body, reply)
        except RequestFailed as error:
            self._count_failure(error)
            raise
        except UnderstudyError as error:
            raise self._stop(str(error)) from None
        except RecursionError:
            raise RequestFailed("the endpoint's reply is nested too deeply to be kept") from None
        self.answered = True
        self._in_a_row.clear()

    def _count_failure(self, error: RequestFailed) -> None:
        """Stop where the failure is not this request's own: refused from the start, or one in a long row."""
        self._in_a_row[error.refused] += 1
        if self._stopped is not None:
            raise self._stopped
        if error.refused and not self.answered:
            raise self._stop(str(error)) from None
        if self._in_a_row[error.refused] >= (_REFUSING if error.refused else _DOWN):
            raise self._stop(f"{error} ({self._in_a_row[error.refused]} requests in a row)") from None

    def _stop(self, reason: str) -> TeacherError:
        if self._stopped is None:
            self._stopped = TeacherError(f"{reason}. What was answered is kept: run again to go on from there")
        if self._client is not None:
            self._client.hurry()
        return self._stopped

    def _start(self) -> asyncio.AbstractEventLoop:
        self._client = Client(self.endpoint)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="understudy-teacher", daemon=True)
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._client.open(), self._loop).result()
        return self._loop

    async def _finish(self) -> None:
        """End in order: send nothing more, wait a little for what is on its way, then let go."""
        assert self._client is not None, "a started loop has a client"
        self._client.hurry()
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=_GRACE)
            for task in late:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        await self._client.close()
