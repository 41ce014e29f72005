import json
from collections.abc import Iterable
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.teacher.fake_batch_api import answered, completion, expired, refused
from tests.teacher.support import TASK, body, rows, teacher
from understudy.errors import DataError, TeacherError
from understudy.teacher.answer import Question
from understudy.teacher.batch import files
from understudy.teacher.batch.files import Exported, Imported, export_batch
from understudy.teacher.cost.ledger import Budget, Ledger
from understudy.teacher.cost.spending import NO_TOKENS, Price, Tokens
from understudy.teacher.endpoint.dialect import Dialect
from understudy.teacher.replies.store import Reply, ReplyStore
from understudy.teacher.request import Body, content_key
from understudy.teacher.teacher import Teacher

PLAIN = Dialect()


def bodies(count: int) -> list[dict[str, Any]]:
    return [body(TASK, f"text {index}") for index in range(count)]


def key(request: Body) -> str:
    return content_key(request).hex()


def export(requests: Any, folder: Path, **limits: int) -> Exported:
    return export_batch(requests, folder, dialect=PLAIN, max_tokens=None, **limits)


def import_batch(paths: list[Path], requests: Iterable[Body], store: ReplyStore, *account: Any) -> Imported:
    """Import the replies to requests to which anything is an answer."""
    return files.import_batch(paths, (Question(request, str) for request in requests), store, *account)


def records(*paths: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for path in paths for line in path.read_text(encoding="utf-8").split("\n")[:-1]]


def written(path: Path, *lines: Any) -> Path:
    raw = [line if isinstance(line, bytes) else json.dumps(line).encode() + b"\n" for line in lines]
    path.write_bytes(b"".join(raw))
    return path


@pytest.fixture
def store(tmp_path: Path) -> ReplyStore:
    return ReplyStore(tmp_path / "replies.jsonl")


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out.jsonl"


def test_a_request_is_exported_under_its_content_key_as_the_endpoint_takes_it(tmp_path: Path) -> None:
    asked = body(TASK, "Grüße \u2028")
    done = export_batch(
        [asked], tmp_path / "batch", dialect=Dialect(("json_object", "max_completion_tokens")), max_tokens=99
    )
    assert (done.files, done.requests) == ([tmp_path / "batch" / "requests-0001.jsonl"], 1)
    [line] = records(*done.files)
    assert {name: line[name] for name in ("custom_id", "method", "url")} == {
        "custom_id": key(asked),
        "method": "POST",
        "url": "/v1/chat/completions",
    }
    assert line["body"] == {**asked, "max_completion_tokens": 99, "response_format": {"type": "json_object"}}
    assert done.worst == Tokens(len(json.dumps(line["body"], ensure_ascii=False).encode()), 99)


def test_nothing_to_ask_makes_no_file_and_no_folder(tmp_path: Path) -> None:
    assert export([], tmp_path / "batch") == Exported([])
    assert not (tmp_path / "batch").exists()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    texts=st.lists(st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=40), unique=True, max_size=20),
    lines=st.integers(1, 7),
    room=st.integers(0, 2000),
)
def test_no_limit_is_exceeded_and_no_file_could_have_held_more(
    tmp_path: Path, texts: list[str], lines: int, room: int
) -> None:
    asked = [body(TASK, text) for text in texts]
    longest = max((path.stat().st_size for path in export(asked, tmp_path, lines=1).files), default=0)
    done = export(asked, tmp_path, lines=lines, size=longest + room)
    assert [line["body"] for line in records(*done.files)] == asked
    assert done.requests == len(asked)
    assert sorted(tmp_path.glob("requests-*")) == done.files
    sizes = [path.stat().st_size for path in done.files]
    counts = [len(records(path)) for path in done.files]
    assert all(size <= longest + room for size in sizes)
    assert all(0 < count <= lines for count in counts)
    for place, (count, size) in enumerate(list(zip(counts, sizes, strict=True))[:-1]):
        following = done.files[place + 1].read_bytes().split(b"\n")[0]
        assert count == lines or size + len(following) + 1 > longest + room


def test_a_request_larger_than_a_file_may_be_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"a request of [\d,]+ bytes; a batch file may hold 1,000"):
        export([body(TASK, "x" * 1000)], tmp_path, size=1000)
    assert list(tmp_path.iterdir()) == []


def test_an_export_takes_the_place_of_the_one_before_and_of_nothing_else(tmp_path: Path) -> None:
    for name in ("requests-notes.jsonl", "requests-1.jsonl", "replies-0001.jsonl", "xrequests-0001.jsonl"):
        (tmp_path / name).write_text("mine")
    assert len(export(bodies(5), tmp_path, lines=1).files) == 5
    done = export(bodies(2), tmp_path, lines=1)
    assert (len(done.files), done.replaced) == (2, 5)
    assert len(list(tmp_path.glob("requests-000*"))) == 2
    assert sum(path.read_text() == "mine" for path in tmp_path.iterdir()) == 4


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b'{"custom_id": "1", "body": {}}\n', b"mine"])
def test_a_file_of_someone_elses_in_the_way_is_an_error_and_left_alone(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "requests-0002.jsonl").write_bytes(content)
    with pytest.raises(DataError, match=r"requests-0002\.jsonl: not from an export"):
        export(bodies(3), tmp_path)
    assert (tmp_path / "requests-0002.jsonl").read_bytes() == content


def test_an_export_that_breaks_off_leaves_whole_files_only(tmp_path: Path) -> None:
    def breaking() -> Any:
        yield from bodies(3)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        export(breaking(), tmp_path, lines=2)
    assert [path.name for path in tmp_path.iterdir()] == ["requests-0001.jsonl"]
    assert len(records(tmp_path / "requests-0001.jsonl")) == 2


def test_replies_are_kept_whatever_their_order_and_a_second_import_changes_nothing(
    store: ReplyStore, tmp_path: Path
) -> None:
    asked = bodies(4)
    output = written(
        tmp_path / "out.jsonl", *(answered(key(request), f"to {key(request)}") for request in asked[3:0:-1])
    )
    errors = written(tmp_path / "err.jsonl", refused(key(asked[0]), 413))
    assert import_batch([errors, output], asked, store) == Imported(
        kept=3, refused=1, tokens=None, named=(f"{errors}:1: 413: too long",)
    )
    for request in asked[1:]:
        assert store.get(request) == Reply(completion(f"to {key(request)}"))
    assert store.get(asked[0]) == Reply(None, refused="the endpoint refused the request with 413: too long")
    before = store.path.read_bytes()
    again = import_batch([errors, output], asked, store)
    assert (again.kept, again.refused, again.repeated, again.missing) == (0, 0, 4, 0)
    assert store.path.read_bytes() == before


def test_what_all_replies_took_is_told_whether_they_are_kept_or_not(store: ReplyStore, tmp_path: Path) -> None:
    asked, out = bodies(3), tmp_path / "out.jsonl"
    for bodies_asked in (asked[:2], asked[:2], asked):
        done = import_batch([written(out, *map(metered, asked))], bodies_asked, store)
        assert done.tokens == Tokens(30, 6)
    written(out, metered(asked[0]), refused(key(asked[1])))
    assert import_batch([out], asked, store).tokens == Tokens(10, 2)
    written(out, metered(asked[0]), answered(key(asked[1])))
    assert import_batch([out], asked, store).tokens is None
    assert import_batch([], asked, store).tokens == NO_TOKENS


VLLM = {"id": "vllm-1", "custom_id": ""}
SAID = {"message": "too long", "type": "BadRequestError", "param": None, "code": 400}


@pytest.mark.parametrize(
    ("line", "came"),
    [
        ({"response": {"request_id": "r", "body": completion("x")}, "error": None}, "kept"),
        ({"response": {"status_code": 200, "request_id": "r", "body": completion("x")}, "error": None}, "kept"),
        ({"response": {"status_code": None, "body": completion("x")}}, "kept"),
        ({"response": {"status_code": 400, "request_id": "r", "body": None}, "error": {"error": SAID}}, "refused"),
        ({"response": {"status_code": 400, "request_id": "r", "body": None}, "error": SAID}, "refused"),
        ({"response": {"request_id": "r", "body": {"error": SAID}}}, "refused"),
        ({"response": {"status_code": 422, "body": {"error": SAID}}, "error": None}, "refused"),
        ({"response": None, "error": {"code": "content_filter", "message": "no"}}, "refused"),
        ({"response": {"status_code": 400, "request_id": "r", "body": None}, "error": "engine died"}, "failed"),
        ({"response": {"status_code": 429, "body": {"error": {"message": "slow"}}}, "error": None}, "failed"),
        ({"response": {"status_code": 500, "body": "oops"}, "error": None}, "failed"),
        ({"response": {"status_code": 404, "body": {"error": SAID}}, "error": None}, "failed"),
        ({"response": {"status_code": 200, "body": {"choices": []}}, "error": None}, "failed"),
        ({"response": {"status_code": [1], "body": {}}, "error": {"code": {}, "message": ["x"]}}, "failed"),
        ({"response": [1], "error": ["x"]}, "failed"),
        ({"response": None, "error": {"code": "batch_expired", "message": "late"}}, "failed"),
        ({"response": None, "error": {"code": "batch_cancelled"}}, "failed"),
        ({"response": None, "error": None}, "broken"),
        ({"method": "POST", "url": "/v1/chat/completions", "body": {}}, "broken"),
    ],
)
def test_every_known_form_of_an_output_line_is_understood(
    store: ReplyStore, out: Path, line: dict[str, Any], came: str
) -> None:
    asked = bodies(2)
    written(out, answered(key(asked[0])), {**line, "custom_id": key(asked[1])})
    done = import_batch([out], asked, store)
    counts = {"kept": 1, "refused": 0, "failed": 0, "broken": 0}
    counts[came] += 1
    assert {name: getattr(done, name) for name in counts} == counts
    assert done.missing == (came in {"failed", "broken"})
    assert len(done.named) == (came != "kept")


def test_refusals_without_any_answer_are_the_recipes_fault_and_are_not_kept(store: ReplyStore, out: Path) -> None:
    asked = bodies(3)
    written(out, *(refused(key(request), message="Unsupported parameter: 'max_tokens'") for request in asked))
    done = import_batch([out], asked, store)
    assert (done.refused, done.failed, done.missing) == (0, 3, 3)
    assert "max_tokens" in done.named[0]


def test_an_error_file_alone_is_enough_where_the_store_holds_answers(store: ReplyStore, out: Path) -> None:
    asked = bodies(2)
    store.append(asked[0], Reply(completion("x")))
    written(out, refused(key(asked[1])))
    done = import_batch([out], asked, store)
    assert (done.refused, done.failed, done.missing) == (1, 0, 0)


def test_what_is_broken_or_not_ours_is_counted_and_the_first_lines_are_named(store: ReplyStore, out: Path) -> None:
    asked = bodies(2)
    whole = json.dumps(answered(key(asked[1]))).encode()
    deep = f'{{"custom_id": "{key(asked[1])}", "response": '.encode() + b"[" * 100_000
    written(
        out,
        b"\xef\xbb\xbf" + json.dumps(answered(key(asked[0]))).encode() + b"\r\n",
        b"\n",
        b"\xff\xfe\n",
        b"[1]\n",
        deep + b"\n",
        {"custom_id": 7},
        answered("not ours\x1b[31m"),
        answered(key(asked[0]).upper()),
        answered("0" * 64),
        answered("1" * 64),
        whole[:-20],
    )
    done = import_batch([out], asked, store)
    assert (done.kept, done.broken, done.unknown, done.missing) == (1, 5, 4, 1)
    assert [name.split(": ")[0] for name in done.named] == [f"{out}:{line}" for line in (3, 4, 5, 7, 8, 9)]
    assert all(name.isprintable() for name in done.named)


def test_a_line_without_end_takes_no_more_memory_than_a_line_may(
    store: ReplyStore, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("understudy.teacher.batch.output._LONGEST_LINE", 4096)
    asked = bodies(2)
    written(out, answered(key(asked[0]), "x" * 50_000), b"y" * 9000 + b"\n", answered(key(asked[1])))
    done = import_batch([out], asked, store)
    assert (done.kept, done.broken, done.missing) == (1, 2, 1)


def test_the_first_answer_counts_and_an_answer_counts_before_a_failure(store: ReplyStore, tmp_path: Path) -> None:
    asked = bodies(2)
    first = written(tmp_path / "1.jsonl", expired(key(asked[0])), answered(key(asked[1]), "first"))
    second = written(tmp_path / "2.jsonl", answered(key(asked[1]), "second"), answered(key(asked[0]), "late"))
    done = import_batch([first, second], asked, store)
    assert (done.kept, done.failed, done.repeated, done.missing) == (2, 0, 2, 0)
    assert store.get(asked[0]) == Reply(completion("late"))
    assert store.get(asked[1]) == Reply(completion("first"))


def test_a_file_that_only_repeats_another_is_not_taken_for_a_strangers(store: ReplyStore, tmp_path: Path) -> None:
    [asked] = bodies(1)
    same = [written(tmp_path / name, answered(key(asked))) for name in ("1.jsonl", "2.jsonl")]
    done = import_batch([*same, same[0]], [asked, asked], store)
    assert (done.kept, done.repeated, done.missing) == (1, 2, 0)


def test_a_file_of_another_recipe_is_an_error_that_says_so(store: ReplyStore, tmp_path: Path) -> None:
    asked = bodies(2)
    ours = written(tmp_path / "ours.jsonl", answered(key(asked[0])))
    theirs = written(tmp_path / "theirs.jsonl", answered("0" * 64), answered("request-2"))
    with pytest.raises(DataError, match=r"theirs\.jsonl: none of its 2 replies is to a request of this recipe.*prompt"):
        import_batch([ours, theirs], asked, store)
    with pytest.raises(DataError, match=r"gone\.jsonl: cannot be read"):
        import_batch([tmp_path / "gone.jsonl"], asked, store)


def metered(request: Any) -> Any:
    line = answered(key(request))
    line["response"]["body"]["usage"] = {"prompt_tokens": 10, "completion_tokens": 2}
    return line


def test_what_is_kept_is_entered_once_even_where_the_import_breaks_off(store: ReplyStore, out: Path) -> None:
    asked, ledger = bodies(3), Ledger(price=Price(1.0, 10.0))
    written(out, *map(metered, asked))

    def breaking() -> Any:
        yield from asked[:2]
        raise TeacherError("the rest cannot be asked for")

    with pytest.raises(TeacherError, match="the rest"):
        import_batch([out], breaking(), store, ledger, 50)
    assert (ledger.requests, ledger.spent) == (2, Tokens(20, 4))
    for _ in range(2):
        import_batch([out], asked, store, ledger, 50)
        assert (ledger.requests, ledger.spent) == (3, Tokens(30, 6))
    assert ledger.spent_usd == pytest.approx((30 + 60) / 2 / 1e6)


def test_a_batch_that_does_not_tell_is_entered_at_its_worst(store: ReplyStore, out: Path, tmp_path: Path) -> None:
    asked, ledger = bodies(2), Ledger(budget=Budget(tokens=1))
    worst = export_batch(asked, tmp_path / "batch", dialect=PLAIN, max_tokens=50).worst
    import_batch([written(out, metered(asked[0]), answered(key(asked[1])))], asked, store, ledger, 50)
    assert ledger.spent == ledger.unknown.tokens == worst
    assert (ledger.unknown.requests, ledger.known.requests, ledger.left) == (2, 0, Budget(tokens=0))


def test_an_empty_file_is_nothing_to_complain_of(store: ReplyStore, out: Path) -> None:
    assert import_batch([written(out)], bodies(3), store) == Imported(missing=3)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_nothing_is_lost_or_doubled_whatever_came_back(tmp_path: Path, data: st.DataObject) -> None:
    path = tmp_path / "replies.jsonl"
    for old in tmp_path.glob("replies.jsonl*"):
        old.unlink()
    store, asked = ReplyStore(path), bodies(8)
    kinds = {
        "answered": lambda custom_id: answered(custom_id, f"to {custom_id}"),
        "refused": refused,
        "expired": expired,
    }
    places = st.tuples(st.integers(0, 9), st.sampled_from(sorted(kinds)))
    came = data.draw(st.lists(places, max_size=20))
    ids = [*map(key, asked), "0" * 64, "not ours"]
    lines = [json.dumps(kinds[kind](ids[place])).encode() + b"\n" for place, kind in came]
    tears = bool(lines) and data.draw(st.booleans())
    torn = data.draw(st.integers(0, len(lines[-1]) - 2)) if tears else None
    out = written(tmp_path / "out.jsonl", *lines[:-1], lines[-1][:torn] if lines else b"")
    whole = came if torn is None else came[:-1]
    ours = {place for place, _ in whole if place < 8}
    if whole and not ours:
        with pytest.raises(DataError, match="of this recipe"):
            import_batch([out], asked, store)
        return
    done = import_batch([out], chain(asked, asked[:3]), store)

    answers = {place for place, kind in whole if kind == "answered" and place < 8}
    refusals = {place for place, kind in whole if kind == "refused" and place < 8} - answers
    anyone = any(kind == "answered" for _, kind in whole)
    assert done.kept == len(answers)
    assert done.refused == (len(refusals) if anyone else 0)
    assert done.kept + done.refused + done.missing == 8
    assert done.unknown == sum(place >= 8 for place, _ in whole)
    assert done.broken == (torn is not None and torn > 0)
    settled = done.kept + done.refused + done.failed + done.repeated
    assert settled + done.unknown + done.broken == len(whole) + done.broken
    for place, request in enumerate(asked):
        reply = ReplyStore(path).get(request)
        if place in answers:
            assert reply == Reply(completion(f"to {key(request)}"))
        else:
            assert (reply is not None) == (place in refusals and anyone)
    again = import_batch([out], asked, store)
    assert (again.kept, again.refused, again.missing) == (0, 0, done.missing)


def outstanding(by: Teacher, texts: list[str]) -> list[Body]:
    return [body for _, found in by.interview.outstanding(by.questions(rows(*texts))) for body in found]


def asked_by(by: Teacher, texts: list[str]) -> Any:
    return chain.from_iterable(found for _, found in by.questions(rows(*texts)))


def test_after_an_import_only_what_is_missing_is_exported_with_its_corrections(
    store: ReplyStore, tmp_path: Path
) -> None:
    by, texts = teacher(store, None), ["answered", "invalid", "expired", "refused", "expired"]
    first = export(outstanding(by, texts), tmp_path / "batch")
    assert first.requests == 4
    ids = [line["custom_id"] for line in records(*first.files)]
    output = written(tmp_path / "out.jsonl", answered(ids[1], "no label at all"), answered(ids[0]))
    errors = written(tmp_path / "err.jsonl", expired(ids[2]), refused(ids[3]))
    done = files.import_batch([output, errors], asked_by(by, texts), store)
    assert (done.kept, done.refused, done.failed) == (2, 1, 1)
    assert (done.missing, done.corrections) == (2, 1)

    second = export(outstanding(by, texts), tmp_path / "batch")
    assert done.missing == second.requests == 2
    correction, again = records(*second.files)
    assert again["custom_id"] == ids[2]
    assert [message["content"] for message in correction["body"]["messages"]][-2] == "no label at all"
    assert "cannot be used" in correction["body"]["messages"][-1]["content"]

    replies = written(tmp_path / "out2.jsonl", answered(correction["custom_id"]), answered(ids[2]))
    done = files.import_batch([replies, output, errors], asked_by(by, texts), store)
    assert (done.kept, done.repeated, done.missing) == (2, 4, 0)
    assert export(outstanding(by, texts), tmp_path / "batch") == Exported([], replaced=1)


def test_an_unusable_reply_is_named_with_its_reason_and_gives_way_to_one_that_is_an_answer(
    store: ReplyStore, out: Path
) -> None:
    by, ledger = teacher(store, None), Ledger(price=Price(1.0, 10.0))
    texts = [f"text {number}" for number in range(6)]
    ids = [key(body) for body in outstanding(by, texts)]

    def came(*replies: str) -> Imported:
        written(out, *(answered(custom_id, said) for custom_id, said in zip(ids, replies, strict=True)))
        return files.import_batch([out], asked_by(by, texts), store, ledger)

    done = came('{"label": "sport"}', *["Sport, I think.\x1b[31m"] * 5)
    assert (done.kept, done.repeated, done.missing, done.corrections) == (6, 0, 5, 5)
    assert [line.split(": ")[:2] for line in done.named] == [[f"{out}:{n}", "not an answer"] for n in (2, 3, 4)]
    assert all(line.isprintable() for line in done.named)

    done = came('{"label": "politics"}', "Sport, perhaps.", *['{"label": "sport"}'] * 4)
    assert (done.kept, done.repeated, done.missing, done.corrections) == (4, 2, 1, 1)
    [request] = [body for _, found in by.questions(rows(texts[0])) for body in found]
    assert store.get(request.body) == Reply(completion('{"label": "sport"}'))  # what is an answer stays
    assert ledger.requests == 10

    done = came('{"label": "sport"}', "Sport, perhaps.", *['{"label": "sport"}'] * 4)
    assert (done.kept, done.repeated, ledger.requests) == (0, 6, 10)


def test_a_reply_whose_correction_was_answered_is_not_named(store: ReplyStore, out: Path) -> None:
    by, texts = teacher(store, None), ["a"]
    [first] = outstanding(by, texts)
    store.append(first, Reply(completion("no label")))
    [second] = outstanding(by, texts)
    written(out, answered(key(first), "no label"), answered(key(second), '{"label": "sport"}'))
    done = files.import_batch([out], asked_by(by, texts), store)
    assert (done.kept, done.repeated, done.missing, done.named) == (1, 1, 0, ())


@pytest.mark.parametrize("concessions", [(), ("json_object", "text", "max_completion_tokens")])
def test_an_export_and_what_came_back_are_a_recording_too(
    store: ReplyStore, tmp_path: Path, concessions: tuple[str, ...]
) -> None:
    asked = bodies(3)
    [requests] = export_batch(asked, tmp_path / "b", dialect=Dialect(concessions), max_tokens=9).files
    output = written(tmp_path / "output.jsonl", *(answered(key(request), f"to {key(request)}") for request in asked))
    recorded = ReplyStore(tmp_path / "none.jsonl", [(requests, output)])
    assert [recorded.get(request) for request in asked] == [Reply(completion(f"to {key(each)}")) for each in asked]
    assert recorded.get(body(TASK, "another")) is None
