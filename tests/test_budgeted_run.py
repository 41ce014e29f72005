"""A recipe's budget ends the asking and loses nothing; what is asked is bounded over all runs of a folder."""

from pathlib import Path
from typing import Any

import pytest

import understudy as us
from tests.newswire import recorded_labels, rows, write_recipe
from tests.teacher.fake_endpoint import FakeEndpoint, label
from tests.teacher.support import Noted
from understudy.errors import TeacherError
from understudy.run_folder import RunFolder
from understudy.teacher.cost.ledger import BudgetReached

ENOUGH_FOR_SOME = 6_500
"""Tokens for all test texts and a part of the pool: 105 are used each time, and about 2,500 reserved."""


@pytest.fixture
def by_text(small: Path) -> dict[str, str]:
    named = recorded_labels()
    texts = [*rows(small.parent / "pool.jsonl"), *rows(small.parent / "test.jsonl")]
    return {row["text"]: named[row["id"]] for row in texts}


def budgeted(folder: Path, fake: FakeEndpoint, budget: dict[str, Any], **teacher: Any) -> Path:
    live = {"replies": None, "base_url": fake.base_url, "concurrency": 1, "max_tokens": 50, "budget": budget}
    return write_recipe(folder, seeds=1, teacher={**live, **teacher})


def test_a_run_stops_at_its_budget_and_a_higher_one_asks_only_for_the_rest(
    small: Path, by_text: dict[str, str]
) -> None:
    folder = small.parent
    with FakeEndpoint(respond=lambda text: label(by_text[text])) as fake:
        recipe = budgeted(folder, fake, {"tokens": ENOUGH_FOR_SOME})
        for _ in range(2):
            with pytest.raises(BudgetReached, match=r"6,500 tokens is reached.*raise teacher\.budget.*run again"):
                us.run(recipe, folder / "run")
        asked = len(fake.requests)
        assert 24 < asked < 48
        assert len(rows(folder / "replies.jsonl")) == asked
        assert 105 * asked <= ENOUGH_FOR_SOME

        done = us.run(budgeted(folder, fake, {"tokens": 10 * ENOUGH_FOR_SOME}), folder / "run")
        assert sorted(fake.texts()) == sorted(by_text)
        assert done.scores["data"]["distilled"] == 24
        assert not us.run(recipe, folder / "run").worked
    assert len(rows(RunFolder(folder / "run").taught)) == 48


def test_a_run_may_train_on_what_the_budget_paid_for(small: Path, by_text: dict[str, str]) -> None:
    folder, told = small.parent, Noted()
    with FakeEndpoint(respond=lambda text: label(by_text[text])) as fake:
        recipe = budgeted(folder, fake, {"tokens": ENOUGH_FOR_SOME, "then": "train"})
        done = us.run(recipe, folder / "run", told)
        answered = len(fake.requests) - 24
        assert done.scores["data"]["distilled"] == answered > 0
        assert any(f"The budget left {24 - answered} texts unanswered" in line for line in told.lines)
        [(reason, count)] = done.scores["data"]["rejected"].items()
        assert reason.startswith("the budget of 6,500 tokens is reached")
        assert count == 24 - answered

        done = us.run(budgeted(folder, fake, {"usd": 1.0}, price={"input": 1.0, "output": 1.0}), folder / "run")
        assert sorted(fake.texts()) == sorted(by_text)
    assert done.scores["data"]["distilled"] == 24


def test_a_budget_too_small_for_the_test_set_leaves_nothing_to_compare(small: Path, by_text: dict[str, str]) -> None:
    with FakeEndpoint(respond=lambda text: label(by_text[text])) as fake:
        recipe = budgeted(small.parent, fake, {"tokens": 3_500, "then": "train"})
        with pytest.raises(
            TeacherError, match=r"has not answered \d+ of 24 test texts .*budget of 3,500 tokens.*raise teacher\.budget"
        ):
            us.run(recipe, small.parent / "run")
        assert 0 < len(fake.requests) < 24


def test_a_budget_in_usd_without_a_price_is_told_before_anything_is_asked(small: Path) -> None:
    with FakeEndpoint() as fake:
        recipe = budgeted(small.parent, fake, {"usd": 1.0})
        for work in (us.check, us.run):
            with pytest.raises(TeacherError, match=r"a budget in USD needs a price .* set teacher\.price"):
                work(recipe)
        assert fake.requests == []


def test_another_run_has_a_budget_of_its_own_but_pays_nothing_twice(small: Path, by_text: dict[str, str]) -> None:
    folder = small.parent
    with FakeEndpoint(respond=lambda text: label(by_text[text])) as fake:
        recipe = budgeted(folder, fake, {"tokens": ENOUGH_FOR_SOME, "then": "train"})
        us.run(recipe, folder / "one")
        done = us.run(recipe, folder / "another")
        assert sorted(fake.texts()) == sorted(by_text)
    assert done.scores["data"]["distilled"] == 24
