from pathlib import Path
from typing import Any

import pytest

from understudy.mistakes import validated
from understudy.recipe.sections import Generation
from understudy.tasks.classification import Classification
from understudy.tasks.ner import NER
from understudy.tasks.summarization import Summarization
from understudy.tasks.task import Task

LABELS = Classification(labels=["a", "b"])
GOLD = Path("gold.jsonl")


def section(**keys: Any) -> Generation:
    return Generation.model_validate({"from": "targets", **keys})


def mistakes(**keys: Any) -> list[str]:
    problems: list[str] = []
    validated(Generation, {"from": "targets", **keys}, "generate", problems)
    return problems


def test_a_section_is_sound() -> None:
    attributes = {"length": ["short", "long"], "subtopic": None}
    found = section(**{"from": "attributes"}, count=100, attributes=attributes, texts_per_request=3)
    assert found.from_ == "attributes"
    assert found.attributes == attributes
    assert found.requests == 34
    assert found.inconsistencies(LABELS, None) == []
    assert section().requests is None


@pytest.mark.parametrize(
    ("keys", "mistake"),
    [
        ({"from": "nothing"}, "generate.from: input should be 'targets' or 'attributes' (found 'nothing')"),
        ({"count": 0}, "generate.count: input should be greater than 0 (found 0)"),
        ({"texts_per_request": 51}, "generate.texts_per_request: input should be less than or equal to 50 (found 51)"),
        ({"temperature": 2.1}, "generate.temperature: input should be less than or equal to 2 (found 2.1)"),
        ({"self_check": True}, "generate.self_check: input should be 'drop' or 'correct' (found True)"),
        ({"attributes": {"length": []}}, "generate.attributes.length: list should have at least 1 item"),
        ({"attributes": {"length": [1]}}, "generate.attributes.length.0: expected text (found 1; put it in quotes)"),
        ({"attributes": ["length"]}, "generate.attributes: expected a mapping (key: value)"),
        ({"cuont": 3}, "generate.cuont: unknown key; did you mean 'count'?"),
    ],
)
def test_a_key_out_of_range_is_named(keys: dict[str, Any], mistake: str) -> None:
    [found] = mistakes(**keys)
    assert found.startswith(mistake)


@pytest.mark.parametrize("phrase", ["", " ", "two\nlines", "x" * 201])
def test_a_value_is_one_short_line(phrase: str) -> None:
    assert mistakes(attributes={"length": [phrase]})
    assert mistakes(attributes={phrase: ["short"]})


@pytest.mark.parametrize(
    ("task", "keys", "gold", "mistake"),
    [
        (LABELS, {}, GOLD, "generate.count: missing"),
        (LABELS, {"from": "attributes"}, GOLD, "generate.count: missing"),
        (Summarization(), {}, None, "generate.targets: missing, and without data.gold there are no others"),
        (NER(types=["PER"]), {"from": "attributes", "count": 9}, GOLD, "generate.description: missing"),
        (
            Summarization(),
            {"from": "attributes", "count": 9, "description": "Letters.", "attributes": {}},
            GOLD,
            "generate.attributes: none, and no labels",
        ),
        (LABELS, {"from": "attributes", "count": 9, "targets": "wanted.csv"}, GOLD, "generate.targets: not read"),
        (Summarization(), {"self_check": "drop"}, GOLD, "generate.self_check: two answers in free text"),
        (LABELS, {"count": 9, "prompt": "generate-from-lable.v1"}, GOLD, "generate.prompt: unknown prompt"),
        (LABELS, {"count": 9, "prompt": {"system": "Write."}}, GOLD, "generate.prompt: prompt: user is missing"),
    ],
)
def test_keys_that_do_not_go_together_are_told(
    task: Task, keys: dict[str, Any], gold: Path | None, mistake: str
) -> None:
    [found] = section(**keys).inconsistencies(task, gold)
    assert found.startswith(mistake)


@pytest.mark.parametrize(
    ("task", "keys", "gold"),
    [
        (LABELS, {"count": 9}, None),
        (LABELS, {"targets": "wanted.csv"}, None),
        (LABELS, {"count": 9, "self_check": "drop"}, None),
        (Summarization(), {"self_check": "correct"}, GOLD),
        (NER(types=["PER"]), {"self_check": "drop"}, GOLD),
        (Summarization(), {"from": "attributes", "count": 9, "description": "Letters."}, None),
    ],
)
def test_keys_that_go_together_are_no_mistake(task: Task, keys: dict[str, Any], gold: Path | None) -> None:
    assert section(**keys).inconsistencies(task, gold) == []
