"""What a real endpoint does wrong, one thing after the other, and what becomes of the row that it happens to."""

import asyncio
import contextlib
import email.utils
import gzip
import json
import random
import socket
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.teacher.fake_endpoint import Act, FakeEndpoint, answers, fails, label
from tests.teacher.support import annotate, quick, rows, teacher
from tests.teacher.teaching_process import start
from understudy.errors import TeacherError
from understudy.example import Example
from understudy.teacher.endpoint.endpoint import Endpoint
from understudy.teacher.replies.store import ReplyStore
from understudy.teacher.request import content_key

SPORT = label("sport")
PAST = email.utils.format_datetime(datetime.now(UTC) - timedelta(seconds=5), usegmt=True)
TWO_CHOICES = json.dumps(
    {"choices": [{"message": {"content": f'{{"label": "{name}"}}'}} for name in ("sport", "politics")]}
).encode()


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_bytes().split(b"\n") if line]


def asked_about(fake: FakeEndpoint, text: str) -> int:
    return sum(any(message["content"] == text for message in request["messages"]) for request in fake.requests)


def between(acts: list[Act], store: Path, **settings: Any) -> tuple[Example, int, list[dict[str, Any]]]:
    """What becomes of a row that is met by these acts, between two that are answered well: the row, how often it was
    asked about, and what is kept of it."""
    acts = list(acts)

    def respond(text: str) -> Act:
        return SPORT if text in {"before", "after"} else acts.pop(0)

    with FakeEndpoint(respond=respond) as fake, ReplyStore(store) as kept:
        endpoint = quick(fake, **{"concurrency": 1, **settings})
        done = annotate(teacher(kept, endpoint), rows("before", "text", "after"))
        asked = asked_about(fake, "text")
    assert [row.target for row in done[::2]] == ["sport", "sport"]
    others = {"before", "after"}
    return done[1], asked, [line for line in lines(store) if line["request"]["messages"][1]["content"] not in others]


def patience(fault: Act) -> float:
    """Seconds for an attempt: few where they are waited for, but enough for what is answered on a busy machine."""
    return 1.5 if fault.delay or fault.drip else 60.0


PASSING = {
    "429": fails(429),
    "429 with Retry-After in seconds": fails(429, Retry_After="0.05"),
    "429 with Retry-After as a date": fails(429, Retry_After=PAST),
    "429 with a Retry-After that is none": fails(429, Retry_After="in a moment"),
    "500": fails(500),
    "503": fails(503, Retry_After="0"),
    "529": fails(529),
    "reset": Act(reset=True),
    "reset in the body": Act(body=SPORT.body, torn=40),
    "drip": Act(body=SPORT.body, drip=0.5),
    "hang": Act(delay=30.0, body=SPORT.body),
    "no JSON": Act(body=b"Service is restarting"),
    "half JSON": Act(body=SPORT.body[:50]),
    "the same twice in one body": Act(body=SPORT.body + SPORT.body),
    "no choices": Act(body=b'{"choices": []}'),
    "null": Act(body=b"null"),
    "nothing": Act(),
    "no UTF-8": Act(body=SPORT.body.replace(b"sport", b"sp\xffrt")),
    "a web page": Act(body=b"<!doctype html><p>Down for maintenance", headers={"Content-Type": "text/html"}),
    "huge headers": Act(body=SPORT.body, headers={"X-Huge": "x" * 100_000}),
    "no gzip": Act(body=SPORT.body, headers={"Content-Encoding": "gzip"}),
    "half a gzip": Act(body=gzip.compress(SPORT.body)[:-20], headers={"Content-Encoding": "gzip"}),
}


@pytest.mark.parametrize("fault", PASSING.values(), ids=PASSING.keys())
def test_a_fault_that_passes_costs_one_more_attempt_and_nothing_else(tmp_path: Path, fault: Act) -> None:
    row, asked, kept = between([fault, SPORT], tmp_path / "replies.jsonl", timeout=patience(fault))
    assert (row.target, asked, len(kept)) == ("sport", 2, 1)
    assert "rejected" not in row.meta


STAYING = {
    "429": (fails(429), "no answer from the endpoint in 3 attempts: 429"),
    "500": (fails(500), "no answer from the endpoint in 3 attempts: 500"),
    "reset": (Act(body=SPORT.body, torn=40), "no answer from the endpoint in 3 attempts: the connection failed"),
    "hang": (Act(delay=30.0), "no answer from the endpoint in 3 attempts: nothing came within 1.5 seconds"),
    "half JSON": (Act(body=SPORT.body[:50]), "no answer from the endpoint in 3 attempts: what came is not a chat"),
}


@pytest.mark.parametrize(("fault", "reason"), STAYING.values(), ids=STAYING.keys())
def test_a_fault_that_stays_leaves_the_row_open_and_keeps_nothing(tmp_path: Path, fault: Act, reason: str) -> None:
    row, asked, kept = between([fault] * 3, tmp_path / "replies.jsonl", timeout=patience(fault))
    assert (row.target, asked, kept) == (None, 3, [])
    assert row.meta["unanswered"] is True
    assert row.meta["rejected"].startswith(reason)


GZIP_BOMB = gzip.compress(b"0" * 50_000_000)
FINAL = {
    "400 of a content filter": (fails(400, "content management policy"), "the endpoint refused the request with 400"),
    "413": (fails(413, "too large"), "the endpoint refused the request with 413"),
    "10 MB": (answers("x" * 10_000_000), "the endpoint's reply is larger than 4 MB"),
    "a gzip bomb": (
        Act(body=GZIP_BOMB, headers={"Content-Encoding": "gzip"}),
        "the endpoint's reply is larger than 4 MB",
    ),
}


@pytest.mark.parametrize(("fault", "reason"), FINAL.values(), ids=FINAL.keys())
def test_a_refusal_is_asked_for_once_and_kept(tmp_path: Path, fault: Act, reason: str) -> None:
    row, asked, kept = between([fault], tmp_path / "replies.jsonl")
    assert (row.target, asked, len(kept)) == (None, 1, 1)
    assert row.meta["rejected"].startswith(reason)
    assert "unanswered" not in row.meta
    assert kept[0]["response"]["body"]["error"]["message"].startswith(reason)


BAD_REPLIES = {
    "truncated": (answers('{"label": "sp', finish="length"), "truncated at the endpoint's token limit"),
    "filtered": (answers('{"label": "sport"}', finish="content_filter"), "refused by the endpoint's content filter"),
    "another schema": (answers('{"category": "sport"}'), "not an answer: no label"),
    "refusal": (answers(None, refusal="No."), "refused: No."),
    "no text": (answers(None), "empty"),
    "content of another kind": (answers([{"type": "text"}]), "empty"),  # type: ignore[arg-type]
}


@pytest.mark.parametrize(("reply", "reason"), BAD_REPLIES.values(), ids=BAD_REPLIES.keys())
def test_a_bad_reply_is_kept_and_asked_for_once_more(tmp_path: Path, reply: Act, reason: str) -> None:
    row, asked, kept = between([reply, reply], tmp_path / "replies.jsonl")
    assert (row.target, asked, len(kept)) == (None, 2, 2)
    assert row.meta["rejected"].startswith(reason)
    assert row.meta["rejected"].endswith("(asked twice)")
    row, asked, kept = between([reply, SPORT], tmp_path / "other.jsonl")
    assert (row.target, asked, len(kept)) == ("sport", 2, 2)


def test_of_two_choices_the_first_counts(tmp_path: Path) -> None:
    row, asked, kept = between([Act(body=TWO_CHOICES)], tmp_path / "replies.jsonl")
    assert (row.target, asked, len(kept)) == ("sport", 1, 1)


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        (Act(status=301, headers={"Location": "https://elsewhere.invalid/"}), r"redirects to https://elsewhere"),
        (fails(429, Retry_After="100000"), "asks to wait 100000 seconds; run again after that"),
        (fails(401), "401: no; check the key"),
    ],
)
def test_what_would_meet_every_request_ends_the_run_and_keeps_what_was_answered(
    tmp_path: Path, fault: Act, message: str
) -> None:
    with pytest.raises(TeacherError, match=message):
        between([fault], tmp_path / "replies.jsonl")
    assert len(lines(tmp_path / "replies.jsonl")) == 1


def test_a_web_page_for_an_answer_from_the_start_is_no_endpoint(tmp_path: Path) -> None:
    with FakeEndpoint(Act(body=b" <html>Welcome</html>")) as fake, ReplyStore(tmp_path / "replies.jsonl") as store:
        with pytest.raises(TeacherError, match="not a chat completion: <html>Welcome</html>; check base_url"):
            annotate(teacher(store, quick(fake, concurrency=1)), rows("a", "b"))
        assert len(fake.requests) == 1


def test_an_endpoint_that_is_up_again_is_found(tmp_path: Path) -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))  # nobody listens: connections are refused
        fake = FakeEndpoint(port=held.getsockname()[1])
        fake.base_url = f"http://127.0.0.1:{fake.port}/v1"
        endpoint = quick(fake, max_attempts=1000, backoff=0.02, longest_pause=0.1)
        done: list[Example] = []

        def work() -> None:
            with ReplyStore(tmp_path / "replies.jsonl") as store:
                done.extend(annotate(teacher(store, endpoint), rows("a", "b")))

        asking = threading.Thread(target=work)
        asking.start()
        time.sleep(0.2)
    with fake:
        asking.join(60)
    assert [row.target for row in done] == ["sport", "sport"]
    assert len(fake.requests) == 2


@contextlib.contextmanager
def answering_twice() -> Iterator[str]:
    """An endpoint that sends each response twice over one connection; a text's label is its first word."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).lower()
                size = int(head.split(b"content-length:")[1].split(b"\r\n")[0])
                body = json.loads(await reader.readexactly(size))
                said = answers(json.dumps({"label": body["messages"][-1]["content"].split()[0]})).body
                response = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(said), said)
                writer.write(response * 2)

    with asyncio.Runner() as runner:
        loop = runner.get_loop()
        server = loop.run_until_complete(asyncio.start_server(answer, "127.0.0.1", 0))
        thread = threading.Thread(target=loop.run_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
        loop.call_soon_threadsafe(loop.stop)
        thread.join()


def test_a_response_that_is_sent_twice_is_not_taken_for_the_answer_to_another_request(tmp_path: Path) -> None:
    texts = [f"{('sport', 'politics')[number % 2]} {number}" for number in range(40)]
    with answering_twice() as base_url, ReplyStore(tmp_path / "replies.jsonl") as store:
        endpoint = Endpoint(base_url=base_url, concurrency=1, max_attempts=3, timeout=60, backoff=0.001)
        done = annotate(teacher(store, endpoint), rows(*texts))
    assert [row.target for row in done] == [text.split()[0] for text in texts]


def whole_keys(path: Path) -> list[str]:
    """The keys of all records that a store holds, in the order in which they came, without those torn by a crash."""
    found = []
    for line in path.read_bytes().split(b"\n") if path.exists() else []:
        with contextlib.suppress(ValueError):
            found.append(json.loads(line)["key"])
    return found


def kill_again_and_again(path: Path, times: int, seed: int) -> None:
    """Kill a teaching process as often as that, at random moments, and then go on to the end."""
    chance, texts = random.Random(seed), [f"text {number}" for number in range(40 * times)]
    settings: dict[str, Any] = {"concurrency": 8, "max_tokens": None, "structure": "json_schema"}
    with FakeEndpoint(respond=lambda text: Act(delay=0.005, body=SPORT.body)) as fake:
        for _ in range(times):
            kept, asked = set(whole_keys(path)), len(fake.requests)
            process = start(path, texts, base_url=fake.base_url, **settings)
            enough = asked + chance.randint(1, 40)
            while len(fake.requests) < enough and process.poll() is None:
                time.sleep(0.001)
            time.sleep(chance.uniform(0, 0.02))
            process.kill()
            process.wait()
            assert len(fake.requests) > asked
            assert not kept & {content_key(request).hex() for request in fake.requests[asked:]}
        with ReplyStore(path) as store:
            done = annotate(teacher(store, quick(fake)), rows(*texts))
    assert [(row.id, row.text, row.target) for row in done] == [(row.id, row.text, "sport") for row in rows(*texts)]
    keys = whole_keys(path)
    assert len(keys) == len(set(keys)) == len(texts)
    assert len(fake.requests) <= len(texts) + 8 * times


def test_kill_9_at_a_random_moment_loses_and_doubles_nothing(tmp_path: Path) -> None:
    kill_again_and_again(tmp_path / "replies.jsonl", times=3, seed=1)


@pytest.mark.slow
def test_kill_9_at_twenty_random_moments_loses_and_doubles_nothing(tmp_path: Path) -> None:
    kill_again_and_again(tmp_path / "replies.jsonl", times=20, seed=2)


def test_two_processes_at_one_store_lose_and_corrupt_nothing(tmp_path: Path) -> None:
    path, texts = tmp_path / "replies.jsonl", [f"text {number}" for number in range(300)]
    settings: dict[str, Any] = {"concurrency": 8, "max_tokens": None, "structure": "json_schema"}
    with FakeEndpoint() as fake:
        processes = [start(path, order, base_url=fake.base_url, **settings) for order in (texts, texts[::-1])]
        assert [process.wait(60) for process in processes] == [0, 0]
        asked = len(fake.requests)
        with ReplyStore(path) as store:
            done = annotate(teacher(store, quick(fake)), rows(*texts))
            assert (store.dropped, len(store)) == (0, 300)
        assert len(fake.requests) == asked
    assert [row.target for row in done] == ["sport"] * 300
    assert len(lines(path)) == asked
