"""The client: a channel to any OpenAI-compatible endpoint, which tries until it is answered or plainly will not be."""

import asyncio
import json
import random
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from understudy.errors import TeacherError
from understudy.teacher.channel import RequestFailed
from understudy.teacher.dialect import Dialect, Dialects, Wire
from understudy.teacher.endpoint import Endpoint
from understudy.teacher.ledger import Ledger, worst_case
from understudy.teacher.pace import Pace
from understudy.teacher.recordings import is_completion
from understudy.teacher.replies import Reply
from understudy.teacher.request import Body
from understudy.teacher.response import Redactor, retry_after, said, secrets_in
from understudy.teacher.spending import Tokens, usage_tokens

if TYPE_CHECKING:
    import aiohttp

_TRANSIENT = {408, 409, 425, 429}
_FATAL = {401, 402, 403, 404, 405}
"""Statuses that every other request would get as well: the key, the account, the address or the model is wrong."""
_LARGEST_REPLY = 4 * 2**20
_PATIENCE = 600.0
"""The longest wait in seconds that an endpoint may ask for; beyond it the run stops and can be taken up later."""
_NOTHING = Tokens(0, 0)


class _Refused(Exception):
    """The endpoint understood an attempt and refused it."""


class _Transient(Exception):
    """An attempt failed in a way that may pass.

    Attributes:
        wait: How many seconds the endpoint asked to be left alone for, if it did.
        billed: Whether the attempt may have been charged for, though nothing of use came.
    """

    def __init__(self, reason: str, wait: float | None = None, *, billed: bool = False) -> None:
        super().__init__(reason)
        self.wait = wait
        self.billed = billed


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
        secret = endpoint.secret_headers()
        self.endpoint = endpoint
        self._dialects = dialects or Dialects(None, endpoint.name)
        asked_for = Dialect.of(endpoint.structure)
        self.dialect = (self._dialects.known() or Dialect()) if asked_for is None else asked_for
        self._ledger = ledger or Ledger()
        self._say = say
        self._headers = {"Content-Type": "application/json", **endpoint.headers, **secret}
        self._redactor = Redactor(
            [
                *(part for value in secret.values() for part in (value, value.split()[-1])),
                urlsplit(endpoint.base_url).password,
                *secrets_in(endpoint.headers),
            ]
        )
        self._url = endpoint.url("chat/completions")
        self._proxy = _proxy(self._url)
        self._closing = asyncio.Event()
        self._pace = Pace(
            endpoint.concurrency, endpoint.requests_per_minute, endpoint.tokens_per_minute, closing=self._closing
        )
        self._answered_in = self._dialects.known()
        self._warned = False
        self._session: aiohttp.ClientSession | None = None

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
        import aiohttp

        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=self.endpoint.concurrency), cookie_jar=aiohttp.DummyCookieJar()
        )

    def hurry(self) -> None:
        """Begin no further attempt; those under way may end."""
        self._closing.set()

    async def close(self) -> None:
        """Let go of the connections."""
        self.hurry()
        self._ledger.close()
        if self._session is not None:
            await self._session.close()

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
            except _Refused as refusal:
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
        last = "nothing came"
        end = time.monotonic() + self.endpoint.deadline
        for attempt in range(self.endpoint.max_attempts):
            try:
                return await self._attempt(wire, payload, end)
            except _Transient as failure:
                last = str(failure)
                self._warn(last)
                if attempt + 1 < self.endpoint.max_attempts and not await self._pause(attempt, failure.wait, end):
                    raise RequestFailed(f"no answer within {self.endpoint.deadline:g} seconds: {last}") from None
        times = f"{self.endpoint.max_attempts} attempts" if self.endpoint.max_attempts > 1 else "one attempt"
        raise RequestFailed(f"no answer from the endpoint in {times}: {last}")

    def _warn(self, reason: str) -> None:
        """Break the silence once, where the endpoint has not answered anything yet."""
        if self._answered_in is None and not self._warned:
            self._warned = True
            self._say(f"{self.name} does not answer ({reason}); trying again, up to {self.endpoint.max_attempts} times")

    async def _attempt(self, wire: Wire, payload: bytes, end: float) -> Reply:
        """One attempt, once it is its turn and the budget covers it."""
        worst = worst_case(wire, payload)
        since = await self._pace.ready(worst.total)
        if self._closing.is_set():
            raise RequestFailed("not asked: the run was stopped")
        reservation = await self._ledger.reserve(worst)
        used: Tokens | None = None  # whoever knows no better must take it that the worst was charged
        try:
            reply = await self._post(payload, min(self.endpoint.timeout, max(1.0, end - time.monotonic())))
            used = usage_tokens(reply.completion)
        except _Transient as failure:
            used = None if failure.billed else _NOTHING
            self._pace.congested(since, failure.wait)
            raise
        except RequestFailed:  # what came cannot be used, and is charged for all the same
            raise
        except (_Refused, TeacherError):
            used = _NOTHING
            raise
        finally:
            self._ledger.settle(reservation, used)
        self._pace.answered(0 if used is None else max(0, worst.total - used.total))
        return reply

    async def _post(self, payload: bytes, seconds: float) -> Reply:
        """Send it, and read what comes back."""
        import aiohttp

        assert self._session is not None, "the client is not open"
        start = time.monotonic()
        try:
            async with self._session.post(
                self._url,
                data=payload,
                headers=self._headers,
                proxy=self._proxy,
                allow_redirects=False,
                timeout=aiohttp.ClientTimeout(total=seconds),
            ) as response:
                raw = await _read(response)
                status, headers = response.status, response.headers
        except TimeoutError:
            raise _Transient(f"nothing came within {seconds:.3g} seconds", billed=True) from None
        except (aiohttp.ClientError, OSError) as error:
            reason = self._redactor.clean(str(error) or type(error).__name__)
            sent = not isinstance(error, aiohttp.ClientConnectorError)
            raise _Transient(f"the connection failed ({reason})", billed=sent) from None
        taken = round(time.monotonic() - start, 3)
        if status != 200:
            raise self._failure(status, headers, raw)
        return Reply(self._completion(raw), taken)

    def _completion(self, raw: bytes) -> Mapping[str, Any]:
        try:
            body = json.loads(self._redactor.clean_bytes(raw).decode("utf-8"))
        except (ValueError, RecursionError):
            body = None
        if is_completion(body):
            completion: Mapping[str, Any] = body
            return completion
        message = f"what came is not a chat completion: {said(raw, self._redactor)}"
        if raw.lstrip()[:1] == b"<" and self._answered_in is None:  # a web page; this is no API
            raise TeacherError(f"{self.name}: {message}; check base_url, which ends in /v1 for most endpoints")
        raise _Transient(message, billed=True)

    def _failure(self, status: int, headers: Mapping[str, str], raw: bytes) -> Exception:
        """What a response other than 200 means for the request and the run."""
        message = said(raw, self._redactor)
        where = self._redactor.clean(self._url)
        if 300 <= status < 400:
            there = self._redactor.clean(headers.get("Location", "elsewhere"))
            return TeacherError(f"{where} redirects to {there}; give the address itself as base_url")
        if status in _FATAL or (status == 429 and b"insufficient_quota" in raw):
            return TeacherError(f"{where} answered {status}: {message}; check the key, the account, base_url and model")
        if (status not in _TRANSIENT and status < 500) or status == 501:
            return _Refused(f"the endpoint refused the request with {status}: {message}")
        wait = retry_after(headers.get("Retry-After"))
        if wait is not None and wait > _PATIENCE:
            return TeacherError(f"{where} answered {status} and asks to wait {wait:.0f} seconds; run again after that")
        return _Transient(f"{status}: {message}", wait)

    async def _pause(self, attempt: int, wanted: float | None, end: float) -> bool:
        """Wait before the next attempt: as long as the endpoint asked for, and a random time below a doubling bound.

        Returns:
            Whether there is time for another attempt after that.
        """
        bound = min(self.endpoint.longest_pause, self.endpoint.backoff * 2.0**attempt)
        pause = random.uniform(0, bound) + (wanted or 0.0)  # noqa: S311 - jitter, not a secret
        if time.monotonic() + pause >= end:
            return False
        await self._pace.sleep(pause)
        return True


async def _read(response: "aiohttp.ClientResponse") -> bytes:
    """The response's body, up to a size that no honest reply has."""
    raw = bytearray()
    async for chunk in response.content.iter_any():
        raw += chunk
        if len(raw) > _LARGEST_REPLY:
            response.close()
            raise RequestFailed(f"the endpoint's reply is larger than {_LARGEST_REPLY // 2**20} MB", refused=True)
    return bytes(raw)


def _proxy(url: str) -> str | None:
    """The proxy that the environment names for an address, as other programs take it from there."""
    parts = urlsplit(url)
    return None if proxy_bypass(parts.hostname or "") else getproxies().get(parts.scheme)
