import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.teacher import support
from tests.teacher.support import DESK, TASK
from understudy.errors import DataError
from understudy.teacher.replies.store import Reply, ReplyStore
from understudy.teacher.request import content_key


def body(text: str) -> dict[str, Any]:
    return support.body(TASK, text)


def reply(content: str) -> Reply:
    return Reply({"choices": [{"message": {"content": content}}]}, 0.25)


def content(found: Reply | None) -> str:
    assert found is not None
    assert found.completion is not None
    text: str = found.completion["choices"][0]["message"]["content"]
    return text


def write_lines(path: Path, *records: Any) -> Path:
    path.write_text("".join(f"{line if isinstance(line, str) else json.dumps(line)}\n" for line in records))
    return path


def request_line(custom_id: str, text: str) -> dict[str, Any]:
    return {"custom_id": custom_id, "method": "POST", "url": "/v1/chat/completions", "body": body(text)}


def reply_line(custom_id: str, text: str, status: int = 200, error: Any = None) -> dict[str, Any]:
    response = {"status_code": status, "body": reply(text).completion}
    return {"custom_id": custom_id, "response": response, "error": error}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "replies.jsonl"


def test_what_was_appended_is_found_at_once_and_after_reopening(path: Path) -> None:
    store = ReplyStore(path)
    assert store.get(body("a")) is None
    for text in "abc":
        store.append(body(text), reply(text.upper()))
        assert content(store.get(body(text))) == text.upper()
    store.close()
    for again in (store, ReplyStore(path)):
        assert [content(again.get(body(text))) for text in "abc"] == ["A", "B", "C"]
        assert again.get(body("d")) is None
        assert len(again) == 3
        assert again.get(body("a")) == reply("A")


def test_a_line_is_a_record_that_a_person_and_other_tools_can_read(path: Path) -> None:
    ReplyStore(path).append(body("Grüße"), reply("Ö"))
    line = path.read_text(encoding="utf-8")
    assert "Grüße" in line
    record = json.loads(line)
    assert record["key"] == record["custom_id"] == content_key(body("Grüße")).hex()
    assert record["request"] == body("Grüße")
    assert record["response"] == {"status_code": 200, "body": reply("Ö").completion}
    assert record["error"] is None
    assert record["seconds"] == 0.25
    assert record["time"].endswith("+00:00")


def test_reading_makes_no_file(path: Path) -> None:
    store = ReplyStore(path)
    assert body("a") not in store
    store.close()
    assert not path.parent.exists()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    pairs=st.lists(
        st.tuples(
            st.text(alphabet=st.characters(exclude_categories=["Cs"])) | st.sampled_from(["\u2028", "\0", "\x85\r\n"]),
            st.text(alphabet=st.characters()) | st.sampled_from(["\u2028\u2029", "\0", "\ud83d", "\r", "\x1c"]),
        ),
        max_size=8,
    )
)
def test_any_text_comes_back_as_it_was_kept(tmp_path: Path, pairs: list[tuple[str, str]]) -> None:
    path = Path(tempfile.mkdtemp(dir=tmp_path)) / "replies.jsonl"
    store = ReplyStore(path)
    for text, answer in pairs:
        store.append(body(text), reply(answer))
    store.close()
    reopened = ReplyStore(path)
    latest = dict(pairs)
    assert len(reopened) == len(latest)
    assert reopened.dropped == 0
    assert all(content(reopened.get(body(text))) == answer for text, answer in latest.items())


def test_half_a_character_in_a_request_is_an_error_that_writes_nothing(path: Path) -> None:
    with pytest.raises(DataError, match="half a character"):
        ReplyStore(path).append(body("\ud83d"), reply("x"))
    assert not path.exists()


@pytest.mark.parametrize("kept_bytes", [1, 40, 90, -40, -2])
def test_a_torn_tail_costs_that_record_alone(path: Path, kept_bytes: int) -> None:
    store = ReplyStore(path)
    store.append(body("a"), reply("A"))
    whole = path.stat().st_size
    store.append(body("b"), reply("B"))
    store.close()
    raw = path.read_bytes()
    path.write_bytes(raw[:whole] + raw[whole:][:kept_bytes])

    after = ReplyStore(path)
    assert after.dropped == 1
    assert content(after.get(body("a"))) == "A"
    assert after.get(body("b")) is None
    after.append(body("c"), reply("C"))
    after.append(body("b"), reply("B again"))
    for store in (after, ReplyStore(path)):
        assert [content(store.get(body(text))) for text in "abc"] == ["A", "B again", "C"]


def test_a_record_damaged_in_its_middle_is_asked_again(path: Path) -> None:
    store = ReplyStore(path)
    for text in "abc":
        store.append(body(text), reply(text))
    store.close()
    lines = path.read_bytes().split(b"\n")
    lines[1] = lines[1][:200] + b"\0" * 20 + lines[1][220:]
    path.write_bytes(b"\n".join(lines))
    damaged = ReplyStore(path)
    assert damaged.get(body("b")) is None
    assert (content(damaged.get(body("a"))), content(damaged.get(body("c")))) == ("a", "c")


@pytest.mark.parametrize(
    ("seconds", "read"),
    [
        ("0.25", 0.25),
        ("3", 3),
        ('"fast"', None),
        ("[1]", None),
        ("1e400", None),
        ("-1", None),
        ("NaN", None),
        ("1" + "0" * 400, None),
        ("1e300", None),
    ],
)
def test_what_is_no_duration_counts_as_not_recorded(path: Path, seconds: str, read: float | None) -> None:
    with ReplyStore(path) as store:
        store.append(body("a"), reply("A"))
    path.write_text(path.read_text().replace('"seconds": 0.25', f'"seconds": {seconds}'))
    assert ReplyStore(path).get(body("a")) == Reply(reply("A").completion, read)


def test_a_record_that_names_two_questions_answers_neither(path: Path) -> None:
    with ReplyStore(path) as store:
        store.append(body("a"), reply("A"))
        store.append(body("b"), reply("B"))
    first, second = path.read_text().splitlines()
    path.write_text(first[: first.index('"request"')] + second[second.index('"request"') :] + "\n")
    assert ReplyStore(path).get(body("a")) is None


def test_a_full_disk_is_an_error_with_the_files_name(tmp_path: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full here")
    path = tmp_path / "replies.jsonl"
    path.symlink_to("/dev/full")
    store = ReplyStore(path)
    store.__dict__["_places"] = {}  # the device reads as an endless file of zeros
    with pytest.raises(DataError, match=r"replies\.jsonl: a reply cannot be kept"):
        store.append(body("a"), reply("A"))


def test_the_newswire_recording_answers_all_its_requests(path: Path) -> None:
    store = ReplyStore(path, [DESK])
    assert len(store) == 1080
    replies = {
        line["custom_id"]: line["response"]["body"]
        for line in map(json.loads, DESK[1].read_text(encoding="utf-8").split("\n")[:-1])
    }
    for line in map(json.loads, DESK[0].read_text(encoding="utf-8").split("\n")[:-1]):
        assert store.get(line["body"]) == Reply(replies[line["custom_id"]])
    assert not path.exists()


def test_recorded_and_own_replies_answer_together_and_the_own_ones_win(tmp_path: Path, path: Path) -> None:
    recording = (
        write_lines(tmp_path / "in.jsonl", request_line("1", "a"), request_line("2", "b")),
        write_lines(tmp_path / "out.jsonl", reply_line("2", "recorded b"), reply_line("1", "recorded a")),
    )
    store = ReplyStore(path, [recording])
    store.append(body("b"), reply("own b"))
    store.append(body("c"), reply("own c"))
    assert store.sample() == body("a")
    for again in (store, ReplyStore(path, [recording])):
        assert [content(again.get(body(text))) for text in "abc"] == ["recorded a", "own b", "own c"]


def test_errors_in_a_recording_are_no_answers(tmp_path: Path, path: Path) -> None:
    requests = write_lines(tmp_path / "in.jsonl", *(request_line(text, text) for text in "abcde"))
    replies = write_lines(
        tmp_path / "out.jsonl",
        reply_line("a", "A", status=500),
        reply_line("b", "B", error={"message": "expired"}),
        {"custom_id": "c", "response": None, "error": None},
        {"custom_id": "d", "response": {"status_code": 200, "body": {"choices": []}}, "error": None},
        reply_line("e", "E"),
        reply_line("of another request file", "F"),
    )
    store = ReplyStore(path, [(requests, replies)])
    assert [body(text) in store for text in "abcde"] == [False, False, False, False, True]


def test_a_refusal_in_a_recording_is_one(tmp_path: Path, path: Path) -> None:
    refused = {"status_code": 400, "body": {"error": {"message": "flagged by the content policy"}}}
    requests = write_lines(tmp_path / "in.jsonl", request_line("a", "a"))
    replies = write_lines(tmp_path / "out.jsonl", {"custom_id": "a", "response": refused, "error": None})
    assert ReplyStore(path, [(requests, replies)]).get(body("a")) == Reply(
        None, refused="flagged by the content policy"
    )


@pytest.mark.parametrize(
    ("requests", "replies", "message"),
    [
        ([request_line("1", "a")], None, r"out\.jsonl: cannot be read .*replies"),
        (None, [reply_line("1", "A")], r"in\.jsonl: cannot be read"),
        ([request_line("1", "a"), '{"custom_id": '], [], r"in\.jsonl:2: not JSON"),
        ([request_line("1", "a")], [reply_line("1", "A"), "", "[1]"], r"out\.jsonl:3: a JSON list"),
        ([{"custom_id": "1"}], [], r"in\.jsonl:1: no body"),
        ([request_line("1", "a")], [{"response": {}}], r"out\.jsonl:1: no custom_id"),
        ([request_line("1", "a"), request_line("1", "b")], [], r"in\.jsonl:2: custom_id '1' stands twice"),
        ([request_line("1", "\ud83d")], [], r"in\.jsonl:1: .*half a character"),
        ([request_line("1", "a")], [reply_line("2", "A")], r"out\.jsonl: none of its 1 custom_ids is in"),
    ],
)
def test_a_broken_recording_is_named_with_its_line(
    tmp_path: Path, path: Path, requests: list[Any] | None, replies: list[Any] | None, message: str
) -> None:
    for name, lines in (("in.jsonl", requests), ("out.jsonl", replies)):
        if lines is not None:
            write_lines(tmp_path / name, *lines)
    with pytest.raises(DataError, match=message):
        len(ReplyStore(path, [(tmp_path / "in.jsonl", tmp_path / "out.jsonl")]))


def test_a_recording_that_is_not_utf8_is_named(tmp_path: Path, path: Path) -> None:
    (tmp_path / "in.jsonl").write_bytes(b"\xff\xfe\n")
    with pytest.raises(DataError, match=r"in\.jsonl:1: not JSON"):
        len(ReplyStore(path, [(tmp_path / "in.jsonl", tmp_path / "in.jsonl")]))
