"""The connection to an endpoint: its address, secrets and proxy, and what it means when a call fails."""

import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

from understudy.errors import TeacherError
from understudy.teacher.channel import RequestFailed, is_of_the_text
from understudy.teacher.endpoint.endpoint import CHECK_ADDRESS, Endpoint
from understudy.teacher.endpoint.response import Redactor, is_api_error, retry_after, said, secrets_in

if TYPE_CHECKING:
    import aiohttp

_DONE = {200, 201}
_TRANSIENT = {408, 409, 425, 429}
_FATAL = {401, 402, 403, 404, 405}
"""Statuses that every other request would get as well: the key, the account, the address or the model is wrong."""
_FORBIDDEN = 403
_NOT_FOUND = 404
_PROXY_REFUSES = 407
_GATEWAY = {502, 504, 524}
"""Statuses by which a gateway says that it heard nothing from the model, which may have answered all the same."""
_UNREACHED = "; is the server running, and base_url right?"
_LARGEST_REPLY = 4 * 2**20
_PATIENCE = 600.0
"""The longest wait in seconds that an endpoint may ask for; beyond it the run stops and can be taken up later."""

_STALLED = 300.0
"""Seconds without a byte after which a long transfer is given up."""
_PASSWORD = re.compile(r"//[^:]*:(.+)@")


class Refused(Exception):
    """The endpoint understood an attempt and refused it."""


class Transient(Exception):
    """An attempt failed in a way that may pass.

    Attributes:
        wait: How many seconds the endpoint asked to be left alone for, if it did.
        billed: Whether the attempt may have had its effect, and been charged for, though nothing of use came.
        heard: Whether the endpoint said anything at all.
    """

    def __init__(self, reason: str, wait: float | None = None, *, billed: bool = False, heard: bool = True) -> None:
        super().__init__(reason)
        self.wait = wait
        self.billed = billed
        self.heard = heard


class Connection:
    """Calls to one endpoint; to be made anywhere, and to be opened, used and closed within one event loop.

    Args:
        endpoint: Who is called.

    Attributes:
        redactor: Takes the endpoint's secrets out of what is shown or kept.

    Raises:
        TeacherError: The key is missing from the environment.
    """

    def __init__(self, endpoint: Endpoint) -> None:
        secret = endpoint.secret_headers()
        self.endpoint = endpoint
        self._proxy = _proxy(endpoint.base_url)
        self.redactor = Redactor(
            [
                *(part for value in secret.values() for part in (value, value.split()[-1])),
                *_passwords(endpoint.base_url),
                *_passwords(self._proxy or ""),
                *secrets_in(endpoint.headers),
            ]
        )
        self._headers = {**endpoint.headers, **secret}
        self._session: aiohttp.ClientSession | None = None

    async def open(self) -> None:
        """Get ready to call."""
        import aiohttp

        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=self.endpoint.concurrency), cookie_jar=aiohttp.DummyCookieJar()
        )

    async def close(self) -> None:
        """Let go of the connections."""
        if self._session is not None:
            await self._session.close()

    async def call(
        self, method: str, path: str, payload: "bytes | aiohttp.FormData | None" = None, *, seconds: float
    ) -> bytes:
        """One call, and what came back.

        Args:
            method: Of HTTP.
            path: The part of the API, such as ``chat/completions``.
            payload: JSON, or a form.
            seconds: How long it may take.

        Raises:
            Transient: It failed in a way that may pass.
            Refused: It was understood and refused.
            RequestFailed: What came back is too large.
            TeacherError: Every other call would fail as well.
        """
        async with self.response(method, path, payload, seconds=seconds) as response:
            return await _read(response)

    @asynccontextmanager
    async def response(
        self, method: str, path: str, payload: "bytes | aiohttp.FormData | None" = None, *, seconds: float
    ) -> "AsyncIterator[aiohttp.ClientResponse]":
        """As `call`, with the response to be read by whoever calls."""
        import aiohttp

        assert self._session is not None, "the connection is not open"
        connect = seconds / 2  # not all of it, so that what was never sent is told from what was not answered
        try:
            async with self._session.request(
                method,
                self.endpoint.url(path),
                data=payload,
                headers={
                    **({"Content-Type": "application/json"} if isinstance(payload, bytes) else {}),
                    **self._headers,
                },
                proxy=self._proxy,
                allow_redirects=False,
                timeout=aiohttp.ClientTimeout(
                    total=seconds, connect=connect, sock_read=max(_STALLED, self.endpoint.timeout)
                ),
            ) as response:
                if response.status not in _DONE:
                    raise self._failure(response, await _read(response))
                yield response
        except aiohttp.ConnectionTimeoutError:
            raise Transient(f"no connection within {connect:.3g} seconds{_UNREACHED}", heard=False) from None
        except TimeoutError:
            hint = "; raise teacher.timeout where replies take longer" if seconds == self.endpoint.timeout else ""
            raise Transient(f"nothing came within {seconds:.3g} seconds{hint}", billed=True, heard=False) from None
        except (aiohttp.ClientError, OSError) as error:
            if isinstance(error, aiohttp.ClientHttpProxyError) and error.status == _PROXY_REFUSES:
                raise _unknown_to_the_proxy() from None
            reason = self.redactor.clean(str(error) or type(error).__name__)
            if isinstance(error, aiohttp.ClientConnectorError):
                reason += _UNREACHED
            sent = not isinstance(error, aiohttp.ClientConnectorError | aiohttp.ClientHttpProxyError)
            raise Transient(f"the connection failed ({reason})", billed=sent, heard=False) from None

    def longest_pause(self, attempt: int) -> float:
        """The most seconds to wait after an attempt, counted from 0: they double, up to a bound."""
        return min(self.endpoint.longest_pause, self.endpoint.backoff * 2.0**attempt)

    def _failure(self, response: "aiohttp.ClientResponse", raw: bytes) -> Exception:
        """What a response that is no success means for the request and the run."""
        status, headers = response.status, response.headers
        message = said(raw, self.redactor)
        where = self.redactor.clean(str(response.url))
        if 300 <= status < 400:
            there = self.redactor.clean(headers.get("Location", "elsewhere"))
            return TeacherError(f"{where} redirects to {there}; give the address itself as base_url")
        if status == _PROXY_REFUSES:
            return _unknown_to_the_proxy()
        flagged = status == _FORBIDDEN and is_of_the_text(message)
        if not flagged and (status in _FATAL or (status == 429 and b"insufficient_quota" in raw)):
            elsewhere = status == _NOT_FOUND and not is_api_error(raw)
            check = CHECK_ADDRESS if elsewhere else "check the key, the account, base_url and model"
            return TeacherError(f"{where} answered {status}: {message}; {check}")
        if (status not in _TRANSIENT and status < 500) or status == 501:
            return Refused(f"the endpoint refused the request with {status}: {message}")
        wait = retry_after(headers.get("Retry-After"))
        if wait is not None and wait > _PATIENCE:
            return TeacherError(f"{where} answered {status} and asks to wait {wait:.0f} seconds; run again after that")
        return Transient(f"{status}: {message}", wait, billed=status in _GATEWAY)


async def _read(response: "aiohttp.ClientResponse") -> bytes:
    """The response's body, up to a size that no honest reply has."""
    raw = bytearray()
    async for chunk in response.content.iter_any():
        raw += chunk
        if len(raw) > _LARGEST_REPLY:
            response.close()
            raise RequestFailed(f"the endpoint's reply is larger than {_LARGEST_REPLY // 2**20} MB", refused=True)
    return bytes(raw)


def _unknown_to_the_proxy() -> TeacherError:
    return TeacherError(
        "the proxy that the environment names (http_proxy, https_proxy) answered 407: it wants to know who asks; check "
        "the user and password in its address"
    )


def _passwords(url: str) -> Iterator[str]:
    """The password in an address, which need not be a proper one: as it is written there, and as it is meant."""
    for written in _PASSWORD.findall(url):
        yield from (written, unquote(written))


def _proxy(url: str) -> str | None:
    """The proxy that the environment names for an address, as other programs take it from there."""
    parts = urlsplit(url)
    named = None if proxy_bypass(parts.hostname or "") else getproxies().get(parts.scheme)
    return named if named is None or "://" in named else f"http://{named}"
