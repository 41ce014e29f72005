"""Questions of any kind, put over a real endpoint and out of a real store."""

import itertools
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tests.teacher.fake_endpoint import Act, FakeEndpoint, answers, fails, label
from tests.teacher.support import annotate, interview, quick, rows, teacher
from understudy.errors import TeacherError
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


# useless teachers

PROSE = answers("Surely sport.")


@pytest.mark.parametrize("concurrency", [1, 16, 40])
def test_useless_replies_stop_the_asking_soon_and_for_nothing_the_next_time(
    store: ReplyStore, concurrency: int
) -> None:
    slow = Act(delay=0.1, body=PROSE.body)
    with FakeEndpoint(respond=lambda text: slow) as fake:
        by = teacher(store, quick(fake, concurrency=concurrency))
        with pytest.raises(TeacherError, match="not one of the teacher's"):
            annotate(by, rows(*map(str, range(600))))
        paid = len(fake.requests)
        assert 20 <= paid <= 20 + 3 * concurrency
        with pytest.raises(TeacherError, match="not one of the teacher's"):
            annotate(by, rows(*map(str, range(600))))
        assert len(fake.requests) == paid


def test_corrections_go_before_first_attempts_so_that_a_teacher_that_heeds_them_is_believed(store: ReplyStore) -> None:
    def respond(text: str) -> Act:
        return Act(delay=0.02, body=(SPORT if text.startswith("That reply") else PROSE).body)

    with FakeEndpoint(respond=respond) as fake:
        done = annotate(teacher(store, quick(fake, concurrency=40)), rows(*map(str, range(100))))
    assert [row.target for row in done] == ["sport"] * 100


def test_a_valid_answer_behind_many_useless_ones_in_the_store_speaks_for_the_teacher(store: ReplyStore) -> None:
    texts = [*map(str, range(30)), "good"]
    with FakeEndpoint(respond=lambda text: SPORT if text.startswith("good") else PROSE) as fake:
        by = teacher(store, quick(fake, concurrency=1))
        annotate(by, rows("good", *texts))  # in another order, and without the one that is new below
        done = annotate(by, rows(*texts[:-1], "good and new", "good"))
    assert [row.target for row in done] == [None] * 30 + ["sport"] * 2


def test_a_few_replies_of_which_none_is_valid_are_an_error_too(store: ReplyStore) -> None:
    with FakeEndpoint(respond=lambda text: label("sports")) as fake:
        by = teacher(store, quick(fake))
        for _ in range(2):
            with pytest.raises(TeacherError, match=r"not one of the teacher's 6 replies is a valid answer.*labels"):
                annotate(by, rows(*"abc"))
        assert len(fake.requests) == 6


@pytest.mark.parametrize(
    ("act", "said"),
    [
        (
            answers('{"label": "sp', finish="length"),
            r"cut off at the token limit.*raise teacher\.max_tokens, then .*--t",
        ),
        (answers('```json\n{"label": "sport"}\n```'), r"not the JSON object alone.*teacher\.structure.*another prompt"),
        (PROSE, r"not the JSON object alone.*teacher\.structure.*another prompt"),
        (answers(None, refusal="No."), r"refusals.*another prompt"),
        (label("sports"), "no answer to the task.*the prompt or the labels"),
    ],
)
def test_what_helps_goes_by_what_the_useless_replies_have_in_common(store: ReplyStore, act: Act, said: str) -> None:
    with FakeEndpoint(respond=lambda text: act) as fake:
        by = teacher(store, quick(fake, concurrency=2))
        with pytest.raises(TeacherError, match=re.compile(said, re.IGNORECASE)):
            annotate(by, rows(*map(str, range(30))))
