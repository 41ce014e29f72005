"""The client: one request to any OpenAI-compatible endpoint, tried until it is answered or plainly will not be."""

import asyncio
import json
import os
import random
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from understudy.errors import TeacherError
from understudy.teacher.recordings import is_completion
from understudy.teacher.replies import Reply
from understudy.teacher.request import Body
from understudy.teacher.response import Redactor, retry_after, said, secrets_in

if TYPE_CHECKING:
    import aiohttp

_TRANSIENT = {408, 409, 425, 429}
_FATAL = {401, 402, 403, 404, 405}
"""Statuses that every other request would get as well: the key, the account, the address or the model is wrong."""
_LARGEST_REPLY = 4 * 2**20
_PATIENCE = 600.0
"""The longest wait in seconds that an endpoint may ask for; beyond it the run stops and can be taken up later."""


class RequestFailed(TeacherError):
    """One request will not be answered, though others may be.

    Attributes:
        refused: The endpoint understood and refused it (a 4xx), rather than failing to answer.
    """

    def __init__(self, message: str, *, refused: bool = False) -> None:
        super().__init__(message)
        self.refused = refused


class _Transient(Exception):
    """An attempt failed in a way that may pass; `wait` is how many seconds the endpoint asked for, if it did."""

    def __init__(self, reason: str, wait: float | None = None) -> None:
        super().__init__(reason)
        self.wait = wait


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Where a teacher answers, and how patiently it is asked.

    Attributes:
        base_url: The API's address up to ``/v1``, such as ``https://api.openai.com/v1``.
        api_key_env: The environment variable that holds the key; None sends no key.
        headers: Further headers of every request.
        headers_env: Headers that hold a secret, each with the environment variable that it is read from.
        timeout: Seconds for one attempt.
        concurrency: How many requests may be under way at a time.
        max_attempts: How often one request is tried.
        backoff: The longest first pause in seconds; it doubles with every attempt, and the pause is drawn below it.
        longest_pause: Where that doubling ends, in seconds.

    Raises:
        TeacherError: The address or a header cannot be one.
    """

    base_url: str
    api_key_env: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    headers_env: Mapping[str, str] = field(default_factory=dict)
    timeout: float = 60.0
    concurrency: int = 8
    max_attempts: int = 6
    backoff: float = 1.0
    longest_pause: float = 60.0

    def __post_init__(self) -> None:
        parts = urlsplit(self.base_url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise TeacherError(f"base_url {self.base_url!r} is not an address; expected one like https://host/v1")
        for name, value in self.headers.items():
            if not (name + value).isprintable():
                raise TeacherError(f"the header {name!r} holds a line break or another unprintable character")

    @property
    def url(self) -> str:
        """The address that requests are posted to."""
        return f"{self.base_url.rstrip('/')}/chat/completions"

    def key(self) -> str | None:
        """The API key from the environment; None where the endpoint takes none.

        Raises:
            TeacherError: The variable is not set, or does not hold a key.
        """
        return None if self.api_key_env is None else _secret(self.api_key_env)

    def secret_headers(self) -> dict[str, str]:
        """The headers that carry secrets, with their values from the environment.

        Raises:
            TeacherError: A variable is not set, or does not hold a key.
        """
        found = {name: _secret(variable) for name, variable in self.headers_env.items()}
        key = self.key()
        return found if key is None else {**found, "Authorization": f"Bearer {key}"}


def _secret(variable: str) -> str:
    key = os.environ.get(variable, "").strip()
    if not key:
        raise TeacherError(f"the environment variable {variable} is not set; expected the API key in it")
    if not (key.isascii() and key.isprintable()):
        raise TeacherError(f"the environment variable {variable} holds no API key (unprintable characters)")
    return key


class Client:
    """Asks one endpoint; to be made anywhere, and to be opened, used and closed within one event loop.

    Raises:
        TeacherError: The key is missing from the environment.
    """

    def __init__(self, endpoint: Endpoint) -> None:
        secret = endpoint.secret_headers()
        self.endpoint = endpoint
        self._headers = {"Content-Type": "application/json", **endpoint.headers, **secret}
        self._redactor = Redactor(
            [
                *(part for value in secret.values() for part in (value, value.split()[-1])),
                urlsplit(endpoint.base_url).password,
                *secrets_in(endpoint.headers),
            ]
        )
        self._slots = asyncio.Semaphore(endpoint.concurrency)
        self._closing = asyncio.Event()
        self._session: aiohttp.ClientSession | None = None

    async def open(self) -> None:
        """Get ready to ask."""
        import aiohttp

        self._session = aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(total=self.endpoint.timeout),
            connector=aiohttp.TCPConnector(limit=self.endpoint.concurrency),
            cookie_jar=aiohttp.DummyCookieJar(),
        )

    def hurry(self) -> None:
        """Begin no further attempt; those under way may end."""
        self._closing.set()

    async def close(self) -> None:
        """Let go of the connections."""
        self.hurry()
        if self._session is not None:
            await self._session.close()

    async def ask(self, body: Body) -> Reply:
        """The reply to one request, tried again with growing, random pauses while the endpoint fails to answer.

        Raises:
            RequestFailed: It was refused, or not answered in as many attempts as allowed.
            TeacherError: The endpoint answers no request at all: key, address or model are wrong.
        """
        payload = json.dumps(body, ensure_ascii=False).encode("utf-8")
        last = ""
        async with self._slots:
            for attempt in range(self.endpoint.max_attempts):
                if self._closing.is_set():
                    raise RequestFailed("not asked: the run was stopped")
                try:
                    return await self._attempt(payload)
                except _Transient as failure:
                    last = str(failure)
                    if attempt + 1 < self.endpoint.max_attempts:
                        await self._pause(attempt, failure.wait)
        times = f"{self.endpoint.max_attempts} attempts" if self.endpoint.max_attempts > 1 else "one attempt"
        raise RequestFailed(f"no answer from the endpoint in {times}: {last}")

    async def _attempt(self, payload: bytes) -> Reply:
        import aiohttp

        assert self._session is not None, "the client is not open"
        start = time.monotonic()
        try:
            async with self._session.post(
                self.endpoint.url, data=payload, headers=self._headers, allow_redirects=False
            ) as response:
                raw = await self._read(response)
                status, headers = response.status, response.headers
        except TimeoutError:
            raise _Transient(f"nothing came within {self.endpoint.timeout:g} seconds") from None
        except (aiohttp.ClientError, OSError) as error:
            reason = self._redactor.clean(str(error) or type(error).__name__)
            raise _Transient(f"the connection failed ({reason})") from None
        seconds = round(time.monotonic() - start, 3)
        if status != 200:
            raise self._failure(status, headers, raw)
        return Reply(self._completion(raw), seconds)

    async def _read(self, response: "aiohttp.ClientResponse") -> bytes:
        """The response's body, up to a size that no honest reply has."""
        raw = bytearray()
        async for chunk in response.content.iter_chunked(2**16):
            raw += chunk
            if len(raw) > _LARGEST_REPLY:
                response.close()
                raise RequestFailed(f"the endpoint's reply is larger than {_LARGEST_REPLY // 2**20} MB")
        return bytes(raw)

    def _completion(self, raw: bytes) -> Mapping[str, Any]:
        try:
            body = json.loads(self._redactor.clean_bytes(raw).decode("utf-8"))
        except (ValueError, RecursionError):
            body = None
        if not is_completion(body):
            raise _Transient(f"what came is not a chat completion: {said(raw, self._redactor)}")
        completion: Mapping[str, Any] = body
        return completion

    def _failure(self, status: int, headers: Mapping[str, str], raw: bytes) -> Exception:
        """What a response other than 200 means for the request and the run."""
        message = said(raw, self._redactor)
        where = self._redactor.clean(self.endpoint.url)
        if 300 <= status < 400:
            there = self._redactor.clean(headers.get("Location", "elsewhere"))
            return TeacherError(f"{where} redirects to {there}; give the address itself as base_url")
        if status in _FATAL or (status == 429 and b"insufficient_quota" in raw):
            return TeacherError(f"{where} answered {status}: {message}; check the key, the account, base_url and model")
        if status not in _TRANSIENT and status < 500:
            return RequestFailed(f"the endpoint refused the request with {status}: {message}", refused=True)
        wait = retry_after(headers.get("Retry-After"))
        if wait is not None and wait > _PATIENCE:
            return TeacherError(f"{where} answered {status} and asks to wait {wait:.0f} seconds; run again after that")
        return _Transient(f"{status}: {message}", wait)

    async def _pause(self, attempt: int, wanted: float | None) -> None:
        """Wait before the next attempt: as long as the endpoint asked for, or a random time below a doubling bound."""
        bound = min(self.endpoint.longest_pause, self.endpoint.backoff * 2.0**attempt)
        pause = random.uniform(0, bound) + (wanted or 0.0)  # noqa: S311 - jitter, not a secret
        try:
            await asyncio.wait_for(self._closing.wait(), pause)
        except TimeoutError:
            return
