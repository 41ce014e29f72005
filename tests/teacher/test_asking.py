"""What is asked, by whom, and what is kept of it: over a real endpoint and a real store."""

import time
from pathlib import Path
from typing import Any

import pytest

from tests.teacher.fake_endpoint import Act, FakeEndpoint, fails, label
from tests.teacher.support import annotate, quick, rows, teacher
from tests.teacher.teaching_process import start
from understudy.errors import TeacherError
from understudy.teacher.replies.store import ReplyStore

SPORT = label("sport")
SLOW = Act(delay=0.02, body=SPORT.body)
ONE_DIALECT: dict[str, Any] = {"max_tokens": None, "structure": "json_schema"}


def test_of_two_processes_at_one_store_only_one_asks_and_pays_for_a_request(tmp_path: Path) -> None:
    texts = [f"text {number}" for number in range(120)]
    with FakeEndpoint(respond=lambda text: SLOW) as fake:
        settings = {"base_url": fake.base_url, "concurrency": 4, **ONE_DIALECT}
        processes = [start(tmp_path / "replies.jsonl", texts, **settings) for _ in range(2)]
        assert [process.wait(120) for process in processes] == [0, 0]
    assert sorted(fake.texts()) == sorted(texts)


def test_what_a_process_was_asking_when_it_was_killed_is_asked_by_the_next(tmp_path: Path) -> None:
    never = Act(delay=30.0)
    with FakeEndpoint(never, respond=lambda text: SPORT) as fake:
        process = start(tmp_path / "replies.jsonl", ["text"], base_url=fake.base_url, **ONE_DIALECT)
        while not fake.requests and process.poll() is None:
            time.sleep(0.005)
        process.kill()
        process.wait()
        with ReplyStore(tmp_path / "replies.jsonl") as store:
            assert [row.target for row in annotate(teacher(store, quick(fake)), rows("text"))] == ["sport"]


@pytest.mark.parametrize(
    "message", ["messages[0].content must be a list", "flagged by our moderation", "the context length is 0"]
)
def test_a_refusal_before_any_answer_may_be_the_recipes_fault_and_is_not_kept(tmp_path: Path, message: str) -> None:
    with ReplyStore(tmp_path / "replies.jsonl") as store, FakeEndpoint(*[fails(400, message)] * 4) as fake:
        by = teacher(store, quick(fake, concurrency=1))
        with pytest.raises(TeacherError, match=r"in a row\); correct the recipe"):
            annotate(by, rows(*"abcd"))
        assert len(store) == 0
        fake.script.clear()
        assert [row.target for row in annotate(by, rows(*"abcd"))] == ["sport"] * 4


def test_a_refusal_that_speaks_of_content_alone_is_kept_only_once_another_text_is_answered(tmp_path: Path) -> None:
    odd = fails(400, "messages[0].content must be a list")
    with FakeEndpoint(SPORT, odd, SPORT) as fake, ReplyStore(tmp_path / "replies.jsonl") as store:
        by = teacher(store, quick(fake, concurrency=1))
        annotate(by, rows("a", "b"))
        assert len(store) == 1
        fake.script.appendleft(odd)
        annotate(by, rows("a", "b", "c"))
        assert len(store) == 3


@pytest.mark.parametrize("status", [401, 402, 404, 503])
def test_where_nothing_was_answered_nothing_is_said_to_be_kept(tmp_path: Path, status: int) -> None:
    with (
        FakeEndpoint(respond=lambda text: fails(status)) as fake,
        ReplyStore(tmp_path / "replies.jsonl") as store,
        pytest.raises(TeacherError, match=str(status)) as caught,
    ):
        annotate(teacher(store, quick(fake, concurrency=1)), rows(*"abcdefgh"))
    assert "kept" not in str(caught.value)
    assert "run again" not in str(caught.value)


def test_where_something_was_answered_it_is_said_to_be_kept(tmp_path: Path) -> None:
    with (
        FakeEndpoint(SPORT, respond=lambda text: fails(401)) as fake,
        ReplyStore(tmp_path / "replies.jsonl") as store,
        pytest.raises(TeacherError, match="What was answered is kept: run again to go on from there"),
    ):
        annotate(teacher(store, quick(fake, concurrency=1)), rows(*"abcdefgh"))
