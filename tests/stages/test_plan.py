from pathlib import Path
from typing import Any

import pytest

import understudy as us
from tests.newswire import recorded_labels, rows, stamps, write_recipe, write_rows
from tests.teacher.fake_endpoint import FakeEndpoint, label
from understudy import pipeline
from understudy.errors import DataError, Problems, TeacherError
from understudy.stages.plan import Plan
from understudy.teacher.cost.ledger import Budget

OPENAI = {"replies": None, "model": "gpt-4.1-mini", "base_url": "https://api.openai.com/v1"}


def planned(folder: Path, **teacher: Any) -> Plan:
    return us.check(write_recipe(folder, seeds=1, teacher={**OPENAI, **teacher}), folder / "run")


def test_a_plan_spends_nothing_and_writes_nothing(small: Path) -> None:
    folder = small.parent
    with FakeEndpoint() as fake:
        recipe = write_recipe(folder, teacher={**OPENAI, "base_url": fake.base_url})
        before = stamps(folder)
        plan = us.check(recipe, folder / "run")
        assert fake.requests == []
    assert stamps(folder) == before
    assert sorted(path.name for path in folder.iterdir()) == sorted(before)
    assert plan.rows == {"gold": 24, "pool": 24, "test": 24}
    assert (plan.to_ask, plan.skipped) == (48, 0)


def test_the_cost_goes_by_the_recipes_price_then_by_the_providers_list(small: Path) -> None:
    listed = planned(small.parent)
    assert listed.price_source == "OpenAI's price list, March 2026"
    assert listed.price is not None
    assert listed.cost_usd == pytest.approx((listed.tokens.input * 0.4 + listed.tokens.output * 1.6) / 1e6)
    own = planned(small.parent, price={"input": 100.0, "output": 0.0})
    assert own.price_source is None
    assert own.cost_usd == pytest.approx(own.tokens.input * 1e-4)


def test_where_no_price_is_known_no_cost_is_made_up(small: Path) -> None:
    plan = planned(small.parent, base_url="http://localhost:1/v1")
    assert (plan.price, plan.price_source, plan.cost_usd) == (None, None, None)
    assert plan.tokens.input > 0


def test_a_recording_costs_nothing(small: Path) -> None:
    plan = us.check(small)
    assert (plan.to_ask, plan.tokens.total, plan.forecast.cached) == (0, 0, 48)


def test_tokens_are_counted_where_there_is_a_tokenizer(small: Path) -> None:
    from tokenizers import Tokenizer, models, pre_tokenizers

    words = Tokenizer(models.WordLevel({"[UNK]": 0}, unk_token="[UNK]"))
    words.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    words.save(str(small.parent / "words.json"))
    rough, counted = planned(small.parent), planned(small.parent, tokenizer=str(small.parent / "words.json"))
    assert (rough.forecast.estimated, counted.forecast.estimated) == (True, False)
    assert 0 < counted.tokens.input < rough.tokens.input
    with pytest.raises(TeacherError, match=r"teacher\.tokenizer .* cannot be loaded"):
        planned(small.parent, tokenizer=str(small.parent / "gold.jsonl"))


def test_a_plan_tells_what_of_the_budget_is_spent_and_what_is_left_to_ask(small: Path) -> None:
    folder, by_id = small.parent, recorded_labels()
    texts = [*rows(folder / "pool.jsonl"), *rows(folder / "test.jsonl")]
    by_text = {row["text"]: by_id[row["id"]] for row in texts}
    with FakeEndpoint(respond=lambda text: label(by_text[text])) as fake:
        live = {
            "base_url": fake.base_url,
            "price": {"input": 10.0, "output": 0.0},
            "budget": {"usd": 5.0, "tokens": 10**7},
        }
        assert planned(folder, **live).spent_usd == 0
        pipeline.teach_only(folder / "recipe.yaml", folder / "run")
        write_rows(folder / "pool.jsonl", [*rows(folder / "pool.jsonl"), {"id": "new", "text": "One more."}])
        plan = planned(folder, **live)
    assert plan.budget == Budget(5.0, 10**7)
    assert plan.spent_usd == pytest.approx(48 * 100 * 10 / 1e6)
    assert (plan.forecast.rows, plan.forecast.cached, plan.to_ask) == (49, 48, 1)


def test_all_that_is_wrong_is_told_together(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ABSENT_KEY", raising=False)
    write_rows(small.parent / "pool.jsonl", [{"id": "p", "body": "no text"}])
    with pytest.raises(Problems) as caught:
        planned(small.parent, api_key_env="ABSENT_KEY")
    first, *others = str(caught.value).splitlines()
    assert first == "2 problems"
    assert any("environment variable ABSENT_KEY is not set" in line for line in others)
    assert any("pool.jsonl:1" in line for line in others)


def test_a_single_problem_is_told_as_itself(small: Path) -> None:
    (small.parent / "test.jsonl").unlink()
    with pytest.raises(DataError, match=r"test\.jsonl: cannot be read"):
        planned(small.parent)
