from pathlib import Path
from typing import Any

import pytest
import yaml

import understudy as us
from tests.newswire import recorded_labels, rows, stamps, write_highlights, write_recipe, write_rows, write_slice
from tests.stages.support import Desk
from tests.teacher.fake_endpoint import FakeEndpoint, label
from understudy import pipeline
from understudy.errors import DataError, Problems, RecipeError, TeacherError
from understudy.stages.plan import Plan
from understudy.teacher.cost.ledger import Budget

OPENAI = {"replies": None, "model": "gpt-4.1-mini", "base_url": "https://api.openai.com/v1"}


def planned(folder: Path, **teacher: Any) -> Plan:
    return us.check(write_recipe(folder, seeds=1, teacher={**OPENAI, **teacher}), folder / "run")


def tokenizer(folder: Path) -> str:
    """The file of one to which every word is a token."""
    from tokenizers import Tokenizer, models, pre_tokenizers

    words = Tokenizer(models.WordLevel({"[UNK]": 0}, unk_token="[UNK]"))
    words.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    words.save(str(folder / "words.json"))
    return str(folder / "words.json")


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


def test_gold_that_would_be_left_out_is_told_apart(tmp_path: Path) -> None:
    path = write_slice(tmp_path, per_desk=2, pool=24, data={"repeats": "leave_out"})
    leaked = {**rows(tmp_path / "test.jsonl")[0], "id": "leak"}
    write_rows(tmp_path / "gold.jsonl", [*rows(tmp_path / "gold.jsonl"), leaked])
    found = us.check(path, tmp_path / "run")
    assert (found.rows["gold"], found.left_out) == (24, {"stands in test": 1})


def test_what_of_the_pool_is_passed_over_is_counted_by_the_reason(tmp_path: Path) -> None:
    path = write_slice(tmp_path, per_desk=2, pool=24)
    pool, test = rows(tmp_path / "pool.jsonl"), rows(tmp_path / "test.jsonl")
    added = [pool[0]["text"], pool[1]["text"] + "!", pool[2]["text"] + "?", "x" * 5000, test[0]["text"]]
    write_rows(tmp_path / "pool.jsonl", [*pool, *({"id": f"n{n}", "text": text} for n, text in enumerate(added))])
    found = us.check(path, tmp_path / "run")
    assert found.passed_over == {"near-duplicate": 2, "too long": 1, "duplicate": 1, "stands in test": 1}
    assert (found.skipped, found.forecast.rows) == (5, 48)


def test_labels_of_which_there_is_little_gold_are_named(tmp_path: Path) -> None:
    path = write_slice(tmp_path, per_desk=10, pool=1)
    assert us.check(path, tmp_path / "run").oddities == []
    gold = rows(tmp_path / "gold.jsonl")
    write_rows(tmp_path / "gold.jsonl", [row for row in gold if row["desk"] != "sport"][1:])
    [few] = us.check(path, tmp_path / "run").oddities
    assert few.startswith("gold has few of ")
    assert ("sport 0" in few, f"{gold[0]['desk']} 9" in few, few.count(",")) == (True, True, 1)
    write_rows(tmp_path / "gold.jsonl", gold[:1])
    [many] = us.check(path, tmp_path / "run").oddities
    assert "and 4 more; ten or more" in many
    (tmp_path / "gold.jsonl").unlink()
    without = write_recipe(tmp_path, data={"gold": None}, mixtures=["distilled"])
    without.write_text(without.read_text().replace("  gold: null\n", ""))
    assert us.check(without, tmp_path / "run").oddities == []


def dates(folder: Path, *students: str, target: str = "2021-05-{:02}") -> Path:
    """A recipe that has dates written as ISO does."""
    for name in ("gold", "pool", "test"):
        texts = [f"The {name} came. It was {day} May 2021." for day in range(1, 13)]
        write_rows(
            folder / f"{name}.jsonl",
            [{"id": f"{name}{n}", "text": text, "target": target.format(n + 1)} for n, text in enumerate(texts)],
        )
    path = write_recipe(folder, teacher=OPENAI, students=dict.fromkeys(students))
    recipe = yaml.safe_load(path.read_text())
    recipe["task"] = {"type": "text2text", "instruction": "Write the date as ISO 8601."}
    recipe["data"]["columns"] = {"target": "target"}
    path.write_text(yaml.safe_dump(recipe))
    return path


def test_students_that_can_only_copy_what_does_not_stand_in_the_texts_are_told(tmp_path: Path) -> None:
    [said] = us.check(dates(tmp_path, "lead", "linear"), tmp_path / "run").oddities
    assert said == (
        "0 of 24 targets are made of sentences of their texts, and the students (lead, linear) only ever copy such; "
        "add one that writes (lstm, t5, bart)"
    )
    assert us.check(dates(tmp_path, "linear", "lstm"), tmp_path / "run").oddities == []
    assert us.check(dates(tmp_path, "linear", target="It was {} May 2021."), tmp_path / "run").oddities == []
    assert us.check(write_highlights(tmp_path, {"linear": None}), tmp_path / "run").oddities == []


def test_a_control_is_planned_once_and_alone_is_nothing_to_choose(tmp_path: Path) -> None:
    beside = write_highlights(tmp_path, {"lead": None, "linear": None})
    assert us.check(beside, tmp_path / "run").arms == {"lead/gold": 1, "linear/gold": 2, "linear/distilled": 2}
    with pytest.raises(RecipeError, match="students: none but a control; expected one at the least"):
        us.check(write_highlights(tmp_path, {"lead": None}), tmp_path / "run")


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
    rough, counted = planned(small.parent), planned(small.parent, tokenizer=tokenizer(small.parent))
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
    assert plan.left == Budget(4.952, 10**7 - 48 * 105)
    assert plan.attempt is not None
    assert (plan.attempt.input > 100, plan.attempt.output) == (True, 2048)
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


def written(folder: Path, fake: FakeEndpoint, *, votes: int = 1, **generate: Any) -> Path:
    """A recipe whose teacher writes a text for each label twice, and reads them again."""
    live = {**OPENAI, "base_url": fake.base_url, "concurrency": 1}
    section = {"from": "targets", "count": 24, "self_check": "correct", **generate}
    return write_recipe(folder, seeds=1, teacher=live, generate=section, annotate={"votes": votes})


@pytest.mark.parametrize("generate", [{}, {"texts_per_request": 2}, {"from": "attributes", "description": "Articles."}])
def test_what_is_planned_for_writing_and_checking_is_what_is_asked(small: Path, generate: dict[str, Any]) -> None:
    desk = Desk(texts=generate.get("texts_per_request", 1))
    with FakeEndpoint(respond=desk) as fake:
        path = written(small.parent, fake, votes=3, **generate)
        plan = us.check(path, small.parent / "run")
        assert plan.writing is not None
        assert plan.checking is not None
        assert (plan.writing.to_ask, plan.checking.rows) == (12 if desk.texts == 2 else 24, 24)
        assert plan.checking.to_ask == 3 * 24
        pipeline.teach_only(path, small.parent / "run")
        proposals = 1 + 12 if "from" in generate else 0
        assert len(fake.requests) == proposals + plan.to_ask
        after = us.check(path, small.parent / "run")
        assert (after.to_ask, after.tokens.total) == (0, 0)


def test_some_texts_that_are_written_and_some_that_are_not_are_planned_alike(small: Path) -> None:
    desk, folder = Desk(), small.parent
    with FakeEndpoint(respond=desk) as fake:
        pipeline.teach_only(written(folder, fake, count=12), folder / "run")
        plan = us.check(written(folder, fake, count=24), folder / "run")
    assert plan.writing is not None
    assert plan.checking is not None
    assert (plan.writing.cached, plan.writing.to_ask) == (12, 12)
    assert (plan.checking.cached, plan.checking.to_ask) == (12, 12)
    assert plan.checking.tokens.input > 12 * 200


def test_the_tokenizer_counts_what_is_read_for_writing_too(small: Path) -> None:
    with FakeEndpoint() as fake:
        rough = us.check(written(small.parent, fake)).writing
        recipe = small.parent / "recipe.yaml"
        recipe.write_text(recipe.read_text().replace("teacher:", f"teacher:\n  tokenizer: {tokenizer(small.parent)}"))
        counted = us.check(recipe).writing
    assert rough is not None
    assert counted is not None
    assert (rough.estimated, counted.estimated) == (True, False)
    assert 0 < counted.tokens.input < rough.tokens.input
