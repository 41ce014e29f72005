"""The promise of a budget, kept against a server that counts for itself what it has charged."""

import json
import random
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.teacher.fake_endpoint import Act, FakeEndpoint, answers, fails, label
from tests.teacher.support import TASK, Noted, annotate, body, interview, rows
from tests.teacher.teaching_process import start
from understudy.errors import TeacherError
from understudy.example import Example
from understudy.teacher.cost.ledger import Budget, Ledger, worst_case
from understudy.teacher.cost.spending import Price, Tokens, cost_usd
from understudy.teacher.endpoint.endpoint import Endpoint
from understudy.teacher.replies.store import ReplyStore
from understudy.teacher.request import content_key
from understudy.teacher.teacher import Teacher

MAX_TOKENS = 60
TEXTS = [f"text {number}" for number in range(500)]
PRICE = Price(input=1.0, output=20.0)
SETTINGS: dict[str, Any] = {
    "concurrency": 100,
    "timeout": 60.0,
    "max_attempts": 4,
    "backoff": 0.001,
    "max_tokens": MAX_TOKENS,
    "structure": "json_schema",
}


class Till:
    """Answers as unreliably as a real endpoint, and sums up what it charges: every reply with status 200, even if it is
    lost on the way."""

    def __init__(self, seed: int) -> None:
        self.billed = Tokens(0, 0)
        self._random = random.Random(seed)

    def respond(self, text: str) -> Act:
        chance = self._random.random()
        if chance < 0.05:
            return fails(429, Retry_After="0.01")
        if chance < 0.1:
            return fails(500)
        if chance < 0.2 and not text.startswith("That reply"):
            return self._charged(answers('{"label": "sports"}', usage=self._usage()))
        if chance < 0.3:
            return self._charged(replace(answers('{"label": "sport"}', usage=self._usage()), torn=20))
        return self._charged(answers('{"label": "sport"}', usage=self._usage()))

    def _usage(self) -> tuple[int, int]:
        self._last = Tokens(self._random.randint(50, 400), self._random.randint(1, MAX_TOKENS))
        return self._last

    def _charged(self, act: Act) -> Act:
        self.billed = self.billed.plus(self._last)
        return act


def run(fake: FakeEndpoint, folder: Path, budget: Budget) -> tuple[list[Example], Ledger]:
    """Go on with the run in a folder: the same store, the same ledger."""
    ledger = Ledger(folder / "ledger", PRICE, budget)
    endpoint = Endpoint(base_url=fake.base_url, **SETTINGS)
    with ReplyStore(folder / "replies.jsonl") as store:
        by = Teacher(task=TASK, model="m", interview=interview(store, endpoint, ledger))
        return annotate(by, rows(*TEXTS)), ledger


def kept(folder: Path) -> set[bytes]:
    with ReplyStore(folder / "replies.jsonl") as store:
        return {bytes.fromhex(record["key"]) for record in store.records()}


def kill_after(requests: int, fake: FakeEndpoint, process: Any) -> None:
    end = time.monotonic() + 60
    while len(fake.requests) < requests and process.poll() is None and time.monotonic() < end:
        time.sleep(0.002)
    process.kill()
    process.wait()


@pytest.mark.parametrize("seed", range(3))
def test_what_the_server_charges_never_exceeds_the_budget_over_three_runs_one_of_them_killed(
    tmp_path: Path, seed: int
) -> None:
    most, till = 125_000, Till(seed)
    with FakeEndpoint(respond=till.respond) as fake:
        store, ledger_file = tmp_path / "replies.jsonl", tmp_path / "ledger"
        process = start(store, TEXTS, ledger_file, most, base_url=fake.base_url, **SETTINGS)
        kill_after(60, fake, process)
        assert len(fake.requests) >= 60

        for _ in range(2):
            done, ledger = run(fake, tmp_path, Budget(tokens=most))
            assert till.billed.total <= ledger.spent.total <= most
        open_rows = [row for row in done if row.meta.get("unanswered")]
        assert open_rows
        assert all(row.target == "sport" or row.meta["rejected"] for row in done)
        assert sum(row.target == "sport" for row in done) > 20

        before, asked = kept(tmp_path), len(fake.requests)
        done, ledger = run(fake, tmp_path, Budget(tokens=10_000_000))
        assert not before & {content_key(request) for request in fake.requests[asked:]}
        assert not any("budget" in row.meta.get("rejected", "") for row in done)
        assert till.billed.total <= ledger.spent.total
    assert sum(row.target == "sport" for row in done) > 470


def test_a_budget_in_usd_holds_as_well(tmp_path: Path) -> None:
    till, budget = Till(7), Budget(usd=0.06)
    with FakeEndpoint(respond=till.respond) as fake:
        for _ in range(2):
            done, ledger = run(fake, tmp_path, budget)
            assert (cost_usd(till.billed, PRICE) or 0) <= (ledger.spent_usd or 0) <= 0.06
    assert any("the budget of $0.06 is reached" in row.meta.get("rejected", "") for row in done)
    assert any(row.target == "sport" for row in done)


def test_usage_that_is_not_reported_is_reckoned_at_its_worst(tmp_path: Path) -> None:
    with FakeEndpoint(respond=lambda text: answers('{"label": "sport"}')) as fake:
        done, ledger = run(fake, tmp_path, Budget(tokens=20_000))
        sizes = sum(int(headers["Content-Length"]) + MAX_TOKENS for headers in fake.headers)
    assert 0 < sizes == ledger.spent.total <= 20_000
    assert 0 < sum(row.target is not None for row in done) < 500


LOST: dict[str, tuple[dict[str, Any], float, int]] = {
    "comes too late": ({"delay": 30.0}, 1.5, 2),
    "breaks off": ({"torn": 20}, 60.0, 2),
    "is half a JSON": ({"body": b'{"choices": ['}, 60.0, 2),
    "is too large": ({"body": b"x" * 5_000_000}, 60.0, 1),
}


@pytest.mark.parametrize(("lost", "timeout", "attempts"), LOST.values(), ids=LOST.keys())
def test_a_reply_that_was_charged_for_and_lost_counts_as_spent(
    tmp_path: Path, lost: dict[str, Any], timeout: float, attempts: int
) -> None:
    charged = answers('{"label": "sport"}')
    with FakeEndpoint(respond=lambda text: replace(charged, **lost)) as fake:
        endpoint = Endpoint(base_url=fake.base_url, **{**SETTINGS, "timeout": timeout, "max_attempts": 2})
        ledger = Ledger(tmp_path / "ledger", PRICE, Budget(tokens=5_000))
        by = interview(ReplyStore(tmp_path / "replies.jsonl"), endpoint, ledger)
        with pytest.raises(TeacherError):
            annotate(Teacher(task=TASK, model="m", interview=by), rows("text"))
    wire = {**body(TASK, "text"), "max_tokens": MAX_TOKENS}
    worst = worst_case(wire, json.dumps(wire).encode()).total
    assert ledger.spent.total == attempts * worst <= 5_000


def test_the_run_says_that_the_budget_ended_it_and_asks_nothing_more(tmp_path: Path) -> None:
    with FakeEndpoint() as fake:
        endpoint = Endpoint(base_url=fake.base_url, **{**SETTINGS, "concurrency": 1})
        asked = interview(ReplyStore(tmp_path / "replies.jsonl"), endpoint, Ledger(budget=Budget(tokens=1000)))
        by = Teacher(task=TASK, model="m", interview=asked)
        done = list(by.annotate(rows(*TEXTS), Noted(), len(TEXTS)))
        assert len(fake.requests) == sum(row.target is not None for row in done) < 10
    assert by.interview.budget_reached is not None
    assert {row.meta.get("rejected") for row in done} == {None, by.interview.budget_reached}


def test_a_monstrous_usage_is_no_usage(tmp_path: Path) -> None:
    with FakeEndpoint(label("sport"), answers('{"label": "sport"}', usage=(10**400, 1))) as fake:
        endpoint = Endpoint(base_url=fake.base_url, **{**SETTINGS, "concurrency": 1})
        ledger = Ledger(tmp_path / "ledger", PRICE, Budget(usd=1.0))
        by = Teacher(
            task=TASK, model="m", interview=interview(ReplyStore(tmp_path / "replies.jsonl"), endpoint, ledger)
        )
        done = annotate(by, rows("a", "b"))
        assert ledger.spent.input == 100 + int(fake.headers[1]["Content-Length"])
    assert [row.target for row in done] == ["sport", "sport"]
