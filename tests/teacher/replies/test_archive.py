import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.teacher import support
from tests.teacher.support import TASK, annotate, rows, teacher
from understudy.errors import DataError
from understudy.teacher.cost.spending import Tokens
from understudy.teacher.replies.archive import Selection, export, prune, survey
from understudy.teacher.replies.store import Reply, ReplyStore

HERE, THERE = "http://here/v1", "http://there/v1"


def body(text: str, model: str = "m") -> dict[str, Any]:
    return support.body(TASK, text, model)


def reply(content: str = '{"label": "sport"}', finish: str = "stop") -> Reply:
    usage = {"prompt_tokens": 10, "completion_tokens": 2}
    return Reply({"choices": [{"finish_reason": finish, "message": {"content": content}}], "usage": usage})


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Three replies from here and one refusal, one reply by another model, and one from elsewhere."""
    path = tmp_path / "replies.jsonl"
    with ReplyStore(path, answerer=HERE) as store:
        store.append(body("a"), reply())
        store.append(body("b"), reply('{"label": "sp', finish="length"))
        store.append(body("c"), reply("half a character \ud83d"))
        store.append(body("d"), Reply(None, refused="the endpoint refused the request with 400: policy"))
        store.append(body("a", "other"), reply())
    with ReplyStore(path, answerer=THERE) as store:
        store.append(body("a"), reply('{"label": "politics"}'))
    return path


def keys(path: Path) -> list[str]:
    return [json.loads(line)["key"] for line in path.read_bytes().split(b"\n") if line]


def texts(path: Path, answerer: str | None = HERE) -> set[str]:
    with ReplyStore(path, answerer=answerer) as store:
        return {text for text in "abcdxyz" if body(text) in store}


def test_a_survey_counts_by_model_and_place(path: Path) -> None:
    today = datetime.now(UTC).date().isoformat()
    holdings = survey(path)
    assert [(held.model, held.answerer, held.replies, held.refused, held.tokens) for held in holdings] == [
        ("m", HERE, 3, 1, Tokens(30, 6)),
        ("other", HERE, 1, 0, Tokens(10, 2)),
        ("m", THERE, 1, 0, Tokens(10, 2)),
    ]
    assert all(held.first[:10] == held.last[:10] == today for held in holdings)


def test_a_survey_survives_records_that_say_nothing(path: Path) -> None:
    odd: list[dict[str, Any]] = [
        {"request": None, "answerer": ["no", "name"], "response": 7, "time": None},
        {"request": {"model": {"deep": []}}, "response": {"status_code": 200, "body": {"choices": []}}},
    ]
    with path.open("a") as out:
        for number, record in enumerate(odd):
            out.write(json.dumps({"key": f"{number:064x}", **record}) + "\n")
    assert sum(held.replies + held.refused for held in survey(path)) == 6 + 2
    assert export(path, path.parent / "recording", Selection()) == 6
    assert prune(path, Selection(older_than=1.0)) == (8, 0)


@pytest.mark.parametrize(
    "work", [survey, lambda path: export(path, path.parent, Selection()), lambda path: prune(path, Selection())]
)
def test_a_store_that_is_not_there_is_told_and_nothing_is_made(tmp_path: Path, work: Any) -> None:
    with pytest.raises(DataError, match=r"replies\.jsonl: no reply store; expected"):
        work(tmp_path / "absent" / "replies.jsonl")
    assert not [file for file in tmp_path.rglob("*") if file.is_file()]


def test_an_exported_recording_teaches_with_no_endpoint(path: Path, tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "recording"
    assert export(path, folder, Selection(model="m", answerer=HERE)) == 4
    recording = (folder / "requests.jsonl", folder / "replies.jsonl")
    recorded = ReplyStore(tmp_path / "new.jsonl", [recording])
    done = annotate(teacher(recorded, None), rows("a", "b", "c", "d"))
    assert [row.target for row in done] == ["sport", None, None, None]
    assert [row.meta["rejected"].split(" ")[0] for row in done[1:]] == ["truncated", "not", "the"]
    assert (done[3].meta["refused"], done[3].meta.get("unanswered")) == (True, None)
    assert recorded.get(body("c")) == Reply(reply("half a character \ud83d").completion)
    assert not (tmp_path / "new.jsonl").exists()


def test_refusals_are_exported_with_their_reason(path: Path, tmp_path: Path) -> None:
    folder = tmp_path / "recording"
    export(path, folder, Selection(answerer=HERE))
    recorded = ReplyStore(tmp_path / "new.jsonl", [(folder / "requests.jsonl", folder / "replies.jsonl")])
    assert recorded.get(body("d")) == Reply(None, refused="the endpoint refused the request with 400: policy")


def test_a_recording_never_takes_the_place_of_the_store(path: Path) -> None:
    before = path.read_bytes()
    with pytest.raises(DataError, match="the recording would take the place of the store itself"):
        export(path, path.parent / "." / "", Selection())
    assert path.read_bytes() == before


def test_a_store_that_may_not_be_changed_is_not_pruned(path: Path) -> None:
    path.with_name(f"{path.name}.lock").unlink()
    path.with_name(f"{path.name}.lock").mkdir()
    with pytest.raises(DataError, match="the store cannot be changed"):
        prune(path, Selection(refused=True))


def test_a_recording_has_a_line_for_each_exchange_as_the_batch_api_writes_them(path: Path, tmp_path: Path) -> None:
    export(path, tmp_path / "recording", Selection(model="other"))
    [request] = [json.loads(line) for line in (tmp_path / "recording" / "requests.jsonl").read_text().splitlines()]
    assert (request["method"], request["url"]) == ("POST", "/v1/chat/completions")
    assert request["body"] == body("a", "other")


@pytest.mark.parametrize(
    ("selection", "kept"),
    [
        (Selection(refused=True), "abc"),
        (Selection(truncated=True), "acd"),
        (Selection(answerer=THERE), "abcd"),
        (Selection(model="m", answerer=HERE), ""),
        (Selection(model="other"), "abcd"),
        (Selection(older_than=1.0), "abcd"),
        (Selection(older_than=-1.0), ""),
        (Selection(model="m", refused=True, answerer=HERE), "abc"),
        (Selection(refused=True, truncated=True), "abcd"),
        (Selection(), ""),
    ],
)
def test_pruning_removes_what_is_selected_and_nothing_else(path: Path, selection: Selection, kept: str) -> None:
    before = keys(path)
    expected = prune(path, selection, really=False)
    assert keys(path) == before
    assert prune(path, selection) == expected
    assert texts(path) == set(kept)
    assert len(keys(path)) == expected[0]


def test_pruning_by_age_goes_by_the_time_of_each_record(path: Path) -> None:
    old = (datetime.now(UTC) - timedelta(days=10)).isoformat()
    lines = path.read_text().splitlines()
    path.write_text("\n".join([json.dumps({**json.loads(lines[0]), "time": old}), *lines[1:]]) + "\n")
    assert prune(path, Selection(older_than=9)) == (5, 1)
    assert texts(path) == set("bcd")


def test_pruning_drops_what_is_torn_or_superseded_and_keeps_the_rest_to_the_byte(path: Path) -> None:
    raw = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([raw[0][:50], b"\n", *raw, raw[1], raw[2][:-10]]))
    assert prune(path, Selection(older_than=1.0)) == (6, 0)
    assert path.read_bytes().splitlines(keepends=True) == [raw[0], *raw[2:], raw[1]]
    assert texts(path) == set("abcd")


def test_what_is_pruned_while_a_reader_is_open_is_gone_for_it_too(path: Path) -> None:
    with ReplyStore(path, answerer=HERE) as store:
        assert body("d") in store
        prune(path, Selection(refused=True))
        store._looked = float("-inf")  # as if a second had passed
        assert [text for text in "abcd" if body(text) in store] == ["a", "b", "c"]


def test_pruning_waits_for_nobody_and_harms_nobody(path: Path) -> None:
    before = path.read_bytes()
    with ReplyStore(path, answerer=HERE) as store:
        store.append(body("x"), reply())
        with pytest.raises(DataError, match="another process is using this store"):
            prune(path, Selection(model="m"))
        assert prune(path, Selection(model="m"), really=False) == (1, 6)
    assert path.read_bytes().startswith(before)
    assert prune(path, Selection(model="m")) == (1, 6)


@pytest.fixture
def user(path: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that is appending to the store."""
    code = (
        "import sys; from pathlib import Path; from understudy.teacher.replies.store import Reply, ReplyStore\n"
        "store = ReplyStore(Path(sys.argv[1])); store.append({'any': 1}, Reply(None, refused='no'))\n"
        "print('ready', flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", code, str(path)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=dict(os.environ))
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    yield process
    process.kill()
    process.communicate()


def test_a_store_in_use_by_another_process_is_left_alone_until_that_has_ended(
    path: Path, user: "subprocess.Popen[str]"
) -> None:
    with pytest.raises(DataError, match="another process is using this store"):
        prune(path, Selection(refused=True))
    user.kill()
    user.wait()
    assert prune(path, Selection(refused=True)) == (5, 2)
