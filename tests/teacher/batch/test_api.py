import asyncio
import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import chain
from pathlib import Path
from typing import Any

import pytest

from tests.teacher.fake_batch_api import FakeBatchApi, Fault, Line, answered, completion, refused
from tests.teacher.fake_endpoint import Act, fails
from tests.teacher.support import TASK, Noted, body, quick, rows, teacher
from understudy.errors import DataError, TeacherError
from understudy.teacher.answer import Question
from understudy.teacher.batch.api import BatchApi
from understudy.teacher.batch.delivery import batch_round, cancel_round, submit_batches
from understudy.teacher.batch.files import Imported, export_batch, import_batch
from understudy.teacher.batch.state import Submissions
from understudy.teacher.cost.ledger import Budget, BudgetReached, Ledger, Reservation
from understudy.teacher.cost.spending import NO_TOKENS, Tokens
from understudy.teacher.endpoint.dialect import Dialect
from understudy.teacher.replies.store import Reply, ReplyStore

KEY = "sk-secret-0123456789abcdef"
SET_ASIDE = Reservation(0, Tokens(1, 1), 1, batched=True)
CALLS = ("upload", "create", "look", "content")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "batch"


@pytest.fixture
def store(tmp_path: Path) -> ReplyStore:
    return ReplyStore(tmp_path / "replies.jsonl")


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("understudy.teacher.batch.delivery._LONGEST_WAIT", 0.005)


def bodies(count: int) -> list[dict[str, Any]]:
    return [body(TASK, f"text {index}") for index in range(count)]


def questions(count: int) -> list[Question[str]]:
    return [Question(request, str) for request in bodies(count)]


def export(folder: Path, count: int = 4, lines: int = 2) -> int:
    return len(export_batch(bodies(count), folder, dialect=Dialect(), max_tokens=None, lines=lines).files)


def submit(fake: FakeBatchApi, folder: Path, noted: Noted | None = None, **settings: Any) -> list[Path]:
    return submit_batches(folder, quick(fake, **settings), SET_ASIDE, noted or Noted(), poll=0.001)


def imported(files: list[Path], store: ReplyStore, count: int = 4) -> Imported:
    return import_batch(files, questions(count), store)


def metered(line: Line) -> Line:
    """An answer that reports what it took."""
    found = answered(line["custom_id"])
    found["response"]["body"]["usage"] = {"prompt_tokens": 100, "completion_tokens": 5}
    return found


def state(folder: Path) -> Any:
    return json.loads((folder / "batches.json").read_text())


def test_a_batch_goes_out_and_its_replies_come_back(
    folder: Path, store: ReplyStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEACHER_KEY", KEY)
    export(folder)
    noted = Noted()
    with FakeBatchApi() as fake:
        files = submit(fake, folder, noted, api_key_env="TEACHER_KEY", headers={"X-Team": "desk"})
        assert {headers["Authorization"] for headers in fake.headers} == {f"Bearer {KEY}"}
        assert {headers["X-Team"] for headers in fake.headers} == {"desk"}
        assert fake.files["file-0"] == (folder / "requests-0001.jsonl").read_bytes()
        assert fake.calls["upload"] == fake.calls["create"] == 2
        assert fake.calls["list"] == 0
    assert [path.name for path in files] == ["replies-batch_0.jsonl", "replies-batch_1.jsonl"]
    assert imported(files, store) == Imported(kept=4, tokens=None)
    assert noted.steps == 4
    assert KEY not in (folder / "batches.json").read_text()


def test_nothing_exported_is_nothing_to_send(folder: Path) -> None:
    with FakeBatchApi() as fake:
        assert submit(fake, folder) == []
        assert sum(fake.calls.values()) == 0
    assert not folder.exists()


FAILURES = {"429": fails(429), "500": fails(500), "reset": Act(reset=True)}
UNREADABLE = {
    "no JSON": Act(body=b"<html>"),
    "deep": Act(body=b"[" * 100_000),
    "hostile": Act(body=b'{"id": "../x"}'),
}
GOES_WRONG = [
    pytest.param(call, act, id=f"{call}-{name}")
    for call in CALLS
    for name, act in (FAILURES if call == "content" else FAILURES | UNREADABLE).items()
]


@pytest.mark.parametrize(("call", "act"), GOES_WRONG)
@pytest.mark.parametrize("after", [False, True])
def test_what_may_pass_is_tried_again_and_nothing_is_sent_twice(
    folder: Path, store: ReplyStore, call: str, after: bool, act: Act
) -> None:
    export(folder)
    with FakeBatchApi() as fake:
        fake.faults[call].extend([Fault(act, after)] * 2)
        fake.faults["list"].append(Fault(act, after))
        assert imported(submit(fake, folder, max_attempts=6), store).kept == 4
        assert sorted(fake.sent()) == sorted(set(fake.sent()))
        assert len(fake.sent()) == 4


@pytest.mark.parametrize("call", CALLS)
def test_attempts_are_bounded_and_the_next_call_goes_on(folder: Path, store: ReplyStore, call: str) -> None:
    export(folder)
    with FakeBatchApi() as fake:
        fake.faults[call].extend([Fault(fails(500, "out of luck"))] * 3)
        with pytest.raises(TeacherError, match=r"requests-0001\.jsonl: no answer .* out of luck.*run again to go on"):
            submit(fake, folder)
        assert imported(submit(fake, folder), store).kept == 4
        assert len(fake.sent()) == 4


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (fails(401, f"bad key {KEY}"), "answered 401: bad key .redacted."),
        (fails(400, "no such endpoint"), "refused the request with 400: no such endpoint"),
        (Act(status=302, headers={"Location": "http://x"}), "redirects to"),
    ],
)
def test_what_will_not_pass_fails_at_once(
    folder: Path, monkeypatch: pytest.MonkeyPatch, act: Act, message: str
) -> None:
    monkeypatch.setenv("TEACHER_KEY", KEY)
    export(folder)
    with FakeBatchApi() as fake:
        fake.faults["create"].append(Fault(act))
        with pytest.raises(TeacherError, match=message) as caught:
            submit(fake, folder, api_key_env="TEACHER_KEY")
        assert fake.calls["create"] == 1
    assert KEY not in str(caught.value)


class Killed(BaseException):
    """Stands for the end of the process."""


def seams(monkeypatch: pytest.MonkeyPatch, fatal: int) -> Callable[[], bool]:
    """End the process at the so-manieth seam: before and after each call, and before and after the state is saved."""
    passed = 0

    def at_a_seam() -> None:
        nonlocal passed
        passed += 1
        if passed == fatal:
            raise Killed

    def around(owner: type, name: str) -> None:
        real = getattr(owner, name)
        if asyncio.iscoroutinefunction(real):

            async def wrapped(*given: Any, **named: Any) -> Any:
                at_a_seam()
                result = await real(*given, **named)
                at_a_seam()
                return result

            monkeypatch.setattr(owner, name, wrapped)
        else:

            def plain(*given: Any, **named: Any) -> Any:
                at_a_seam()
                result = real(*given, **named)
                at_a_seam()
                return result

            monkeypatch.setattr(owner, name, plain)

    for name in ("upload", "create", "look", "download"):
        around(BatchApi, name)
    around(Submissions, "save")
    around(ReplyStore, "keep")
    around(Ledger, "settle")
    monkeypatch.setattr(Ledger, "give_back", lambda *_: None)  # who is killed clears nothing up
    return lambda: passed >= fatal


def test_a_process_that_is_killed_at_any_moment_sends_and_loses_nothing_twice(tmp_path: Path) -> None:
    for fatal in range(1, 200):
        folder, store = tmp_path / str(fatal) / "batch", ReplyStore(tmp_path / str(fatal) / "replies.jsonl")
        account = tmp_path / str(fatal) / "ledger"
        with FakeBatchApi(metered) as fake:
            with pytest.MonkeyPatch.context() as monkeypatch:
                reached = seams(monkeypatch, fatal)
                with suppress(Killed):
                    round_of(fake, folder, store, Ledger(account))
                if not reached():
                    assert fatal > 25
                    return
            while round_of(fake, folder, store, Ledger(account)).missing:
                pass
            assert len(fake.sent()) == len(set(fake.sent())) == 3, fatal
        assert all(request in store for request in bodies(3))
        ledger = Ledger(account)
        assert ledger.requests == 3
        assert (ledger.spent == Tokens(300, 15)) is (fatal > 1), "at the first seam nobody knows yet whose that is"
    pytest.fail("there is no end to the seams")


def round_of(fake: FakeBatchApi, folder: Path, store: ReplyStore, ledger: Ledger | None = None) -> Imported:
    missing = [request for request in bodies(3) if request not in store]
    return batch_round(
        missing, questions(3), store, folder, quick(fake), Dialect(), ledger or Ledger(), Noted(), poll=0.001
    )


def test_what_was_set_aside_is_given_back_where_no_batch_was_made(folder: Path, store: ReplyStore) -> None:
    ledger = Ledger(budget=Budget(tokens=20_000))
    with FakeBatchApi(metered, plans=[["failed"]]) as fake:
        fake.faults["upload"].append(Fault(fails(401)))
        for message in ("401", "made no batch"):
            with pytest.raises(TeacherError, match=message):
                round_of(fake, folder, store, ledger)
            assert (ledger.spent, ledger.requests) == (NO_TOKENS, 0)
        round_of(fake, folder, store, ledger)
    assert (ledger.spent, ledger.requests) == (Tokens(300, 15), 3)


def test_an_interruption_before_there_is_a_batch_costs_nothing(
    folder: Path, store: ReplyStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def interrupted(*_: Any) -> str:
        raise KeyboardInterrupt

    ledger = Ledger()
    with FakeBatchApi() as fake, monkeypatch.context() as patched:
        patched.setattr("understudy.teacher.batch.delivery._on_a_loop", asyncio.run)
        patched.setattr(BatchApi, "upload", interrupted)
        with pytest.raises(KeyboardInterrupt):
            round_of(fake, folder, store, ledger)
    assert (ledger.spent, ledger.requests) == (NO_TOKENS, 0)


def test_what_the_budget_does_not_cover_is_not_sent(folder: Path, store: ReplyStore) -> None:
    with FakeBatchApi() as fake:
        with pytest.raises(BudgetReached, match="budget of 1,000 tokens"):
            round_of(fake, folder, store, Ledger(budget=Budget(tokens=1000)))
        assert not fake.calls


def test_a_round_that_was_cut_short_is_finished_first_whatever_is_outstanding_by_now(
    folder: Path, store: ReplyStore
) -> None:
    asked = bodies(3)
    with FakeBatchApi() as fake:
        fake.faults["create"].append(Fault(fails(500), after=True))
        fake.faults["list"].extend([Fault(fails(500))] * 2)
        with pytest.raises(TeacherError):
            round_of(fake, folder, store)
        store.append(asked[0], Reply(completion("asked live meanwhile")))
        done = round_of(fake, folder, store)
        assert (done.kept, done.repeated, done.missing) == (2, 1, 0)
        assert len(fake.batches) == 1


def test_an_expired_batch_brings_what_was_done_and_the_next_round_the_rest(tmp_path: Path, folder: Path) -> None:
    with FakeBatchApi(plans=[["validating", "in_progress", "finalizing", "expired"]]) as fake:
        store = ReplyStore(tmp_path / "replies.jsonl")
        first = round_of(fake, folder, store)
        assert (first.kept, first.failed, first.missing) == (2, 1, 1)
        second = round_of(fake, folder, store)
        assert (second.kept, second.missing) == (1, 0)
        assert [len(batch.lines) for batch in fake.batches] == [3, 1]


def test_a_batch_that_expired_with_nothing_done_is_sent_again(folder: Path, store: ReplyStore) -> None:
    def reply(line: Line) -> Line:
        return refused(line["custom_id"], 500) if len(fake.batches) == 1 else answered(line["custom_id"])

    with FakeBatchApi(reply) as fake:
        assert round_of(fake, folder, store).missing == 3
        assert round_of(fake, folder, store).missing == 0
        assert len(fake.batches) == 2


def cancel(fake: FakeBatchApi, folder: Path, store: ReplyStore, ledger: Ledger, noted: Noted | None = None) -> Imported:
    return cancel_round(questions(4), store, folder, quick(fake), ledger, noted or Noted(), poll=0.001)


def cut_short(fake: FakeBatchApi, folder: Path, ledger: Ledger, call: str, *faults: Fault | None) -> None:
    """A round over two files that ends early."""
    export(folder)
    fake.faults[call].extend(faults)
    reservation = ledger.reserve_batch(Tokens(4000, 2000), 4)
    with pytest.raises(TeacherError):
        submit_batches(folder, quick(fake), reservation, Noted(), poll=0.001)
    fake.faults.clear()


def test_what_is_cancelled_brings_and_costs_what_was_answered_until_then(folder: Path, store: ReplyStore) -> None:
    noted, ledger = Noted(), Ledger()
    with FakeBatchApi(metered, plans=[["in_progress"], ["completed"]]) as fake:
        cut_short(fake, folder, ledger, "look", None, *[Fault(fails(500))] * 3)
        done = cancel(fake, folder, store, ledger, noted)
        assert [batch.status for batch in fake.batches] == ["cancelled", "completed"]
        assert fake.calls["cancel"] == 1
    assert (done.kept, done.missing, ledger.spent) == (4, 0, Tokens(400, 20))
    assert any("requests-0001.jsonl: the batch is cancelled" in line for line in noted.lines)
    assert not (folder / "batches.json").exists()


def test_what_is_no_batch_yet_is_not_made_one_only_to_be_cancelled(folder: Path, store: ReplyStore) -> None:
    ledger = Ledger()
    with FakeBatchApi(metered, plans=[["in_progress"]]) as fake:
        cut_short(fake, folder, ledger, "upload", None, *[Fault(fails(500))] * 3)
        assert cancel(fake, folder, store, ledger).missing == 2
        assert len(fake.batches) == fake.calls["cancel"] == 1


@pytest.mark.parametrize("made", [True, False])
def test_a_batch_whose_name_was_lost_is_found_to_be_cancelled(folder: Path, store: ReplyStore, made: bool) -> None:
    ledger = Ledger()
    with FakeBatchApi(metered, plans=[["in_progress"]]) as fake:
        lost = Fault(fails(500), after=made)
        cut_short(fake, folder, ledger, "create", lost, *[Fault(fails(500))] * 3)
        fake.calls.clear()
        cancel(fake, folder, store, ledger)
        assert (len(fake.batches), fake.calls["cancel"], fake.calls["create"]) == (made, made, 0)


def test_what_waits_for_a_full_queue_is_not_sent_again_when_the_rest_is_cancelled(
    folder: Path, store: ReplyStore
) -> None:
    ledger = Ledger()
    with FakeBatchApi(metered, plans=[["in_progress"]], queue=2) as fake:
        cut_short(fake, folder, ledger, "look", None, *[Fault(fails(500))] * 3)
        done = cancel(fake, folder, store, ledger)
        assert [batch.status for batch in fake.batches] == ["cancelled", "failed"]
    assert (done.kept, done.missing, ledger.spent) == (2, 2, Tokens(200, 10))


def test_to_cancel_where_nothing_is_under_way_is_an_error_and_sends_nothing(folder: Path, store: ReplyStore) -> None:
    export(folder)
    with FakeBatchApi() as fake:
        with pytest.raises(DataError, match="no batch is under way"):
            cancel(fake, folder, store, Ledger())
        assert not fake.calls


@pytest.mark.parametrize("status", ["canceled", "paused", "", "COMPLETED"])
def test_a_status_that_nobody_knows_is_shown_rather_than_waited_for(folder: Path, status: str) -> None:
    export(folder)
    with FakeBatchApi(plans=[["validating", status]]) as fake:
        with pytest.raises(
            TeacherError, match=rf"the batch batch_0 has the unknown status '{status}'; expected one of"
        ):
            submit(fake, folder)
        assert state(folder)["submissions"][0]["stage"] == "running"


def test_a_batch_that_fails_as_a_whole_is_told_and_the_others_are_fetched(folder: Path, store: ReplyStore) -> None:
    export(folder)
    noted = Noted()
    with FakeBatchApi(plans=[["failed"], ["completed"]]) as fake:
        files = submit(fake, folder, noted)
    assert imported(files, store) == Imported(kept=2, missing=2, tokens=None)
    assert noted.lines == ["requests-0001.jsonl: the batch failed: no reason was given (None)"]


def test_where_all_fail_the_reason_is_an_error_and_the_way_is_free(folder: Path) -> None:
    export(folder, count=1)
    with FakeBatchApi(plans=[["failed"]]) as fake:
        with pytest.raises(TeacherError, match=r"made no batch of .*requests-0001\.jsonl"):
            submit(fake, folder)
        assert not (folder / "batches.json").exists()
        export(folder, count=2)
        assert len(submit(fake, folder)) == 1


def test_a_full_queue_is_waited_for(folder: Path, store: ReplyStore) -> None:
    assert export(folder, count=7) == 4
    with FakeBatchApi(queue=4) as fake:
        assert imported(submit(fake, folder), store, 7) == Imported(kept=7, tokens=None)
        assert sorted(fake.sent()) == sorted(set(fake.sent()))
        assert fake.calls["upload"] == 4


def test_a_queue_that_is_full_may_also_be_told_at_once(folder: Path, store: ReplyStore) -> None:
    export(folder)
    full = Fault(fails(429, "Enqueued token limit reached for m in organization o"))
    with FakeBatchApi() as fake:
        fake.faults["create"].extend([None, full])
        assert imported(submit(fake, folder), store).kept == 4
        assert fake.calls["create"] == 3
        assert len(fake.batches) == 2


def test_a_queue_that_is_full_of_others_ends_the_wait(folder: Path, store: ReplyStore) -> None:
    export(folder)
    with FakeBatchApi(queue=1) as fake:
        with pytest.raises(TeacherError, match=r"Enqueued token limit .* wait until other batches"):
            submit(fake, folder)
        fake.queue = None
        assert imported(submit(fake, folder), store).kept == 4


def test_a_lost_batch_is_found_among_many(folder: Path, store: ReplyStore) -> None:
    export(folder)
    with FakeBatchApi(page=2) as fake:
        export(folder / "other", count=6, lines=1)
        submit(fake, folder / "other")
        fake.faults["create"].append(Fault(fails(500), after=True))
        assert imported(submit(fake, folder), store).kept == 4
        assert len(fake.batches) == 8


@pytest.mark.parametrize("kind", ["file", "batch", "output", "error"])
@pytest.mark.parametrize("name", ["../../x", "/etc/passwd", "a b", "a?b", "a/../b", ".hidden", "", "x" * 201, "a\nb"])
def test_a_name_that_could_lead_elsewhere_is_not_used(folder: Path, kind: str, name: str) -> None:
    export(folder, count=1)
    with FakeBatchApi(
        lambda line: refused(line["custom_id"]) if kind == "error" else answered(line["custom_id"])
    ) as fake:
        fake.ids[kind] = name
        with pytest.raises(TeacherError, match="no answer of a Batch API"):
            submit(fake, folder)
    assert {path.name for path in folder.iterdir()} <= {"requests-0001.jsonl", "batches.json"}


def test_hostile_counts_do_not_move_the_bar_beyond_its_end(folder: Path) -> None:
    export(folder, count=2)
    noted = Noted()
    huge = {"id": "batch_0", "status": "in_progress", "request_counts": {"completed": 10**30, "failed": -5}}
    with FakeBatchApi() as fake:
        fake.faults["look"].extend(
            [
                Fault(Act(body=json.dumps({**huge, "request_counts": {"completed": 10**9}}).encode())),
                Fault(Act(body=json.dumps({**huge, "request_counts": {"completed": -9}}).encode())),
                Fault(Act(body=json.dumps(huge).encode())),
            ]
        )
        submit(fake, folder, noted, max_attempts=9)
    assert noted.steps == 2


def test_a_download_is_bounded_and_whole_or_not_there(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    export(folder, count=2)
    monkeypatch.setattr("understudy.teacher.batch.api._LARGEST_OUTPUT", 100)
    with FakeBatchApi() as fake, pytest.raises(TeacherError, match="more than 100 bytes came"):
        submit(fake, folder)
    assert sorted(path.name for path in folder.iterdir()) == ["batches.json", "requests-0001.jsonl"]


def test_a_file_that_was_changed_under_way_is_an_error(folder: Path) -> None:
    export(folder)
    with FakeBatchApi() as fake:
        fake.faults["look"].extend([Fault(fails(500))] * 3)
        with pytest.raises(TeacherError):
            submit(fake, folder)
        export(folder, count=1)
        with pytest.raises(DataError, match=r"requests-0001\.jsonl: another file than the one that was sent"):
            submit(fake, folder)


def test_batches_are_taken_up_at_their_own_endpoint_only(folder: Path) -> None:
    export(folder)
    with FakeBatchApi() as fake:
        submit(fake, folder)
        with pytest.raises(TeacherError, match=r"batches\.json: its batches were sent to .*, not to http://other"):
            submit(fake, folder, base_url="http://other/v1")


@pytest.mark.parametrize(
    "change",
    [
        lambda sent: sent.update(file="../../secret.txt"),
        lambda sent: sent.update(batch_id="../models"),
        lambda sent: sent.update(stage="lost"),
        lambda sent: sent.pop("digest"),
    ],
)
def test_a_state_that_was_tampered_with_is_an_error(folder: Path, change: Callable[[Any], Any]) -> None:
    export(folder)
    with FakeBatchApi() as fake:
        submit(fake, folder)
        known = state(folder)
        change(known["submissions"][0])
        (folder / "batches.json").write_text(json.dumps(known))
        with pytest.raises(DataError, match=r"batches\.json: submissions\.0\."):
            submit(fake, folder)
        (folder / "batches.json").write_text('{"end')
        with pytest.raises(DataError, match=r"batches\.json: not JSON"):
            submit(fake, folder)


def test_it_works_where_an_event_loop_runs_already(folder: Path) -> None:
    export(folder)

    async def notebook(fake: FakeBatchApi) -> list[Path]:
        return submit(fake, folder)

    with FakeBatchApi() as fake:
        assert len(asyncio.run(notebook(fake))) == 2


def test_rounds_go_on_to_corrections_until_nothing_is_missing(folder: Path, store: ReplyStore) -> None:
    def reply(line: Line) -> Line:
        if "law" in line["body"]["messages"][1]["content"] and len(line["body"]["messages"]) == 2:
            return answered(line["custom_id"], "what?")
        return answered(line["custom_id"])

    by, texts = teacher(store, None), rows("goal", "law 1", "law 2")

    def asked() -> Iterator[Any]:
        return chain.from_iterable(found for _, found in by.questions(texts))

    def one_round(fake: FakeBatchApi) -> Imported:
        outstanding = chain.from_iterable(found for _, found in by.interview.outstanding(by.questions(texts)))
        return batch_round(outstanding, asked(), store, folder, quick(fake), Dialect(), Ledger(), Noted(), poll=0.001)

    with FakeBatchApi(reply) as fake:
        assert [one_round(fake).missing for _ in range(3)] == [2, 0, 0]
        assert [len(batch.lines) for batch in fake.batches] == [3, 2]
    assert [answer.target for answer in by.annotate(texts, Noted(), 3)] == ["sport"] * 3
