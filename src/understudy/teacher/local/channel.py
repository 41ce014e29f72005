"""Requests to a model in this process, gathered into batches and answered in a thread of their own."""

import asyncio
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

from understudy.errors import TeacherError
from understudy.teacher.channel import RequestFailed
from understudy.teacher.local.completion import Completion, Generate
from understudy.teacher.replies.store import Reply
from understudy.teacher.request import Body

_COMPANY = 0.005
"""Seconds for which a batch waits for company before it is begun."""
_BATCHES_AHEAD = 4
"""How many batches' worth of requests to hold, so that batches can be made of requests of about one length."""
_STOPPED = "not asked: the run was stopped"


class ChatModel(Protocol):
    """A language model that can be loaded into this process."""

    @property
    def name(self) -> str:
        """What tells the model apart from any other, weights and tokenizer included."""

    @property
    def batch_size(self) -> int:
        """How many requests it answers together."""

    def load(self, stopped: threading.Event) -> Generate:
        """Bring the model into memory.

        Args:
            stopped: Once this is set, the model may break off what it is writing.

        Raises:
            ModelError: It cannot be loaded.
        """


class _Asked:
    """A request that waits for its batch."""

    def __init__(self, body: Body) -> None:
        self.body = body
        self.length = sum(len(message["content"]) for message in body["messages"])
        self.reply: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()

    def fail(self, error: TeacherError) -> None:
        if not self.reply.done():
            self.reply.set_exception(error)

    def answer(self, reply: Reply) -> None:
        if not self.reply.done():
            self.reply.set_result(reply)


class LocalChannel:
    """Answers requests with a model in this process, a batch at a time; the event loop stays free.

    Args:
        model: Who answers; loaded when the channel is opened, let go of when it is closed.
    """

    def __init__(self, model: ChatModel) -> None:
        self.model = model
        self._waiting: list[_Asked] = []
        self._hurried = False
        self._stopped = threading.Event()
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="understudy-model")
        self._generate: Generate | None = None
        self._working: asyncio.Task[None] | None = None

    @property
    def name(self) -> str:
        """The model's name, with a fingerprint of its files where it has files here."""
        return self.model.name

    @property
    def parallel(self) -> int:
        """How many requests may usefully be under way at a time."""
        return _BATCHES_AHEAD * self.model.batch_size

    async def open(self) -> None:
        """Load the model.

        Raises:
            ModelError: It cannot be loaded.
        """
        loop = asyncio.get_running_loop()
        self._generate = await loop.run_in_executor(self._thread, self.model.load, self._stopped)

    async def ask(self, body: Body) -> Reply:
        """The model's reply, and the seconds that its batch took.

        Raises:
            RequestFailed: The model cannot answer this request, or the run was stopped.
            TeacherError: The model failed.
        """
        if self._hurried:
            raise RequestFailed(_STOPPED)
        asked = _Asked(body)
        self._waiting.append(asked)
        if self._working is None or self._working.done():
            self._working = asyncio.create_task(self._work())
        return await asked.reply

    def hurry(self) -> None:
        """Begin no further batch; the one under way may end."""
        self._hurried = True
        for asked in self._waiting:
            asked.fail(RequestFailed(_STOPPED))
        self._waiting.clear()

    async def close(self) -> None:
        """Break off what is under way, and let go of the model and its memory."""
        self.hurry()
        self._stopped.set()
        if self._working is not None:
            await asyncio.wait([self._working])
        await asyncio.to_thread(self._thread.shutdown)
        self._generate = None

    async def _work(self) -> None:
        while self._waiting:
            await asyncio.sleep(_COMPANY)
            batch = self._next_batch()
            if batch:
                await self._answer(batch)

    def _next_batch(self) -> list[_Asked]:
        """The request that has waited longest, and those nearest to it in length, since padding is wasted work."""
        self._waiting = [asked for asked in self._waiting if not asked.reply.done()]
        if not self._waiting:
            return []
        oldest = self._waiting[0]
        batch = sorted(self._waiting, key=lambda asked: abs(asked.length - oldest.length))[: self.model.batch_size]
        self._waiting = [asked for asked in self._waiting if asked not in batch]
        return batch

    async def _answer(self, batch: Sequence[_Asked]) -> None:
        assert self._generate is not None, "the channel is not open"
        start = time.monotonic()
        bodies = [asked.body for asked in batch]
        try:
            outcomes = await asyncio.get_running_loop().run_in_executor(self._thread, self._generate, bodies)
            self._deliver(batch, outcomes, round(time.monotonic() - start, 3))
        except Exception as error:  # noqa: BLE001 - a model can fail in any way, and nobody may wait for ever
            for asked in batch:
                asked.fail(_failure(error))

    def _deliver(self, batch: Sequence[_Asked], outcomes: Sequence[Completion | RequestFailed], seconds: float) -> None:
        for asked, outcome in zip(batch, outcomes, strict=True):
            if isinstance(outcome, Completion):
                asked.answer(Reply(outcome.to_json(self.name), seconds))
            else:
                asked.fail(outcome)


def _failure(error: Exception) -> TeacherError:
    failure = TeacherError(f"the model in this process failed ({type(error).__name__}: {error})")
    failure.__cause__ = error
    return failure
