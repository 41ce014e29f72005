"""The calls of a Batch API, OpenAI's or one like it: one attempt each, and nothing that comes back is trusted."""

import json
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, TypeVar, cast

from pydantic import BaseModel, ValidationError

from understudy.data.files import replacing
from understudy.errors import DataError, TeacherError
from understudy.teacher.batch.state import Identifier, Submission
from understudy.teacher.endpoint.connection import Connection, Transient
from understudy.teacher.endpoint.endpoint import Endpoint
from understudy.teacher.endpoint.response import said
from understudy.teacher.replies.recordings import URL

if TYPE_CHECKING:
    import aiohttp

M = TypeVar("M", bound=BaseModel)

_TRANSFER = 3600.0
"""Seconds that one file may take."""
_LARGEST_OUTPUT = 2**32
_PAGES = 100
"""How many pages of a hundred batches, the latest first, are searched for one of a minute or a day ago."""
_TAG = "understudy"
"""The key of a batch's metadata under which its tag stands."""


class _File(BaseModel):
    id: Identifier


class _Counts(BaseModel):
    completed: int = 0
    failed: int = 0


class _Problem(BaseModel):
    code: str | None = None
    message: str | None = None
    line: int | None = None


class _Problems(BaseModel):
    data: list[_Problem] | None = None


class Batch(BaseModel):
    """A batch as the API describes it."""

    id: Identifier
    status: str
    output_file_id: Identifier | None = None
    error_file_id: Identifier | None = None
    request_counts: _Counts | None = None
    errors: _Problems | None = None

    @property
    def done(self) -> int:
        """How many of its requests are done, well or badly."""
        counts = self.request_counts or _Counts()
        return counts.completed + counts.failed

    @property
    def reason(self) -> str:
        """Why it failed as a whole."""
        problems = (self.errors and self.errors.data) or [_Problem(message="no reason was given")]
        first = problems[0]
        at = "" if first.line is None else f"line {first.line}: "
        return f"{at}{first.message or first.code} ({first.code})"


class _Listed(BaseModel):
    id: Identifier
    metadata: dict[str, Any] | None = None


class _Page(BaseModel):
    data: list[_Listed]
    has_more: bool = False


class BatchApi:
    """A Batch API; to be opened, used and closed within one event loop.

    Every call raises Transient where it failed in a way that may pass, Refused where it was understood and refused, and
    TeacherError where every other call would fail as well.

    Args:
        endpoint: Where it is.

    Raises:
        TeacherError: The key is missing from the environment.
    """

    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        self._connection = Connection(endpoint)

    def longest_pause(self, attempt: int) -> float:
        """The most seconds to wait after an attempt, counted from 0."""
        return self._connection.longest_pause(attempt)

    async def open(self) -> None:
        """Get ready to call."""
        await self._connection.open()

    async def close(self) -> None:
        """Let go of the connections."""
        await self._connection.close()

    async def upload(self, path: Path) -> str:
        """Send a request file, and learn its name there.

        Raises:
            DataError: It cannot be read.
        """
        import aiohttp

        form = aiohttp.FormData({"purpose": "batch"})
        try:
            content = path.open("rb")
        except OSError as error:
            raise DataError(f"{path}: cannot be read ({error.strerror}); it was exported there to be sent") from None
        with content:
            form.add_field("file", content, filename=path.name, content_type="application/jsonl")
            return (await self._call("POST", "files", _File, form, _TRANSFER)).id

    async def create(self, submission: Submission) -> str:
        """Have a batch made of an uploaded file, and learn its name. It may have been made where the answer is lost."""
        wanted = {
            "input_file_id": submission.file_id,
            "endpoint": URL,
            "completion_window": "24h",
            "metadata": {_TAG: submission.tag, "digest": submission.digest},
        }
        return (await self._call("POST", "batches", Batch, json.dumps(wanted).encode())).id

    async def find(self, tag: str) -> str | None:
        """The batch with this tag, if there is one."""
        after = ""
        for _ in range(_PAGES):
            page = await self._call("GET", f"batches?limit=100{after}", _Page)
            for batch in page.data:
                if (batch.metadata or {}).get(_TAG) == tag:
                    return batch.id
            if not (page.has_more and page.data):
                break
            after = f"&after={page.data[-1].id}"
        return None

    async def look(self, batch_id: str) -> Batch:
        """How far a batch is."""
        return await self._call("GET", f"batches/{batch_id}", Batch)

    async def cancel(self, batch_id: str) -> Batch:
        """Have a batch cancelled."""
        return await self._call("POST", f"batches/{batch_id}/cancel", Batch)

    async def download(self, file_id: str, path: Path) -> None:
        """Write a file of the API's to the disk, whole or not at all.

        Raises:
            DataError: It cannot be written.
        """
        with replacing(path) as out:
            async with self._connection.response("GET", f"files/{file_id}/content", seconds=_TRANSFER) as response:
                # the bytes as they came, whether they are text or not
                await _pour(response, cast("BinaryIO", cast("TextIOWrapper", out).buffer), path)

    def shown(self, text: str) -> str:
        """What the API says, fit for an error message."""
        return self._connection.redactor.clean(text)

    async def _call(
        self, method: str, path: str, kind: type[M], payload: Any = None, seconds: float | None = None
    ) -> M:
        """One call, and what came back as what it should be."""
        raw = await self._connection.call(method, path, payload, seconds=seconds or self.endpoint.timeout)
        try:
            return kind.model_validate_json(raw)
        except ValidationError:
            message = said(raw, self._connection.redactor)
            raise Transient(f"what came is no answer of a Batch API: {message}", billed=True) from None


async def _pour(response: "aiohttp.ClientResponse", out: BinaryIO, path: Path) -> None:
    """Write what comes; that the disk is full is no failure of the connection."""
    taken = 0
    async for chunk in response.content.iter_any():
        taken += len(chunk)
        if taken > _LARGEST_OUTPUT:
            raise TeacherError(f"{path}: more than {_LARGEST_OUTPUT:,} bytes came; no batch has that much output")
        try:
            out.write(chunk)
        except OSError as error:
            raise DataError(f"{path}: cannot be written ({error.strerror}); make room, then run again") from None
