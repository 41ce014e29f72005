"""What every registered task keeps to. A new task gets one line in `SAMPLES`."""

import json
import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.tasks.support import texts_of
from understudy import registry, words
from understudy.errors import DataError, ParseError
from understudy.example import Span, Target, target_to_json
from understudy.tasks.task import Task

TEXT = "A text\nwith {{ braces }}."
SAMPLES: dict[str, tuple[dict[str, Any], list[Target]]] = {
    "classification": ({"labels": {"größe": "how big", "b": ""}}, ["größe", "b"]),
    "ner": (
        {"types": {"größe": "how big", "b": ""}},
        [(Span(2, 6, "größe"),), (), (Span(2, 6, "b"), Span(15, 21, "größe"))],
    ),
    "summarization": ({}, ["The text\nholds two braces.", "Größer und schöner: A Text."]),
    "text2text": (
        {"instruction": "Say it {{ again }}."},
        ["The text\nholds two braces.", "Τα κείμενα έχουν άγκιστρα."],
    ),
}
"""Settings, and different targets that the text could have, for each task."""

each_task = pytest.mark.parametrize("name", registry.names("task"))

_keys = st.sampled_from(
    ["label", "entities", "text", "type", "start", "end", "summary", "output", "reasoning", "", "x"]
)
_json = st.recursive(
    st.none() | st.booleans() | st.integers(-1, 30) | st.floats() | st.text() | st.sampled_from(["b", "text", "e"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_keys, inner, max_size=3),
    max_leaves=8,
)
_replies = st.text() | _json.map(json.dumps) | st.tuples(_json.map(json.dumps), st.text(max_size=3)).map("".join)


def sample(name: str) -> tuple[Task, list[Target]]:
    given_settings, targets = SAMPLES[name]
    return registry.build("task", name, given_settings), targets


@each_task
def test_a_rendered_target_is_parsed_and_read_back(name: str) -> None:
    task, targets = sample(name)
    assert [task.parse(task.render(target, TEXT), TEXT) for target in targets] == targets
    assert [task.read(target_to_json(target), TEXT) for target in targets] == targets


@each_task
def test_the_messages_hold_the_text_as_it_is(name: str) -> None:
    task, _ = sample(name)
    messages = task.messages(TEXT)
    assert all(set(message) == {"role", "content"} for message in messages)
    assert messages[-1]["role"] == "user"
    assert TEXT in messages[-1]["content"]
    assert task.messages(TEXT) == messages


@each_task
def test_the_reply_schema_is_json_and_names_what_render_writes(name: str) -> None:
    task, targets = sample(name)
    schema = task.reply_schema.schema
    assert json.loads(json.dumps(schema)) == schema
    assert task.reply_schema.name
    for target in targets:
        assert set(json.loads(task.render(target, TEXT))) == set(schema["required"])


@each_task
@given(st.data())
def test_scores_lie_between_nothing_and_all(name: str, data: st.DataObject) -> None:
    task, targets = sample(name)
    gold = data.draw(st.lists(st.sampled_from(targets), min_size=1, max_size=20))
    answers = st.none() | st.sampled_from(targets) | st.text()
    predicted = data.draw(st.lists(answers, min_size=len(gold), max_size=len(gold)))
    texts = texts_of(gold)
    scores = task.tally(gold, predicted, texts).scores()
    assert task.headline in scores
    assert task.diagnostic <= scores.keys() - {task.headline}
    assert all(0 <= score <= 1 for metric, score in scores.items() if metric not in task.diagnostic)
    assert all(scores[metric] >= 0 or math.isnan(scores[metric]) for metric in task.diagnostic)
    assert task.tally(gold, predicted, texts).items.shape[0] == len(gold)
    details = task.details(gold, predicted, texts)
    assert json.loads(json.dumps(details, allow_nan=False)) == details


@each_task
def test_perfect_answers_score_one_and_no_answers_nothing(name: str) -> None:
    task, targets = sample(name)
    perfect = task.tally(targets, targets, texts_of(targets)).scores()
    assert {score for metric, score in perfect.items() if metric not in task.diagnostic} == {1.0}
    assert task.tally(targets, [None] * len(targets), texts_of(targets)).scores()[task.headline] == 0.0
    right_but_one = task.tally(targets, [*targets[:-1], None], texts_of(targets)).scores()[task.headline]
    assert 0 < right_but_one < 1


@each_task
def test_every_metric_has_a_name_and_a_meaning_for_people(name: str) -> None:
    task, targets = sample(name)
    for metric in task.tally(targets, targets, texts_of(targets)).scores():
        assert words.metric(metric).meaning
        assert "_" not in words.metric(metric).name


@each_task
def test_its_settings_build_an_equal_task(name: str) -> None:
    task, targets = sample(name)
    checked = registry.signature("task", name).model_validate(json.loads(json.dumps(registry.settings(task))))
    again = registry.build("task", name, checked.model_dump())
    assert registry.settings(again) == registry.settings(task)
    assert again.messages(TEXT) == task.messages(TEXT)
    assert again.reply_schema == task.reply_schema
    scores = again.tally(targets, targets, texts_of(targets)).scores()
    assert scores == pytest.approx(task.tally(targets, targets, texts_of(targets)).scores(), abs=0, nan_ok=True)


@each_task
@settings(max_examples=200)
@given(st.data())
def test_a_hostile_reply_is_a_parse_error_or_a_target(name: str, data: st.DataObject) -> None:
    task, _ = sample(name)
    reply = data.draw(_replies)
    try:
        target = task.parse(reply, TEXT)
    except ParseError:
        return
    assert task.parse(task.render(target, TEXT), TEXT) == target


@each_task
@given(_json)
def test_a_hostile_cell_is_a_data_error_or_a_target(name: str, value: Any) -> None:
    task, _ = sample(name)
    try:
        target = task.read(value, TEXT)
    except DataError:
        return
    assert task.read(target_to_json(target), TEXT) == target


@each_task
@given(st.data())
def test_answers_that_agree_are_their_own_consensus(name: str, data: st.DataObject) -> None:
    task, targets = sample(name)
    answers = data.draw(st.lists(st.sampled_from(targets), min_size=1, max_size=7))
    target, agreement = task.consensus(answers)
    assert task.read(target_to_json(target), TEXT) == target
    assert 0 <= agreement <= 1
    assert (agreement == 1) == (len(set(answers)) == 1)
    if len(set(answers)) == 1:
        assert target == answers[0]


@each_task
def test_a_prompt_of_ones_own_may_ask_for_reasoning(name: str) -> None:
    task = registry.build("task", name, {**SAMPLES[name][0], "prompt": {"user": "{{ text }}", "reasoning": True}})
    schema = task.reply_schema.schema
    assert next(iter(schema["properties"])) == schema["required"][0] == "reasoning"
    for target in SAMPLES[name][1]:
        reply = {"reasoning": "Step by step.", **json.loads(task.render(target, TEXT))}
        assert set(reply) == set(schema["required"])
        assert task.parse(json.dumps(reply), TEXT) == target


def test_every_task_is_sampled() -> None:
    assert list(SAMPLES) == registry.names("task")
