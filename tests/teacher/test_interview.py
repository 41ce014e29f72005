"""Questions of any kind, put over a real endpoint and out of a real store."""

import itertools
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tests.teacher.fake_endpoint import Act, FakeEndpoint, fails, label
from tests.teacher.support import annotate, interview, quick, rows, teacher
from understudy.tasks.task import ReplySchema
from understudy.teacher.answer import Question
from understudy.teacher.replies.store import ReplyStore
from understudy.teacher.request import request_body

SPORT = label("sport")
SCHEMA = ReplySchema("label", {"type": "object"})


@pytest.fixture
def store(tmp_path: Path) -> Iterator[ReplyStore]:
    with ReplyStore(tmp_path / "replies.jsonl") as store:
        yield store


def question(text: str) -> Question[str]:
    return Question(request_body("m", [{"role": "user", "content": text}], SCHEMA), str)


def test_a_refusal_reads_the_same_live_and_out_of_the_store(store: ReplyStore) -> None:
    acts = {"good": SPORT, "bad": fails(400, "content policy violation"), "good too": SPORT}
    with FakeEndpoint(respond=acts.__getitem__) as fake:
        by = teacher(store, quick(fake, concurrency=1))
        live, recalled = annotate(by, rows(*acts)), annotate(by, rows(*acts))
        assert len(fake.requests) == 3
    assert live == recalled
    assert live[1].meta["refused"] is True


def test_a_refused_correction_reads_the_same_live_and_out_of_the_store(store: ReplyStore) -> None:
    acts = {"bad": label("sports"), "good": SPORT}
    with FakeEndpoint(respond=lambda text: acts.get(text, fails(400, "content policy violation"))) as fake:
        by = teacher(store, quick(fake, concurrency=1))
        live, recalled = annotate(by, rows("bad", "good")), annotate(by, rows("bad", "good"))
        assert len(fake.requests) == 3
    assert live == recalled
    assert live[0].meta["reply"] == '{"label": "sports"}'


def test_valid_answers_of_an_earlier_run_count_for_the_teachers_use(store: ReplyStore) -> None:
    with FakeEndpoint(SPORT, respond=lambda text: label("sports")) as fake:
        by = teacher(store, quick(fake, concurrency=1))
        annotate(by, rows("good"))
        done = annotate(by, rows("good", *map(str, range(25))))
    assert [row.target for row in done] == ["sport"] + [None] * 25


def test_questions_are_taken_up_only_so_far_ahead_however_many_an_item_has(store: ReplyStore) -> None:
    taken = itertools.count()
    asked = ((item, [question(f"{item} {vote}") for vote in range(50)]) for item in taken)
    slow = Act(delay=0.02, body=SPORT.body)
    with FakeEndpoint(respond=lambda text: slow) as fake:
        stream = interview(store, quick(fake, concurrency=2)).answers(asked)
        item, answers = next(stream)
        stream.close()  # type: ignore[attr-defined]
    assert (item, len(answers), next(taken)) == (0, 50, 1)


def test_items_without_a_question_are_taken_up_only_so_far_ahead_too(store: ReplyStore) -> None:
    taken = itertools.count()
    asked: Iterator[tuple[int, Sequence[Question[str]]]] = (
        (item, [] if item else [question("slow")]) for item in taken
    )
    with FakeEndpoint(respond=lambda text: Act(delay=0.2, body=SPORT.body)) as fake:
        stream = interview(store, quick(fake, concurrency=2)).answers(asked)
        assert next(stream)[0] == 0
        stream.close()  # type: ignore[attr-defined]
    assert next(taken) <= 2 * 16 + 2
