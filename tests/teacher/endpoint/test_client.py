import asyncio
import email.utils
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.teacher.fake_endpoint import Act, FakeEndpoint, answers, fails, label
from tests.teacher.support import TASK, body, quick
from understudy.errors import TeacherError
from understudy.teacher.channel import RequestFailed
from understudy.teacher.cost.ledger import Budget, Ledger
from understudy.teacher.cost.spending import Tokens
from understudy.teacher.endpoint.client import Client
from understudy.teacher.endpoint.endpoint import Endpoint
from understudy.teacher.endpoint.response import Redactor, retry_after, said
from understudy.teacher.replies.store import Reply

KEY = "sk-secret-0123456789abcdef"


def ask(endpoint: Endpoint, *texts: str) -> list[Reply]:
    async def run() -> list[Reply]:
        client = Client(endpoint)
        await client.open()
        try:
            return list(await asyncio.gather(*(client.ask(body(TASK, text)) for text in texts)))
        finally:
            await client.close()

    return asyncio.run(run())


def content(reply: Reply) -> str:
    assert reply.completion is not None
    text: str = reply.completion["choices"][0]["message"]["content"]
    return text


def failure(endpoint: Endpoint) -> TeacherError:
    with pytest.raises(TeacherError) as caught:
        ask(endpoint, "text")
    return caught.value


def test_the_request_is_sent_as_it_is_and_the_reply_kept_as_it_came() -> None:
    with FakeEndpoint(label("politics")) as fake:
        [reply] = ask(quick(fake, headers={"X-Team": "desk"}), "Grüße \u2028")
        assert fake.requests == [body(TASK, "Grüße \u2028")]
        assert fake.headers[0]["X-Team"] == "desk"
        assert "Authorization" not in fake.headers[0]
    assert content(reply) == '{"label": "politics"}'
    assert reply.seconds is not None
    assert 0 <= reply.seconds < 5


@pytest.mark.parametrize(
    "first",
    [
        fails(429),
        fails(500),
        fails(503),
        fails(408),
        Act(body=b'{"choices": ['),
        Act(body=b'{"choices": []}'),
        Act(body=b'{"error": {"message": "overloaded"}}'),
        Act(body=b"\xff\xfe"),
        Act(body=b"[" * 100_000),
        Act(reset=True),
        Act(delay=30.0),
    ],
    ids=["429", "500", "503", "408", "half JSON", "no choice", "error in 200", "no UTF-8", "deep", "reset", "hang"],
)
def test_what_may_pass_is_tried_again(first: Act) -> None:
    with FakeEndpoint(first, first) as fake:
        assert len(ask(quick(fake, timeout=1.5 if first.delay else 60.0), "text")) == 1
        assert len(fake.requests) == 3


def test_attempts_are_bounded_and_the_last_failure_is_told() -> None:
    with FakeEndpoint(*[fails(500, "out of\n luck")] * 9) as fake:
        error = failure(quick(fake))
        assert len(fake.requests) == 3
    assert isinstance(error, RequestFailed)
    assert not error.refused
    assert str(error) == "no answer from the endpoint in 3 attempts: 500: out of luck"


@pytest.mark.parametrize(("status", "of_the_row"), [(400, True), (422, True), (401, False), (403, False), (404, False)])
def test_what_will_not_pass_fails_at_once(status: int, of_the_row: bool) -> None:
    with FakeEndpoint(fails(status, "because")) as fake:
        error = failure(quick(fake))
        assert len(fake.requests) == 1
    assert f"{status}: because" in str(error)
    assert isinstance(error, RequestFailed) is of_the_row


def test_an_exhausted_quota_is_not_waited_for() -> None:
    with FakeEndpoint(Act(status=429, body=b'{"error": {"code": "insufficient_quota", "message": "pay"}}')) as fake:
        assert "429: pay" in str(failure(quick(fake)))
        assert len(fake.requests) == 1


def test_a_redirect_is_not_followed() -> None:
    with FakeEndpoint(Act(status=307, headers={"Location": "http://elsewhere.invalid/v1"})) as fake:
        assert "redirects to http://elsewhere.invalid/v1" in str(failure(quick(fake)))


def test_retry_after_is_honoured() -> None:
    with FakeEndpoint(fails(429, Retry_After="0.4")) as fake:
        start = time.monotonic()
        ask(quick(fake), "text")
        assert time.monotonic() - start >= 0.4


def test_a_wait_of_hours_ends_the_run_instead() -> None:
    with FakeEndpoint(fails(429, Retry_After="86400")) as fake:
        error = failure(quick(fake))
        assert not isinstance(error, RequestFailed)
        assert "wait 86400 seconds" in str(error)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [(None, None), ("7", 7), (" 1.5 ", 1.5), ("soon", None), ("-3", None), ("inf", None), ("nan", None), ("", None)],
)
def test_retry_after_in_seconds(value: str | None, seconds: float | None) -> None:
    assert retry_after(value) == seconds


def test_retry_after_as_a_date() -> None:
    moment = datetime.now(UTC) + timedelta(seconds=90)
    wait = retry_after(email.utils.format_datetime(moment, usegmt=True))
    assert wait is not None
    assert 85 < wait <= 90
    assert retry_after("Wed, 21 Oct 2015 07:28:00 GMT") == 0


def test_pauses_double_up_to_their_bound_and_are_random_below_it(monkeypatch: pytest.MonkeyPatch) -> None:
    bounds: list[float] = []

    def draw(low: float, high: float) -> float:
        assert low == 0
        bounds.append(high)
        return 0.0

    monkeypatch.setattr("understudy.teacher.endpoint.client.random.uniform", draw)
    with FakeEndpoint(*[fails(500)] * 5) as fake:
        ask(quick(fake, max_attempts=6, backoff=0.5, longest_pause=3.0), "text")
    assert bounds == [0.5, 1.0, 2.0, 3.0, 3.0]


def test_a_slow_endpoint_is_given_up() -> None:
    with FakeEndpoint(Act(delay=30)) as fake:
        assert "nothing came within 1 seconds" in str(failure(quick(fake, timeout=1.0, max_attempts=1)))


def test_an_endpoint_that_is_not_there() -> None:
    with FakeEndpoint() as fake:
        endpoint = quick(fake)
    assert "the connection failed" in str(failure(endpoint))


def test_a_huge_reply_is_an_error_and_is_not_asked_for_again() -> None:
    with FakeEndpoint(answers("x" * 10_000_000)) as fake:
        assert "larger than 4 MB" in str(failure(quick(fake)))
        assert len(fake.requests) == 1


def test_no_more_requests_are_under_way_than_allowed() -> None:
    slow = Act(delay=0.5, body=label("sport").body)  # long enough for all three to come
    with FakeEndpoint(slow, slow, slow) as fake:
        assert len(ask(quick(fake, concurrency=3), *map(str, range(12)))) == 12
        assert fake.most_under_way == 3


def test_waiting_for_a_rate_limit_does_not_use_up_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("understudy.teacher.endpoint.pace._BURST", 0.0)
    with FakeEndpoint(label("sport"), fails(500)) as fake:
        # a second and a half apart: the second waits longer than its deadline, fails once, and waits as long again
        replies = ask(quick(fake, requests_per_minute=40, deadline=1.25), "first", "second")
        assert len(fake.requests) == 3
    assert len(replies) == 2


def test_waiting_for_the_budget_does_not_use_up_the_deadline() -> None:
    with FakeEndpoint(fails(500)) as fake:
        asyncio.run(ask_while_the_budget_is_held(quick(fake, deadline=1.25, max_tokens=50), seconds=1.5))
        assert len(fake.requests) == 2


async def ask_while_the_budget_is_held(endpoint: Endpoint, seconds: float) -> Reply:
    """The reply to a request for which the budget has room only after so many seconds."""
    ledger = Ledger(budget=Budget(tokens=5000))
    held = await ledger.reserve(Tokens(5000, 0))
    client = Client(endpoint, ledger)
    await client.open()
    try:
        asked = asyncio.create_task(client.ask(body(TASK, "text")))
        await asyncio.sleep(seconds)
        ledger.give_back(held)
        return await asked
    finally:
        await client.close()


def test_the_key_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEACHER_KEY", f" {KEY}\n")
    with FakeEndpoint() as fake:
        ask(quick(fake, api_key_env="TEACHER_KEY"), "text")
        assert fake.headers[0]["Authorization"] == f"Bearer {KEY}"


@pytest.mark.parametrize("value", [None, "", "  ", "sk\u2011x", "a\x00b"])
def test_a_missing_or_impossible_key_is_told_by_its_variable(
    monkeypatch: pytest.MonkeyPatch, value: str | None
) -> None:
    monkeypatch.setattr("os.environ", {} if value is None else {"TEACHER_KEY": value})
    with FakeEndpoint() as fake:
        assert "environment variable TEACHER_KEY" in str(failure(quick(fake, api_key_env="TEACHER_KEY")))
        assert fake.requests == []


@pytest.mark.parametrize(
    "echo",
    [
        fails(401, f"Incorrect API key provided: {KEY}."),
        fails(400, "x" * 290 + KEY),
        fails(500, KEY),
        Act(status=403, body=f"<html>{KEY}</html>".encode()),
        Act(status=302, headers={"Location": f"http://x/?key={KEY}"}),
        Act(body=f"not JSON {KEY}".encode()),
    ],
)
def test_a_key_that_the_endpoint_echoes_is_not_shown(monkeypatch: pytest.MonkeyPatch, echo: Act) -> None:
    monkeypatch.setenv("TEACHER_KEY", KEY)
    with FakeEndpoint(echo) as fake:
        message = str(failure(quick(fake, api_key_env="TEACHER_KEY", max_attempts=1)))
    assert "sk-" not in message
    assert len(message) < 700


def test_a_key_in_a_header_or_a_reply_is_not_shown_either() -> None:
    with FakeEndpoint(fails(400, f"bad key {KEY}"), answers(f"I know {KEY}")) as fake:
        endpoint = quick(fake, headers={"api-key": f"Token {KEY}", "X-Title": "a longer title of no secrecy"})
        assert KEY not in str(failure(endpoint))
        [reply] = ask(endpoint, "text")
    assert content(reply) == "I know [redacted]"


def test_a_header_from_the_environment_is_sent_and_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    with FakeEndpoint(fails(400, f"bad key {KEY}"), answers(f"I know {KEY}")) as fake:
        endpoint = quick(fake, headers_env={"api-key": "AZURE_KEY"})
        with pytest.raises(TeacherError, match="environment variable AZURE_KEY is not set"):
            ask(endpoint, "text")
        monkeypatch.setenv("AZURE_KEY", f"Token {KEY}")
        assert KEY not in str(failure(endpoint))
        [reply] = ask(endpoint, "text")
        assert {headers["api-key"] for headers in fake.headers} == {f"Token {KEY}"}
    assert content(reply) == "I know [redacted]"
    assert KEY not in repr(endpoint)


def test_a_placeholder_key_does_not_change_replies() -> None:
    assert Redactor(["EMPTY"]).clean_bytes(b"EMPTY seats") == b"EMPTY seats"


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        (b'{"error": {"message": "no\\u001b[31m such\\nmodel"}}', "no [31m such model"),
        (b'{"error": "flat"}', "flat"),
        (b'{"detail": "of vLLM"}', "of vLLM"),
        (b"<h1>Bad gateway</h1>", "<h1>Bad gateway</h1>"),
        (b"", "nothing"),
        (b"\xff", "\ufffd"),
        (b"[1]", "[1]"),
    ],
)
def test_what_an_endpoint_says_is_one_printable_line(raw: bytes, shown: str) -> None:
    assert said(raw, Redactor([])) == shown


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: Endpoint(base_url="api.openai.com/v1"),
        lambda: Endpoint(base_url="file:///etc/passwd"),
        lambda: Endpoint(base_url="http://host:99999/v1"),
        lambda: Endpoint(base_url="http://host:0/v1"),
        lambda: Endpoint(base_url="http://[::1/v1"),
        lambda: Endpoint(base_url="http://host/v1#part"),
        lambda: Endpoint(base_url="http://x/v1", headers={"X": "a\r\nHost: b"}),
    ],
)
def test_an_endpoint_that_cannot_be_one(wrong: Callable[[], Any]) -> None:
    with pytest.raises(TeacherError, match=r"is not an address; expected one like|holds a line break"):
        wrong()


@pytest.mark.parametrize(
    "address",
    [
        f"https://user:half/{KEY}@host/v1",
        f"{KEY}@host/v1",
        f"host/v1?api-version={KEY}",
        f"https://host/v1?key={KEY}",
        f"https://host/v1?a=b&access_token={KEY}",
        f"https://host/v1#{KEY}",
    ],
)
def test_an_address_that_may_hold_a_secret_is_not_repeated(address: str) -> None:
    with pytest.raises(TeacherError, match=r"base_url (is not an address|holds a key)") as caught:
        Endpoint(base_url=address)
    assert KEY not in str(caught.value)


def test_a_query_goes_with_every_call_and_is_no_part_of_who_answers() -> None:
    azure = Endpoint(base_url="https://team.openai.azure.com/openai/deployments/desk/?api-version=2024-10-21")
    base = "https://team.openai.azure.com/openai/deployments/desk"
    assert azure.url("chat/completions") == f"{base}/chat/completions?api-version=2024-10-21"
    assert azure.url("batches?limit=100") == f"{base}/batches?limit=100&api-version=2024-10-21"
    assert azure.name == base


def test_a_trailing_slash_does_not_matter() -> None:
    with_slash, without = Endpoint(base_url="http://x/v1/"), Endpoint(base_url="http://x/v1")
    assert with_slash.url("chat/completions") == without.url("chat/completions") == "http://x/v1/chat/completions"
    assert with_slash.name == without.name == "http://x/v1"


def test_an_endpoint_has_one_name_however_it_is_written_and_none_of_its_secrets_in_it() -> None:
    assert Endpoint(base_url="HTTPS://user:pw@API.Host:443/v1/").name == "https://api.host/v1"
    assert Endpoint(base_url="http://host:8000/v1").name == "http://host:8000/v1"


def test_headers_are_a_mapping_of_their_own() -> None:
    headers: Mapping[str, str] = Endpoint(base_url="http://x/v1").headers
    assert headers == {}


def told(endpoint: Endpoint, *texts: str) -> list[str]:
    """What is said while these texts are asked about."""
    lines: list[str] = []

    async def run() -> None:
        client = Client(endpoint, say=lines.append)
        await client.open()
        try:
            await asyncio.gather(*(client.ask(body(TASK, text)) for text in texts), return_exceptions=True)
        finally:
            await client.close()

    asyncio.run(run())
    return lines


def test_an_endpoint_that_asks_to_wait_is_told_so_once_in_a_while_and_never_as_silent() -> None:
    with FakeEndpoint(label("sport"), *[fails(429, "busy", Retry_After="0.05")] * 4) as fake:
        [line] = told(quick(fake, concurrency=4, max_attempts=9), *"abcdef")
    assert line == f"{fake.base_url} answers 429: busy, and asks to wait 0.05 s; trying again, up to 9 times, " + (
        "2 requests at a time now"
    )


def test_an_endpoint_that_is_silent_is_told_so() -> None:
    with FakeEndpoint(Act(reset=True)) as fake:
        [line] = told(quick(fake, concurrency=1), "text")
    assert "does not answer (the connection failed" in line


def test_lines_are_told_again_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("understudy.teacher.endpoint.client._BETWEEN_WARNINGS", 0.0)
    with FakeEndpoint(*[fails(503)] * 2) as fake:
        assert len(told(quick(fake), "text")) == 2


def test_where_nothing_listens_the_server_is_asked_after_and_where_it_is_slow_the_setting_is_named() -> None:
    with FakeEndpoint(Act(delay=30)) as fake:
        assert "raise teacher.timeout where replies take longer" in str(
            failure(quick(fake, timeout=1.0, max_attempts=1))
        )
    assert "is the server running" in str(failure(quick(fake)))


@pytest.mark.parametrize("said", [b"404 page not found", b'{"detail": "Not Found"}', b"<html>"])
def test_a_404_of_another_server_than_the_api_names_the_usual_end_of_an_address(said: bytes) -> None:
    with FakeEndpoint(Act(status=404, body=said)) as fake:
        assert "check base_url, which ends in /v1" in str(failure(quick(fake)))


def test_a_404_of_the_api_does_not() -> None:
    with FakeEndpoint(fails(404, "no such model")) as fake:
        assert "/v1 for most" not in str(failure(quick(fake)))


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("http://host/v1/chat/completions", "write base_url: http://host/v1"),
        ("http://host/v1/chat/completions/", "write base_url: http://host/v1"),
        ("http://me:secret@host/v1/chat/completions", "write it without that"),
        ("http://host/v1/chat/completions?api-version=1", "write it without that"),
    ],
)
def test_an_address_that_goes_too_far_is_refused_with_what_to_write(address: str, said: str) -> None:
    with pytest.raises(TeacherError, match="ends in /chat/completions") as caught:
        Endpoint(base_url=address)
    assert str(caught.value).endswith(said)


def test_what_was_sent_is_waited_for_at_the_end_and_what_takes_too_long_is_left() -> None:
    async def run(client: Client) -> list[Reply | BaseException]:
        await client.open()
        asked = [asyncio.create_task(client.ask(body(TASK, text))) for text in ("soon", "never", "unsent")]
        while fake.under_way < 2:
            await asyncio.sleep(0.01)
        await client.close()
        return await asyncio.gather(*asked, return_exceptions=True)

    acts = {"soon": Act(delay=1.0, body=label("sport").body), "never": Act(delay=30)}
    lines: list[str] = []
    with FakeEndpoint(respond=acts.__getitem__) as fake:
        soon, never, unsent = asyncio.run(run(Client(quick(fake, concurrency=2, timeout=3.0), say=lines.append)))
        assert len(fake.requests) == 2
    assert isinstance(soon, Reply)
    assert isinstance(never, BaseException)
    assert "the run was stopped" in str(unsent)
    assert lines[0] == "Waiting up to 3 s for 2 replies already paid for; Ctrl-C ends that."
