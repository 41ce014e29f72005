import asyncio
import itertools
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

from tests.teacher.fake_endpoint import Act, FakeEndpoint, answers, fails, label
from tests.teacher.support import (
    DESK,
    NEWSWIRE,
    TASK,
    Noted,
    annotate,
    body,
    desk_task,
    interview,
    quick,
    rows,
    teacher,
)
from understudy.errors import DataError, TeacherError
from understudy.example import Example, Prediction
from understudy.tasks.classification import Classification
from understudy.tasks.task import Task
from understudy.teacher.cost.spending import Price, Tokens, cost_usd, estimated_reply_tokens
from understudy.teacher.replies.store import ReplyStore
from understudy.teacher.request import content_key
from understudy.teacher.teacher import Teacher

KEY = "sk-secret-0123456789abcdef"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[ReplyStore]:
    store = ReplyStore(tmp_path / "replies.jsonl")
    yield store
    store.close()


def lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").split("\n")[:-1] if path.exists() else []


def nested(depth: int) -> Act:
    """A chat completion that holds lists in lists, as deep as that."""
    return Act(body=label("sport").body[:-1] + b', "logprobs": ' + b"[" * depth + b"]" * depth + b"}")


def by_text(text: str) -> Act:
    """Answers after a while that differs by text, so that replies come in another order than the texts."""
    return Act(delay=(hash(text) % 7) / 500, body=label("politics" if "law" in text else "sport").body)


def only_rejection(act: Act, *, store: ReplyStore, second: Act | None = None) -> Example:
    """What becomes of a row that is answered so, between two that are answered well."""
    replies = {"good": [label("sport")] * 2, "bad": [act, second or act]}
    with FakeEndpoint(respond=lambda text: replies["good" if text.startswith("good") else "bad"].pop(0)) as fake:
        # one at a time: the corrective retry's last message is the correction, so it is told by not being a good text
        done = annotate(teacher(store, quick(fake, concurrency=1)), rows("good 1", "bad", "good 2"))
    assert [row.target for row in done[::2]] == ["sport", "sport"]
    return done[1]


def test_answers_come_one_for_each_text_in_order(store: ReplyStore) -> None:
    texts = [f"{'law' if index % 3 else 'goal'} {index}" for index in range(60)]
    noted = Noted()
    with FakeEndpoint(respond=by_text) as fake:
        done = list(teacher(store, quick(fake)).annotate(rows(*texts), noted, len(texts)))
        assert sorted(fake.texts()) == sorted(texts)
        assert fake.most_under_way > 1
    assert [row.text for row in done] == texts
    assert [row.id for row in done] == [row.id for row in rows(*texts)]
    assert [row.target for row in done] == ["politics" if "law" in text else "sport" for text in texts]
    assert {row.source for row in done} == {"annotated"}
    assert done[0].meta["reply"] == '{"label": "sport"}'
    assert done[0].meta["usage"] == {"prompt_tokens": 100, "completion_tokens": 5}
    assert done[0].meta["seconds"] >= 0
    assert "rejected" not in done[0].meta
    assert noted.steps == 60
    assert noted.lines == []


def test_nothing_is_asked_twice_and_a_new_row_asks_one_request(store: ReplyStore) -> None:
    texts = ["a", "b", "a", "c", "a"]
    with FakeEndpoint() as fake:
        first = annotate(teacher(store, quick(fake)), rows(*texts))
        assert sorted(fake.texts()) == ["a", "b", "c"]
        again = annotate(teacher(ReplyStore(store.path), quick(fake)), rows(*texts, "d"))
        assert sorted(fake.texts()) == ["a", "b", "c", "d"]
    assert again[:5] == first
    assert len(lines(store.path)) == 4


def test_the_teacher_is_a_predictor(store: ReplyStore) -> None:
    with FakeEndpoint(respond=by_text) as fake:
        assert teacher(store, quick(fake)).predict(["a law", "a goal"]) == [Prediction("politics"), Prediction("sport")]


def test_it_works_where_a_loop_already_runs(store: ReplyStore) -> None:
    async def notebook() -> list[Prediction]:
        return teacher(store, quick(fake)).predict(["text"])

    with FakeEndpoint() as fake:
        assert asyncio.run(notebook()) == [Prediction("sport")]


def test_a_wrong_label_is_corrected(store: ReplyStore) -> None:
    with FakeEndpoint(label("sports"), label("sport")) as fake:
        [row] = annotate(teacher(store, quick(fake)), rows("text"))
        assert (row.target, row.meta["reply"]) == ("sport", '{"label": "sport"}')
        assert row.meta["usage"] == {"prompt_tokens": 200, "completion_tokens": 10}
        messages = fake.requests[1]["messages"]
        assert messages[:2] == fake.requests[0]["messages"]
        assert messages[2] == {"role": "assistant", "content": '{"label": "sports"}'}
        assert "did you mean 'sport'?" in messages[3]["content"]

        assert annotate(teacher(ReplyStore(store.path), quick(fake)), rows("text")) == [row]
        assert len(fake.requests) == 2
    assert annotate(teacher(ReplyStore(store.path), None), rows("text")) == [row]


@pytest.mark.parametrize(
    ("act", "reason", "raw"),
    [
        (label("sports"), "not an answer: unknown label 'sports'", '{"label": "sports"}'),
        (answers("Sport, surely."), "not an answer: not JSON", "Sport, surely."),
        (answers("[" * 50_000), "not an answer: not JSON", "[" * 50_000),
        (answers(None, refusal="I must not"), "refused: I must not", "I must not"),
        (answers("", finish="content_filter"), "refused by the endpoint's content filter", ""),
        (answers('{"label": "sp', finish="length"), "truncated", '{"label": "sp'),
        (answers(" \n"), "empty", " \n"),
        (answers(None), "empty", ""),
        (answers('{"label": "\ud83d"}'), "not valid Unicode", '{"label": "\\ud83d"}'),
    ],
    ids=["label", "prose", "nested", "refused", "filtered", "truncated", "blank", "null", "surrogate"],
)
def test_an_invalid_reply_is_rejected_with_reason_and_raw_text(
    store: ReplyStore, act: Act, reason: str, raw: str
) -> None:
    row = only_rejection(act, store=store)
    assert row.target is None
    assert row.meta["rejected"].startswith(reason)
    assert row.meta["rejected"].endswith("(asked twice)")
    assert row.meta["reply"] == raw
    json.dumps(row.to_json(), ensure_ascii=False).encode("utf-8")
    assert len(lines(store.path)) == 4


@pytest.mark.parametrize(
    ("act", "reason"),
    [
        (fails(500, "sorry"), "no answer from the endpoint in 3 attempts: 500: sorry"),
        (Act(reset=True), "no answer from the endpoint in 3 attempts: the connection failed"),
        (Act(body=b"<html>"), "no answer from the endpoint in 3 attempts: what came is not a chat completion: <html>"),
        (fails(400, "too long"), "the endpoint refused the request with 400: too long"),
        (answers("x" * 5_000_000), "the endpoint's reply is larger than 4 MB"),
    ],
)
def test_one_row_that_is_never_answered_is_rejected_alone(store: ReplyStore, act: Act, reason: str) -> None:
    with FakeEndpoint(respond=lambda text: act if text == "bad" else label("sport")) as fake:
        done = annotate(teacher(store, quick(fake, concurrency=1)), rows("good", "bad", "good too"))
    assert [row.target for row in done] == ["sport", None, "sport"]
    assert done[1].meta["rejected"].startswith(reason)
    assert "reply" not in done[1].meta


def test_nesting_of_any_depth_is_an_answer_or_a_rejection(store: ReplyStore) -> None:
    # somewhere in this range a reply can no longer be read, or just be read but no longer be written
    depths = range(950, 1000)
    texts = [text for depth in depths for text in (str(depth), f"good {depth}")]
    with FakeEndpoint(respond=lambda text: nested(int(text)) if text.isdigit() else label("sport")) as fake:
        done = annotate(teacher(store, quick(fake, max_attempts=1, concurrency=1)), rows(*texts))
    again = annotate(teacher(ReplyStore(store.path), None), rows(*texts))
    assert len(done) == len(again) == len(texts)
    assert all((row.target is None) == ("rejected" in row.meta) for row in done)
    assert {row.target for row in done[::2]} == {"sport", None}
    assert all(row.target == "sport" for row in done[1::2])


def test_a_correction_that_gets_no_answer_leaves_the_first_reply_and_its_reason(store: ReplyStore) -> None:
    with FakeEndpoint(label("sports"), *[fails(503)] * 3) as fake:
        [row] = annotate(teacher(store, quick(fake)), rows("text"))
    assert row.meta["reply"] == '{"label": "sports"}'
    assert row.meta["rejected"].startswith("not an answer: unknown label 'sports'")
    assert "503" in row.meta["rejected"]


def test_a_text_with_half_a_character_is_rejected_unasked(store: ReplyStore) -> None:
    with FakeEndpoint() as fake:
        done = annotate(teacher(store, quick(fake)), rows("good", "\ud83d"))
        assert fake.texts() == ["good"]
    assert "not valid Unicode" in done[1].meta["rejected"]


def test_an_endpoint_that_is_down_stops_the_run_soon_and_keeps_what_it_has(store: ReplyStore) -> None:
    with FakeEndpoint(label("sport"), label("sport"), respond=lambda text: fails(503)) as fake:
        with pytest.raises(TeacherError, match=r"503: no \(5 requests in a row\)\. What was answered is kept"):
            annotate(teacher(store, quick(fake, concurrency=2)), rows(*map(str, range(500))))
        assert len(fake.requests) <= 2 + 3 * (5 + 2)
    assert len(lines(store.path)) == 2


def test_an_endpoint_that_is_not_there_is_an_error_even_for_one_row(store: ReplyStore) -> None:
    with FakeEndpoint() as fake:
        endpoint = quick(fake)
    with pytest.raises(TeacherError, match=r"answered none of the 2 requests; the first: .*connection failed"):
        annotate(teacher(store, endpoint), rows("a", "b"))


@pytest.mark.parametrize("status", [400, 401, 404])
def test_a_refusal_from_the_start_stops_the_run(store: ReplyStore, status: int) -> None:
    with FakeEndpoint(respond=lambda text: fails(status, "because")) as fake:
        with pytest.raises(TeacherError, match=f"{status}: because"):
            annotate(teacher(store, quick(fake, concurrency=2)), rows(*map(str, range(100))))
        assert len(fake.requests) <= 2 + 2


def test_refusals_of_some_texts_do_not_stop_a_run_but_a_long_row_of_them_does(store: ReplyStore) -> None:
    def respond(text: str) -> Act:
        return label("sport") if text.startswith("good") else fails(400, "no credit")

    with FakeEndpoint(respond=respond) as fake:
        by = teacher(store, quick(fake, concurrency=1))
        texts = ["good", *map(str, range(20))]
        for _ in range(2):  # the second time only the refused texts are left to ask
            assert [row.target for row in annotate(by, rows(*texts))] == ["sport"] + [None] * 20
        with pytest.raises(TeacherError, match=r"no credit \(25 requests in a row\)"):
            annotate(by, rows("good", *map(str, range(500))))
        assert len(fake.requests) <= 1 + 20 + 20 + 25


def test_a_text_that_is_refused_for_good_is_not_asked_again(store: ReplyStore) -> None:
    acts = {"good": label("sport"), "filtered": fails(400, "blocked by the content filter"), "odd": fails(422, "odd")}
    texts = ["good", "filtered", "odd", "good too"]
    with FakeEndpoint(respond=lambda text: acts[text.split()[0]]) as fake:
        for _ in range(2):
            done = annotate(teacher(store, quick(fake, concurrency=1)), rows(*texts))
            assert [row.target for row in done] == ["sport", None, None, "sport"]
            assert "content filter" in done[1].meta["rejected"]
            assert not any(row.meta.get("unanswered") for row in done[:2])
        assert sorted(fake.texts()) == sorted(texts)


def test_a_key_that_is_withdrawn_stops_the_run_and_keeps_what_it_has(store: ReplyStore) -> None:
    with FakeEndpoint(*[label("sport")] * 10, respond=lambda text: fails(401)) as fake:
        with pytest.raises(TeacherError, match="401"):
            annotate(teacher(store, quick(fake, concurrency=2)), rows(*map(str, range(100))))
        assert len(fake.requests) <= 12
    assert len(lines(store.path)) == 10


def test_a_missing_key_is_told_before_any_call(store: ReplyStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TEACHER_KEY", raising=False)
    with FakeEndpoint() as fake:
        with pytest.raises(TeacherError, match="TEACHER_KEY"):
            annotate(teacher(store, quick(fake, api_key_env="TEACHER_KEY")), rows("a"))
        assert fake.requests == []


def test_the_key_is_in_no_file_and_no_meta(store: ReplyStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEACHER_KEY", KEY)
    acts = [label("sport"), answers(f"your key is {KEY}"), fails(500, KEY), fails(400, KEY)]
    with FakeEndpoint(*acts) as fake:
        endpoint = quick(fake, api_key_env="TEACHER_KEY", max_attempts=2, concurrency=1)
        done = annotate(teacher(store, endpoint), rows("a", "b", "c"))
        assert all(headers["Authorization"] == f"Bearer {KEY}" for headers in fake.headers)
    store.close()
    files = [file for file in tmp_path.rglob("*") if file.is_file()]
    assert store.path in files
    assert not any(KEY.encode() in file.read_bytes() for file in files)
    assert KEY not in json.dumps([row.to_json() for row in done])
    assert any("[redacted]" in json.dumps(row.to_json()) for row in done)


def test_a_reply_that_cannot_be_kept_stops_the_run(store: ReplyStore, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise DataError("replies.jsonl: a reply cannot be kept (No space left on device)")

    monkeypatch.setattr(store, "keep", full)
    with FakeEndpoint() as fake:
        with pytest.raises(TeacherError, match="No space left"):
            annotate(teacher(store, quick(fake, concurrency=2)), rows(*map(str, range(100))))
        assert len(fake.requests) <= 4


def test_a_stream_without_end_is_taken_up_only_so_far_ahead(store: ReplyStore) -> None:
    taken = itertools.count()
    texts = (Example(id=str(number), text=str(number)) for number in taken)
    slow = Act(delay=0.05, body=label("sport").body)
    with FakeEndpoint(respond=lambda text: slow if text == "0" else label("sport")) as fake:
        stream = teacher(store, quick(fake, concurrency=2)).annotate(texts, Noted(), 0)
        assert next(stream).text == "0"
        assert isinstance(stream, Generator)
        stream.close()
        assert next(taken) <= 2 * 16 + 2
        assert len(lines(store.path)) == len(fake.requests)


def test_a_torn_record_is_told_and_its_row_asked_again(store: ReplyStore) -> None:
    with FakeEndpoint() as fake:
        annotate(teacher(store, quick(fake, concurrency=1)), rows("a", "b"))
        store.close()
        store.path.write_bytes(store.path.read_bytes()[:-30])
        noted = Noted()
        done = list(teacher(ReplyStore(store.path), quick(fake)).annotate(rows("a", "b", "c"), noted, 3))
        assert fake.texts()[2:] == ["b", "c"] or fake.texts()[2:] == ["c", "b"]
    assert [row.target for row in done] == ["sport"] * 3
    assert "1 record(s) torn" in noted.lines[0]


def newswire_teacher(task: Task, folder: Path, model: str = "claude") -> Teacher:
    return Teacher(task=task, model=model, interview=interview(ReplyStore(folder / "own.jsonl", [DESK]), None))


def newswire() -> tuple[Classification, list[Example]]:
    with DESK[0].open(encoding="utf-8") as requests:
        task = desk_task(json.loads(next(requests))["body"]["messages"][0]["content"])
    pool = [json.loads(line) for line in lines(NEWSWIRE / "pool.jsonl")]
    return task, [Example(id=row["id"], text=row["text"]) for row in pool]


def test_the_recording_teaches_without_an_endpoint(tmp_path: Path) -> None:
    task, pool = newswire()
    recorded = newswire_teacher(task, tmp_path)
    done = annotate(recorded, pool)
    assert [row.id for row in done] == [row.id for row in pool]
    assert sum(row.target is not None for row in done) == 960
    assert not any("usage" in row.meta for row in done)
    assert recorded.forecast(pool).to_ask == 0
    assert list(tmp_path.iterdir()) == []


def test_a_row_that_the_recording_lacks_is_rejected(tmp_path: Path) -> None:
    task, pool = newswire()
    recorded = newswire_teacher(task, tmp_path)
    done = annotate(recorded, [pool[0], Example(id="new", text="Not in the recording.")])
    assert done[0].target is not None
    assert done[1].meta == {"rejected": "no recorded reply, and no endpoint to ask"}


@pytest.mark.parametrize(
    ("model", "labels", "hint"),
    [
        ("gpt-4o", None, "the model asked for is 'gpt-4o', the recorded one 'claude'"),
        ("claude", {"sport": "", "politics": ""}, "the reply schema differs"),
        ("claude", "no descriptions", "the prompt differs"),
    ],
)
def test_a_recording_of_something_else_is_told_as_such(
    tmp_path: Path, model: str, labels: dict[str, str] | str | None, hint: str
) -> None:
    task, pool = newswire()
    if labels is not None:
        task = Classification(
            labels=labels if isinstance(labels, dict) else list(task.labels), prompt="classification.v1"
        )
    other = newswire_teacher(task, tmp_path, model)
    with pytest.raises(TeacherError, match=f"answer none of the 7 requests.*: {hint}"):
        annotate(other, pool[:7])


def test_an_invalid_recorded_reply_without_a_recorded_correction_is_rejected(store: ReplyStore) -> None:
    with FakeEndpoint(label("sports"), *[fails(500)] * 3) as fake:
        annotate(teacher(store, quick(fake)), rows("text"))
    [row] = annotate(teacher(ReplyStore(store.path), None), rows("text"))
    assert row.meta["rejected"] == "not an answer: unknown label 'sports'; did you mean 'sport'?"


def test_the_forecast_counts_what_would_be_asked_and_spends_nothing(store: ReplyStore) -> None:
    with FakeEndpoint(label("sport"), label("wrong"), label("wrong"), label("wrong"), *[fails(500)] * 3) as fake:
        by = teacher(store, quick(fake, concurrency=1))
        annotate(by, rows("good", "settled as rejected", "to be corrected"))
        asked = len(fake.requests)
        forecast = by.forecast(rows("good", "settled as rejected", "to be corrected", "new", "new"))
        assert len(fake.requests) == asked
    assert (forecast.rows, forecast.cached, forecast.to_ask, forecast.estimated) == (5, 3, 2, True)
    prompt = sum(len(message["content"]) for message in body(TASK, "new")["messages"])
    assert forecast.tokens.input > 2 * prompt // 4
    assert forecast.tokens.output == 2 * estimated_reply_tokens(TASK.reply_schema.schema)
    assert by.forecast([]).rows == 0


def test_tokens_come_from_the_replies_and_cost_from_the_tokens(store: ReplyStore) -> None:
    with FakeEndpoint() as fake:
        [row] = annotate(teacher(store, quick(fake)), rows("a"))
    assert row.meta["usage"] == {"prompt_tokens": 100, "completion_tokens": 5}
    assert cost_usd(Tokens(200, 10), Price(input=2.0, output=10.0)) == pytest.approx(0.0005)
    assert cost_usd(None, Price(1.0, 1.0)) is None
    assert cost_usd(Tokens(1, 1), None) is None


def test_a_nonsense_usage_is_not_counted(store: ReplyStore) -> None:
    act = json.loads(label("sport").body)
    act["usage"] = {"prompt_tokens": -5, "completion_tokens": "many", "total_tokens": True}
    with FakeEndpoint(Act(body=json.dumps(act).encode())) as fake:
        assert "usage" not in annotate(teacher(store, quick(fake)), rows("a"))[0].meta


def test_a_reply_estimate_is_about_the_longest_reply() -> None:
    assert estimated_reply_tokens(TASK.reply_schema.schema) == -(-len("{'label': 'politics'}") // 4)
    array = {"type": "array", "items": {"type": "string"}}
    assert estimated_reply_tokens(array) > 100
    assert estimated_reply_tokens({"type": "number"}) == 1


_KILLED = """
import sys
from pathlib import Path
from tests.teacher.support import Noted, rows, teacher
from understudy.teacher.endpoint.endpoint import Endpoint
from understudy.teacher.replies.store import ReplyStore

endpoint = Endpoint(base_url=sys.argv[1], concurrency=4, max_tokens=None)
by = teacher(ReplyStore(Path(sys.argv[2])), endpoint)
list(by.annotate(rows(*map(str, range(200))), Noted(), 200))
"""


def test_after_kill_9_nothing_that_was_answered_is_asked_again(tmp_path: Path) -> None:
    path = tmp_path / "replies.jsonl"
    root = str(Path(__file__).parents[2])
    soon, later = Act(delay=0.02, body=label("sport").body), Act(delay=60.0)  # so that there is time to kill it
    with FakeEndpoint(*[soon] * 25, respond=lambda text: later) as fake:
        environment = {**os.environ, "PYTHONPATH": root}
        child = subprocess.Popen([sys.executable, "-c", _KILLED, fake.base_url, str(path)], env=environment)
        deadline = time.monotonic() + 60
        while len(fake.requests) < 25 and child.poll() is None and time.monotonic() < deadline:
            time.sleep(0.005)
        child.send_signal(signal.SIGKILL)
        child.wait()
        sent = [content_key(request) for request in fake.requests]
        assert 25 <= len(sent) < 200

        fake.respond = lambda text: label("sport")
        store = ReplyStore(path)
        kept = {bytes.fromhex(record["key"]) for record in store.records()}
        assert len(kept) >= len(sent) - 4
        done = annotate(teacher(store, quick(fake)), rows(*map(str, range(200))))
        sent_again = {content_key(request) for request in fake.requests[len(sent) :]}
    assert [row.target for row in done] == ["sport"] * 200
    assert not sent_again & kept
    assert len(sent) + len(sent_again) <= 200 + 4
    assert len(lines(path)) in {200, 201}
