import json
import os
import sqlite3
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import IO, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.teacher import support
from tests.teacher.fake_endpoint import FakeEndpoint
from tests.teacher.support import TASK, annotate, quick, rows, teacher
from understudy.errors import DataError
from understudy.teacher.replies import index
from understudy.teacher.replies import store as replies
from understudy.teacher.replies.store import Reply, ReplyStore
from understudy.teacher.request import content_key

TEXTS = "abcdefgh"


def body(text: str) -> dict[str, Any]:
    return support.body(TASK, text)


def reply(text: str) -> Reply:
    return Reply({"choices": [{"message": {"content": text.upper()}}]})


def said(store: ReplyStore, text: str) -> str | None:
    found = store.get(body(text))
    return None if found is None or found.completion is None else found.completion["choices"][0]["message"]["content"]


def fill(path: Path, texts: str = TEXTS) -> None:
    with ReplyStore(path) as store:
        for text in texts:
            store.append(body(text), reply(text))


def index_of(path: Path) -> Path:
    return path.with_name(f"{path.name}.index")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    fill(tmp_path / "replies.jsonl")
    return tmp_path / "replies.jsonl"


def test_the_index_lies_beside_the_store_and_holds_none_of_its_texts(path: Path) -> None:
    raw = index_of(path).read_bytes()
    assert raw.startswith(b"SQLite format 3")
    assert b"content" not in raw


def overwrite(start: int, junk: bytes) -> Callable[[Path], object]:
    def damage(index: Path) -> None:
        with index.open("r+b") as out:
            out.seek(start)
            out.write(junk)

    return damage


@pytest.mark.parametrize(
    "damage",
    [
        Path.unlink,
        lambda index: index.write_bytes(b""),
        lambda index: index.write_bytes(b"garbage" * 1000),
        lambda index: os.truncate(index, 5000),
        overwrite(100, b"\xff" * 300),
        overwrite(4096, b"\xff" * 4096),
        overwrite(8192, b"\xff" * 4096),
        lambda index: (index.unlink(), index.mkdir()),
    ],
    ids=["missing", "empty", "garbage", "cut", "no schema", "no meta", "no places", "folder"],
)
def test_an_index_that_is_missing_or_damaged_is_made_anew(path: Path, damage: Callable[[Path], object]) -> None:
    damage(index_of(path))
    for _ in range(2):
        with ReplyStore(path) as store:
            assert [said(store, text) for text in TEXTS] == list(TEXTS.upper())
            assert len(store) == 8
    fill(path, "xyz")
    with ReplyStore(path) as store:
        assert [said(store, text) for text in TEXTS + "xyz"] == list((TEXTS + "xyz").upper())


def test_an_index_of_another_version_is_made_anew(path: Path) -> None:
    with sqlite3.connect(index_of(path)) as database:
        database.execute("PRAGMA user_version = 999")
        database.execute("DELETE FROM places")
    database.close()
    with ReplyStore(path) as store:
        assert [said(store, text) for text in TEXTS] == list(TEXTS.upper())


@pytest.mark.parametrize("lines", [1, 3, 4, 100])
def test_a_store_is_indexed_in_batches_of_any_size(path: Path, monkeypatch: pytest.MonkeyPatch, lines: int) -> None:
    monkeypatch.setattr(index, "_BATCH", lines)
    raw = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(
        b"".join([raw[0][:50], b"\n", *raw[:3], b"\n\n\n\n\n", *raw[3:7], raw[2][:60], b"\n", raw[7][:-9]])
    )
    index_of(path).unlink()
    with ReplyStore(path) as store:
        assert [said(store, text) for text in TEXTS] == [*"ABCDEFG", None]
        assert (len(store), store.dropped) == (7, 3)


@pytest.fixture
def batches(path: Path, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Where each reading of a part of the store began; nothing may be locked at that moment."""
    starts: list[int] = []
    read = index._batch

    def noting(lines: IO[bytes], start: int) -> index._Batch:
        with closing(sqlite3.connect(index_of(path), timeout=0, isolation_level=None)) as other:
            other.execute("BEGIN EXCLUSIVE")
        starts.append(start)
        return read(lines, start)

    monkeypatch.setattr(index, "_batch", noting)
    return starts


def test_other_processes_have_their_turn_while_a_store_is_indexed(
    path: Path, batches: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index, "_BATCH", 3)
    index_of(path).unlink()
    with ReplyStore(path) as store:
        assert len(store) == 8
    assert len(batches) == 4  # three with lines, and the end


def test_two_processes_may_index_one_store_at_the_same_time(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index, "_BATCH", 2)
    index_of(path).unlink()
    with ReplyStore(path) as one, ReplyStore(path) as other:
        read = index._batch

        def overtaken(lines: IO[bytes], start: int) -> index._Batch:
            batch = read(lines, start)
            monkeypatch.setattr(index, "_batch", read)
            assert len(other) == 8
            return batch

        monkeypatch.setattr(index, "_batch", overtaken)
        assert len(one) == 8
        assert [said(one, text) for text in TEXTS] == list(TEXTS.upper())
        assert (one.dropped, other.dropped) == (0, 0)


def test_an_index_that_another_process_keeps_to_itself_is_an_error_in_the_end(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index, "_WAIT", 0.05)
    with ReplyStore(path) as store, closing(sqlite3.connect(index_of(path), isolation_level=None)) as other:
        assert said(store, "a") == "A"
        other.execute("BEGIN EXCLUSIVE")
        uses: list[Callable[[], object]] = [lambda: said(store, "b"), lambda: len(store), lambda: next(store.records())]
        for use in uses:
            with pytest.raises(DataError, match=r"index of the replies cannot be used \(database is locked\); wait"):
                use()
        other.execute("ROLLBACK")
        assert said(store, "b") == "B"


def test_whoever_goes_through_a_store_keeps_nobody_from_indexing_more(path: Path) -> None:
    with ReplyStore(path) as store, closing(sqlite3.connect(index_of(path), timeout=0, isolation_level=None)) as other:
        records = store.records()
        next(records)
        other.execute("BEGIN EXCLUSIVE")
        other.execute("ROLLBACK")
        assert len(list(records)) == 7


def test_a_damaged_record_is_no_reason_to_read_the_store_again_and_again(path: Path, batches: list[int]) -> None:
    path.write_bytes(path.read_bytes().replace(b'"B"', b"\0\0\0"))
    with ReplyStore(path) as store:
        for text in "xyz":
            assert said(store, "b") is None
            store.append(body(text), reply(text))
            assert said(store, "a") == "A"
        assert batches.count(0) == 1
        store.append(body("b"), reply("b"))
        assert said(store, "b") == "B"


def test_a_folder_is_no_store(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"the reply store cannot be read \(Is a directory\)"):
        len(ReplyStore(tmp_path / "."))
    assert list(tmp_path.iterdir()) == list(tmp_path.parent.glob("*.index")) == []


def test_a_store_that_was_cut_short_is_read_again(path: Path) -> None:
    raw = path.read_bytes()
    path.write_bytes(b"".join(raw.splitlines(keepends=True)[:3]))
    with ReplyStore(path) as store:
        assert [said(store, text) for text in TEXTS] == [*"ABC", *[None] * 5]
        assert len(store) == 3


@pytest.mark.parametrize("texts", ["xyzhgfedcba", "hgfedcba", "hgx"])
def test_a_store_that_was_replaced_is_read_again_even_while_it_is_open(path: Path, tmp_path: Path, texts: str) -> None:
    other = tmp_path / "other.jsonl"
    fill(other, texts)
    with ReplyStore(path) as store:
        assert said(store, "a") == "A"
        other.replace(path)
        assert {said(store, text) for text in TEXTS} <= {*TEXTS.upper(), None}
        store._looked = float("-inf")  # as if a second had passed
        assert [said(store, text) for text in texts] == list(texts.upper())


def test_what_a_replaced_store_holds_more_than_before_is_not_asked_again(path: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.jsonl"
    fill(other, "xyzabcdefgh")
    other.replace(path)
    with ReplyStore(path) as store:
        assert [said(store, text) for text in "xyz"] == list("XYZ")


@pytest.mark.parametrize("longer", [True, False])
def test_a_store_that_was_edited_in_the_middle_is_read_again(path: Path, longer: bool) -> None:
    edited = "Dear me" if longer else "d"
    path.write_text(path.read_text().replace('"D"', f'"{edited}"'))
    with ReplyStore(path) as store:
        assert [said(store, text) for text in TEXTS] == ["A", "B", "C", edited, *"EFGH"]


def test_a_store_that_was_removed_is_empty_and_can_be_begun_again(path: Path) -> None:
    path.unlink()
    with ReplyStore(path) as store:
        assert [said(store, text) for text in TEXTS] == [None] * 8
        store.append(body("b"), reply("b"))
    with ReplyStore(path) as store:
        assert [said(store, text) for text in TEXTS] == [None, "B", *[None] * 6]


EDITS = st.lists(
    st.tuples(st.integers(0, 6000), st.integers(0, 1200), st.binary(max_size=30) | st.just(b"\n")),
    min_size=1,
    max_size=3,
)


@settings(max_examples=60, deadline=None)
@given(edits=EDITS)
def test_whatever_is_done_to_a_store_no_question_gets_the_answer_to_another(
    edits: list[tuple[int, int, bytes]],
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "replies.jsonl"
        fill(path, "abcd")
        for start, removed, inserted in edits:
            raw = path.read_bytes()
            path.write_bytes(raw[:start] + inserted + raw[start + removed :])
        with ReplyStore(path) as store:
            for text in "abcd":
                assert said(store, text) in {text.upper(), None}
            store.append(body("a"), reply("a"))
            assert said(store, "a") == "A"
        with ReplyStore(path) as store:
            assert said(store, "a") == "A"


@pytest.fixture
def powerless() -> Iterator[Path]:
    """A folder with a store in it, both of which may be read and not be written."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        fill(folder / "replies.jsonl")
        for place, mode in ((folder, 0o755), *((file, 0o644) for file in folder.iterdir())):
            place.chmod(mode)
        user = os.geteuid()
        if user == 0:
            os.seteuid(65534)  # whom the rights of files bind
        else:
            folder.chmod(0o555)
            for file in folder.iterdir():
                file.chmod(0o444)
        try:
            yield folder
        finally:
            os.seteuid(user)
            folder.chmod(0o755)


@pytest.mark.parametrize("indexed", [True, False])
def test_a_store_in_a_folder_that_cannot_be_written_to_is_read_all_the_same(powerless: Path, indexed: bool) -> None:
    path = powerless / "replies.jsonl"
    if not indexed:
        user = os.geteuid()
        os.seteuid(os.getuid())
        powerless.chmod(0o755)
        index_of(path).unlink()
        powerless.chmod(0o555)
        os.seteuid(user)
    with ReplyStore(path) as store:
        assert [said(store, text) for text in TEXTS] == list(TEXTS.upper())
        assert len(store) == 8
        with pytest.raises(DataError, match=r"replies\.jsonl: a reply cannot be kept \(Permission denied\)"):
            store.append(body("new"), reply("new"))


def test_fifty_threads_lose_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replies, "_LOOK_EVERY", 0.0)
    monkeypatch.setattr(replies, "_UNINDEXED", 7)
    path = tmp_path / "replies.jsonl"
    stores = [ReplyStore(path), ReplyStore(path)]
    wrong: list[str] = []

    def work(number: int) -> None:
        store = stores[number % 2]
        for text in (f"{number}-{step}x" for step in range(10)):
            store.append(body(text), reply(text))
            if said(store, text) != text.upper() or said(store, f"not {text}") is not None:
                wrong.append(text)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    for store in stores:
        assert len(store) == 500
        store.close()
    assert len({json.loads(line)["key"] for line in path.read_text().splitlines()}) == 500


def test_what_another_process_has_answered_is_known_to_whoever_claims_it(path: Path, tmp_path: Path) -> None:
    with ReplyStore(path) as one, ReplyStore(path) as other:
        for text in "klm":
            key = content_key(body(text))
            assert one.find(key) is None
            other.append(body(text), reply(text))
            with one.claim(key) as free:
                assert free
                assert said(one, text) == text.upper()
            one.append(body(f"{text} too"), reply("x"))


def test_what_another_process_appends_is_found(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replies, "_LOOK_EVERY", 0.0)
    with ReplyStore(path) as one, ReplyStore(path) as other:
        assert said(one, "new") is None
        other.append(body("new"), reply("new"))
        assert said(one, "new") == "NEW"


@pytest.mark.slow
def test_a_text_more_than_a_hundred_thousand_asks_one_request(tmp_path: Path) -> None:
    path, texts = tmp_path / "replies.jsonl", [f"text {number}" for number in range(100_000)]
    with path.open("w") as out:
        for text in texts:
            asked = body(text)
            answer = {"choices": [{"message": {"content": '{"label": "sport"}'}}]}
            record = {
                "key": content_key(asked).hex(),
                "request": asked,
                "response": {"status_code": 200, "body": answer},
            }
            out.write(json.dumps(record) + "\n")
    with FakeEndpoint() as fake, ReplyStore(path) as store:
        done = annotate(teacher(store, quick(fake)), rows(*texts, "one more"))
        assert fake.texts() == ["one more"]
    assert {row.target for row in done} == {"sport"}
    assert len(done) == 100_001
