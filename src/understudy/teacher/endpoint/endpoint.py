"""Where a teacher answers over HTTP: its address, its secrets, and how patiently it is asked."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import parse_qsl, urlsplit

from understudy.errors import TeacherError
from understudy.teacher.endpoint.response import holds_secret

Structure = Literal["auto", "json_schema", "json_object", "text"]
"""How an endpoint is told the form of its replies: by JSON schema, by JSON mode, or by the prompt alone."""

CHECK_ADDRESS = "check base_url, which ends in /v1 for most endpoints"

CHECK_ADDRESS = "check base_url, which ends in /v1 for most endpoints"

_PORTS = {"http": 80, "https": 443}
_ADDED = "/chat/completions"
_ADDED = "/chat/completions"


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """An OpenAI-compatible API, and how patiently it is asked.

    Attributes:
        base_url: The API's address up to ``/v1``, such as ``https://api.openai.com/v1``; a query, such as Azure's
            ``?api-version=2024-10-21``, goes with every call.
        api_key_env: The environment variable that holds the key; None sends no key.
        headers: Further headers of every request.
        headers_env: Headers that hold a secret, each with the environment variable that it is read from.
        structure: How replies are given their form; ``auto`` finds out what the endpoint takes.
        max_tokens: How long a reply may become; a part of the protection, not of the question.
        timeout: Seconds for one attempt.
        deadline: Seconds for one request with all its attempts and pauses.
        max_attempts: How often one request is tried.
        concurrency: How many requests may be under way at the most; fewer are while the endpoint is short of breath.
        requests_per_minute: A limit of the account's, if it has one.
        tokens_per_minute: Likewise, of tokens read and written.
        backoff: The longest first pause in seconds; it doubles with every attempt, and the pause is drawn below it.
        longest_pause: Where that doubling ends, in seconds.

    Raises:
        TeacherError: The address or a header cannot be one, or the address holds a secret.
    """

    base_url: str
    api_key_env: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    headers_env: Mapping[str, str] = field(default_factory=dict)
    structure: Structure = "auto"
    max_tokens: int | None = 2048
    timeout: float = 60.0
    deadline: float = 600.0
    max_attempts: int = 6
    concurrency: int = 16
    requests_per_minute: float | None = None
    tokens_per_minute: float | None = None
    backoff: float = 1.0
    longest_pause: float = 60.0

    def __post_init__(self) -> None:
        _check_address(self.base_url)
        for name, value in self.headers.items():
            if not (name + value).isprintable():
                raise TeacherError(f"the header {name!r} holds a line break or another unprintable character")

    @property
    def name(self) -> str:
        """The address in one spelling, without user and query: who answers, as far as replies are kept."""
        parts = urlsplit(self.base_url)
        port = f":{parts.port}" if parts.port not in {None, _PORTS[parts.scheme]} else ""
        return f"{parts.scheme}://{parts.hostname}{port}{parts.path.rstrip('/')}"

    @property
    def local(self) -> bool:
        """Whether it runs on this very machine."""
        host = urlsplit(self.base_url).hostname or ""
        return host in {"localhost", "::1"} or host.startswith("127.")

    def url(self, path: str) -> str:
        """The address of a part of the API, such as ``chat/completions``."""
        address, _, query = self.base_url.partition("?")
        whole = f"{address.rstrip('/')}/{path}"
        return f"{whole}{'&' if '?' in path else '?'}{query}" if query else whole

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


def _check_address(url: str) -> None:
    """Refuse what is no address of an API, without repeating what may hold a secret."""
    if not _is_address(url):
        found = "" if set("@?#") & set(url) else f" {url!r}"
        raise TeacherError(f"base_url{found} is not an address; expected one like https://host/v1")
    if any(holds_secret(name) for name, _ in parse_qsl(urlsplit(url).query, keep_blank_values=True)):
        raise TeacherError("base_url holds a key after its question mark; expected the address alone, and headers_env")
    path = urlsplit(url).path.rstrip("/")
    if path.endswith(_ADDED):
        shorter = "it without that" if set("@?") & set(url) else f"base_url: {url.rstrip('/').removesuffix(_ADDED)}"
        raise TeacherError(f"base_url ends in {_ADDED}, which is added to it for every request; write {shorter}")
    path = urlsplit(url).path.rstrip("/")
    if path.endswith(_ADDED):
        shorter = "it without that" if set("@?") & set(url) else f"base_url: {url.rstrip('/').removesuffix(_ADDED)}"
        raise TeacherError(f"base_url ends in {_ADDED}, which is added to it for every request; write {shorter}")


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in _PORTS and bool(parts.hostname) and parts.port != 0 and "#" not in url
    except ValueError:  # a port that is no number or too large, or half a pair of brackets
        return False


def _secret(variable: str) -> str:
    key = os.environ.get(variable, "").strip()
    if not key:
        raise TeacherError(f"the environment variable {variable} is not set; expected the API key in it")
    if not (key.isascii() and key.isprintable()):
        raise TeacherError(f"the environment variable {variable} holds no API key (unprintable characters)")
    return key
