"""Batches over a live Batch API: sent, waited for and fetched, through kills and failures.

Each step is noted on the disk before it is taken and after it, so that whatever process takes the folder up goes on
where the last one stopped, and no batch is paid for twice.
"""

import asyncio
import random
import re
import threading
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from understudy.errors import DataError, TeacherError
from understudy.progress import Bar, Progress
from understudy.teacher.answer import Question
from understudy.teacher.batch.api import Batch, BatchApi
from understudy.teacher.batch.files import Imported, export_batch, import_batch
from understudy.teacher.batch.state import Submission, Submissions, is_under_way, reservation_of, settle
from understudy.teacher.cost.ledger import Ledger, Reservation
from understudy.teacher.endpoint.connection import Refused, Transient
from understudy.teacher.endpoint.dialect import Dialect
from understudy.teacher.endpoint.endpoint import Endpoint
from understudy.teacher.replies.store import ReplyStore
from understudy.teacher.request import Body

T = TypeVar("T")

_RUNNING = {"validating", "in_progress", "finalizing"}
_OVER = {"completed", "expired", "cancelled"}
_LONGEST_WAIT = 300.0
"""Seconds between two looks at the batches, once they have taken long."""
_FULL = re.compile("enqueued|token_limit_exceeded", re.IGNORECASE)
"""How an API says that it takes no more before some of what is queued is done."""


def batch_round(
    outstanding: Iterable[Body],
    asked: Iterable[Question[Any]],
    store: ReplyStore,
    folder: Path,
    endpoint: Endpoint,
    dialect: Dialect,
    ledger: Ledger,
    progress: Progress,
    poll: float = 30.0,
) -> Imported:
    """One round: export what is outstanding, submit it, wait, and take the replies into the store.

    Where an earlier round was cut short, that one is finished instead. ``missing`` in what it returns says whether
    another round is due: corrections, and what failed or expired.

    Args:
        outstanding: The requests that the store does not answer yet; only looked at where nothing is under way.
        asked: Every question that the recipe asks, answered or not.
        store: Where replies go.
        folder: Where request and reply files lie.
        endpoint: The API.
        dialect: How it is spoken to.
        ledger: What it may cost, and where that is entered.
        progress: Told of every request that is done.
        poll: Seconds before the batches are looked at again; doubles up to five minutes.

    Raises:
        BudgetReached: The worst case of what is outstanding does not fit into what is left.
        TeacherError: The API cannot be used, or made a batch of none of the files.
        DataError: A file is broken, or not of these requests.
    """
    reservation = _set_aside(outstanding, folder, endpoint, dialect, ledger)
    try:
        files = submit_batches(folder, endpoint, reservation, progress, poll)
    except BaseException:  # an interruption too
        if not is_under_way(folder):
            ledger.give_back(reservation)
        raise
    return _take_in(files, asked, store, folder, ledger, reservation)


def cancel_round(
    asked: Iterable[Question[Any]],
    store: ReplyStore,
    folder: Path,
    endpoint: Endpoint,
    ledger: Ledger,
    progress: Progress,
    poll: float = 30.0,
) -> Imported:
    """Cut a round short: have its batches cancelled, and take the replies that came until then into the store.

    Args:
        asked: Every question that the recipe asks, answered or not.
        store: Where replies go.
        folder: Where request and reply files lie.
        endpoint: The API.
        ledger: Where it is entered what they cost.
        progress: Told of every request that is done.
        poll: Seconds before the batches are looked at again, for to cancel one takes time.

    Raises:
        TeacherError: The API cannot be used.
        DataError: Nothing is under way, or a file is broken or not of these requests.
    """
    reservation = reservation_of(folder)
    if reservation is None or not is_under_way(folder):
        raise DataError(f"{folder}: no batch is under way; expected the folder out of which one was submitted")
    submissions = Submissions(folder, endpoint.name, reservation)
    _see_to_the_end(submissions, endpoint, progress, poll, cancel=True)
    return _take_in(submissions.fetched(), asked, store, folder, ledger, reservation)


def submit_batches(
    folder: Path, endpoint: Endpoint, reservation: Reservation, progress: Progress, poll: float = 30.0
) -> list[Path]:
    """Send the exported request files off, wait until all batches are over, and fetch what came.

    Of a batch that expired or was cancelled there is what was answered until then.

    Args:
        folder: Where the files lie.
        endpoint: The API.
        reservation: What is set aside for them, to be noted with them.
        progress: Told of every request that is done.
        poll: Seconds before the batches are looked at again.

    Returns:
        The output and error files.

    Raises:
        TeacherError: The API cannot be used, or made a batch of none of the files.
        DataError: A file cannot be read or written, or is another than the one that was sent.
    """
    submissions = Submissions(folder, endpoint.name, reservation)
    _see_to_the_end(submissions, endpoint, progress, poll)
    failed = [submission for submission in submissions.under_way if submission.stage == "failed"]
    if failed and len(failed) == len(submissions.under_way):
        settle(folder)
        raise TeacherError(f"{endpoint.name} made no batch of {folder / failed[0].file}: {failed[0].reason}")
    return submissions.fetched()


def _set_aside(
    outstanding: Iterable[Body], folder: Path, endpoint: Endpoint, dialect: Dialect, ledger: Ledger
) -> Reservation:
    """What a round may take: set aside when it began, or now, once its requests are laid out."""
    noted = reservation_of(folder)
    if noted is not None:
        if is_under_way(folder):
            return noted
        ledger.give_back(noted)  # its process died before there was any batch
    exported = export_batch(outstanding, folder, dialect=dialect, max_tokens=endpoint.max_tokens)
    return ledger.reserve_batch(exported.worst, exported.requests)


def _see_to_the_end(
    submissions: Submissions, endpoint: Endpoint, progress: Progress, poll: float, cancel: bool = False
) -> None:
    """Take all submissions as far as they can go, whether to be answered or to be cancelled."""
    api = BatchApi(endpoint)
    if submissions.under_way:
        submissions.save()
    total = sum(submission.requests for submission in submissions.under_way)
    with progress.bar("batch", total) as bar:
        try:
            _on_a_loop(_Courier(api, submissions, progress, bar).deliver(poll, cancel))
        except TeacherError as error:
            raise TeacherError(f"{error}. {submissions.path} says what is under way: run again to go on") from None


def _take_in(
    files: Sequence[Path],
    asked: Iterable[Question[Any]],
    store: ReplyStore,
    folder: Path,
    ledger: Ledger,
    reservation: Reservation,
) -> Imported:
    """What a round brought, into the store and the ledger; only then is it forgotten."""
    imported = import_batch(files, asked, store)
    ledger.settle(reservation, imported.tokens)
    settle(folder)
    return imported


class _Courier:
    """Takes submissions from stage to stage."""

    def __init__(self, api: BatchApi, submissions: Submissions, progress: Progress, bar: Bar) -> None:
        self._api = api
        self._endpoint = api.endpoint
        self._submissions = submissions
        self._progress = progress
        self._bar = bar
        self._shown: dict[str, int] = {}
        self._full = False
        self._steps: dict[str, Callable[[Submission], Awaitable[None]]] = {
            "planned": self._upload,
            "uploaded": self._create,
            "creating": self._create,
            "running": self._look,
            "ended": self._fetch,
        }

    async def deliver(self, poll: float, cancel: bool) -> None:
        """See every submission to its end, which comes sooner where it is cancelled."""
        submissions = self._submissions.under_way
        await self._api.open()
        try:
            if cancel:
                await self._cancel()
            while True:
                for submission in submissions:
                    await self._go_on(submission)
                if not any(submission.stage in self._steps for submission in submissions):
                    return
                await asyncio.sleep(poll)
                poll = min(2 * poll, _LONGEST_WAIT)
        finally:
            await self._api.close()

    async def _cancel(self) -> None:
        """Have every batch cancelled that is not over, and make none of what is no batch yet."""
        self._steps = {"running": self._look, "ended": self._fetch}
        for submission in list(self._submissions.under_way):
            await self._persist(self._call_off, submission)
            self._submissions.save()

    async def _call_off(self, submission: Submission) -> None:
        if submission.stage == "creating":
            submission.batch_id = await self._api.find(submission.tag)
            submission.stage = "planned" if submission.batch_id is None else "running"
        if not submission.is_bound:
            self._submissions.under_way.remove(submission)
        elif submission.stage == "running":
            batch = await self._api.look(submission.batch_id or "")
            if batch.status in _RUNNING:
                await self._api.cancel(batch.id)
            elif batch.status == "failed":
                self._submissions.under_way.remove(submission)

    async def _go_on(self, submission: Submission) -> None:
        """Take it as far as it can go for now."""
        before = None
        while submission.stage in self._steps and submission.stage != before:
            before = submission.stage
            await self._persist(self._steps[before], submission)
            self._submissions.save()

    async def _persist(self, step: Callable[[Submission], Awaitable[T]], submission: Submission) -> T:
        """Try until it succeeds, with growing, random pauses, or as often as allowed."""
        last = "nothing came"
        for attempt in range(self._endpoint.max_attempts):
            try:
                return await step(submission)
            except Refused as refusal:
                raise TeacherError(f"{submission.file}: {refusal}") from None
            except Transient as failure:
                last = str(failure)
                pause = random.uniform(0, self._api.longest_pause(attempt))  # noqa: S311 - jitter, not a secret
                await asyncio.sleep(pause + (failure.wait or 0.0))
        raise TeacherError(f"{submission.file}: no answer from {self._endpoint.name}: {last}")

    async def _upload(self, submission: Submission) -> None:
        submission.file_id = await self._api.upload(self._submissions.folder / submission.file)
        submission.stage = "uploaded"

    async def _create(self, submission: Submission) -> None:
        """Have a batch made, unless that has been done and only the answer was lost."""
        if self._full:
            return
        try:
            found = await self._api.find(submission.tag) if submission.stage == "creating" else None
            submission.stage = "creating"
            self._submissions.save()
            submission.batch_id = found or await self._api.create(submission)
        except (Refused, Transient) as failure:
            if not _FULL.search(str(failure)):
                raise
            self._hold(submission, str(failure))
        else:
            submission.stage = "running"

    async def _look(self, submission: Submission) -> None:
        """See how far the batch is."""
        batch = await self._api.look(submission.batch_id or "")
        self._show(submission, batch.done)
        if batch.status == "failed":
            self._fail(submission, batch)
        elif batch.status in _OVER:
            submission.output_file_id, submission.error_file_id = batch.output_file_id, batch.error_file_id
            submission.stage = "ended"
            self._full = False
            if batch.status != "completed":
                self._progress.say(f"{submission.file}: the batch is {batch.status}; the rest of it can be sent again")
        elif batch.status not in _RUNNING | {"cancelling"}:
            raise TeacherError(
                f"{submission.file}: the batch {batch.id} has the unknown status {self._api.shown(batch.status)!r}; "
                f"expected one of: {', '.join(sorted({*_RUNNING, 'cancelling', *_OVER, 'failed'}))}"
            )

    def _fail(self, submission: Submission, batch: Batch) -> None:
        reason = self._api.shown(batch.reason)
        if _FULL.search(batch.reason):
            self._hold(submission, reason)
        else:
            submission.stage, submission.reason = "failed", reason
            self._full = False
            self._progress.say(f"{submission.file}: the batch failed: {reason}")

    def _hold(self, submission: Submission, reason: str) -> None:
        """Wait with a submission until another batch has ended, for the API takes no more."""
        submission.start_over()
        self._submissions.save()
        if not any(other.stage == "running" for other in self._submissions.under_way):
            raise TeacherError(
                f"{submission.file}: {reason}; wait until other batches of the account have ended, or export fewer "
                "requests to a file"
            )
        self._full = True

    async def _fetch(self, submission: Submission) -> None:
        for name, file_id in submission.results.items():
            path = self._submissions.folder / name
            if not path.exists():
                await self._api.download(file_id, path)
        submission.stage = "fetched"
        self._show(submission, submission.requests)

    def _show(self, submission: Submission, done: int) -> None:
        """Let the bar go on to what is done; it never goes back."""
        shown = self._shown.get(submission.file, 0)
        further = min(done, submission.requests) - shown
        if further > 0:
            self._bar.advance(further)
            self._shown[submission.file] = shown + further


def _on_a_loop(work: Coroutine[Any, Any, T]) -> T:
    """Wait for work on an event loop in a thread of its own: whoever calls may have a loop already (a notebook)."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="understudy-batches", daemon=True)
    thread.start()
    future = asyncio.run_coroutine_threadsafe(work, loop)
    try:
        return future.result()
    finally:
        future.cancel()
        asyncio.run_coroutine_threadsafe(_ended(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _ended() -> None:
    """Wait for what is left on the loop."""
    await asyncio.gather(*asyncio.all_tasks() - {asyncio.current_task()}, return_exceptions=True)
