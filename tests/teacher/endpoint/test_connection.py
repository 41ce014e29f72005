"""What a failure of one call means: for the request, for the run, for the account; and that no password is told."""

import asyncio
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.teacher.fake_endpoint import Act, FakeEndpoint, answers, fails, label
from tests.teacher.support import TASK, annotate, body, quick, rows, teacher
from understudy.errors import TeacherError
from understudy.teacher.channel import RequestFailed
from understudy.teacher.cost.ledger import Ledger
from understudy.teacher.cost.spending import NO_TOKENS
from understudy.teacher.endpoint.client import Client
from understudy.teacher.endpoint.endpoint import Endpoint
from understudy.teacher.replies.store import ReplyStore

PASSWORD = "top%40sec^ret"
SPORT = label("sport")


def spent(act: Act) -> int:
    """The tokens that an attempt is entered with, beside those of the answer that follows it."""
    ledger = Ledger()

    async def run() -> None:
        client = Client(endpoint, ledger)
        await client.open()
        try:
            await client.ask(body(TASK, "text"))
        finally:
            await client.close()

    with FakeEndpoint(act, SPORT) as fake:
        endpoint = quick(fake)
        asyncio.run(run())
    return ledger.spent.total - 105


@pytest.mark.parametrize("status", [502, 504, 524])
def test_behind_a_gateway_the_model_may_have_answered_and_is_taken_to_have_charged(status: int) -> None:
    assert spent(fails(status)) > 500


@pytest.mark.parametrize("status", [429, 500, 503, 529])
def test_an_endpoint_that_does_not_answer_itself_charges_nothing(status: int) -> None:
    assert spent(fails(status)) == 0


def test_an_error_within_a_reply_is_charged_for_and_tried_again() -> None:
    assert spent(answers("half a rep", finish="error", usage=(1, 1))) > 500


def test_what_a_gateway_says_of_an_error_within_a_reply_is_told(tmp_path: Path) -> None:
    failure = Act(body=answers("").body.replace(b'"stop"', b'"error", "error": {"code": 502, "message": "Overloaded"}'))
    with FakeEndpoint(SPORT, *[failure] * 3) as fake, ReplyStore(tmp_path / "replies.jsonl") as store:
        [_, row] = annotate(teacher(store, quick(fake, concurrency=1)), rows("good", "bad"))
        assert len(store) == 1
    assert row.meta["rejected"].endswith("the reply ended in an error: Overloaded")
    assert row.meta["unanswered"] is True


@pytest.mark.parametrize(
    "message", ["Your input was flagged", "requires moderation", "it violates our content policy", "our safety system"]
)
def test_a_text_that_is_forbidden_is_refused_alone(tmp_path: Path, message: str) -> None:
    respond = {"good": SPORT, "bad": fails(403, message), "good too": SPORT}
    with FakeEndpoint(respond=respond.__getitem__) as fake, ReplyStore(tmp_path / "replies.jsonl") as store:
        done = annotate(teacher(store, quick(fake, concurrency=1)), rows(*respond))
    assert [row.target for row in done] == ["sport", None, "sport"]
    assert done[1].meta["rejected"] == f"the endpoint refused the request with 403: {message}"
    assert "unanswered" not in done[1].meta


@pytest.mark.parametrize("message", ["no access to this model", "denied by the organization's policy", ""])
def test_where_all_is_forbidden_the_run_ends(tmp_path: Path, message: str) -> None:
    with FakeEndpoint(SPORT, fails(403, message)) as fake, pytest.raises(TeacherError, match="answered 403"):
        annotate(teacher(ReplyStore(tmp_path / "replies.jsonl"), quick(fake, concurrency=1)), rows("good", "bad"))


@pytest.fixture
def status() -> list[bytes]:
    """What the proxy says to every call."""
    return [b"407 Proxy Authentication Required"]


@pytest.fixture
def proxy(status: list[bytes], monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A proxy that lets nobody through; the environment names it, with a password."""
    listening = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            with connection:
                connection.recv(65536)
                connection.sendall(b"HTTP/1.1 " + status[0] + b"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    address = f"http://user:{PASSWORD}@127.0.0.1:{listening.getsockname()[1]}"
    for name in ("no_proxy", "NO_PROXY", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.delenv(name, raising=False)
    for name in ("http_proxy", "https_proxy"):
        monkeypatch.setenv(name, address)
    yield address
    listening.shutdown(socket.SHUT_RDWR)
    listening.close()
    thread.join()


def failure(base_url: str, timeout: float = 60.0) -> tuple[TeacherError, Ledger]:
    """How one request ends there, and the account of it."""
    ledger = Ledger()

    async def run() -> None:
        client = Client(Endpoint(base_url=base_url, max_attempts=1, timeout=timeout), ledger)
        await client.open()
        try:
            await client.ask(body(TASK, "text"))
        finally:
            await client.close()

    with pytest.raises(TeacherError) as caught:
        asyncio.run(run())
    return caught.value, ledger


def test_a_host_that_lets_nobody_connect_costs_nothing() -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full, socket.socket() as first, socket.socket() as second:
        for waiting in (first, second):  # nobody takes them, so that there is no room for a third
            waiting.setblocking(False)
            waiting.connect_ex(full.getsockname())
        error, ledger = failure(f"http://127.0.0.1:{full.getsockname()[1]}/v1", timeout=1.0)
    assert "no connection within 0.5 seconds; is the server running" in str(error)
    assert ledger.spent == NO_TOKENS


def holds_the_password(message: str) -> bool:
    return any(part in message for part in (PASSWORD, "top@sec^ret", "sec%5Eret", "sec^ret"))


@pytest.mark.parametrize("base_url", ["http://api.invalid/v1", "https://api.invalid/v1"])
@pytest.mark.usefixtures("proxy")
def test_a_proxy_that_wants_a_password_ends_the_run_and_is_not_told_of_with_one(base_url: str) -> None:
    error, _ = failure(base_url)
    assert not isinstance(error, RequestFailed)
    assert "the proxy that the environment names (http_proxy, https_proxy) answered 407" in str(error)
    assert not holds_the_password(str(error))


@pytest.mark.usefixtures("proxy")
def test_a_proxy_that_does_not_get_through_costs_nothing(status: list[bytes]) -> None:
    status[0] = b"502 " + PASSWORD.encode()
    error, ledger = failure("https://api.invalid/v1")
    assert "the connection failed" in str(error)
    assert not holds_the_password(str(error))
    assert ledger.spent == NO_TOKENS


@pytest.mark.parametrize("address", [f"http://user:{PASSWORD}/x@127.0.0.1:1", f"user:{PASSWORD}@127.0.0.1:1"])
def test_a_proxy_that_is_no_address_is_not_repeated_either(
    proxy: str, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("https_proxy", address)
    error, _ = failure("https://api.invalid/v1")
    assert not holds_the_password(str(error))
