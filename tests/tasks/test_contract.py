"""What every registered task keeps to. A new task gets one line in `SAMPLES`."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from understudy import registry
from understudy.errors import DataError, ParseError
from understudy.example import Target
from understudy.tasks.task import Task

SAMPLES: dict[str, tuple[dict[str, Any], str, list[Target]]] = {
    "classification": ({"labels": {"größe": "how big", "b": ""}}, "A text\nwith {{ braces }}.", ["größe", "b"]),
}
"""Settings, a text, and different targets that it could have, for each task."""

each_task = pytest.mark.parametrize("name", registry.names("task"))

_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(["label", "b"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["label", "", "x"]), inner, max_size=3),
    max_leaves=6,
)
_replies = st.text() | _json.map(json.dumps) | st.tuples(_json.map(json.dumps), st.text(max_size=3)).map("".join)


def sample(name: str) -> tuple[Task, str, list[Target]]:
    given_settings, text, targets = SAMPLES[name]
    return registry.build("task", name, given_settings), text, targets


@each_task
def test_a_rendered_target_is_parsed_and_read_back(name: str) -> None:
    task, text, targets = sample(name)
    assert [task.parse(task.render(target), text) for target in targets] == targets
    assert [task.read(target, text) for target in targets] == targets


@each_task
def test_the_messages_hold_the_text_as_it_is(name: str) -> None:
    task, text, _ = sample(name)
    messages = task.messages(text)
    assert all(set(message) == {"role", "content"} for message in messages)
    assert messages[-1]["role"] == "user"
    assert text in messages[-1]["content"]
    assert task.messages(text) == messages


@each_task
def test_the_reply_schema_is_json_and_names_what_render_writes(name: str) -> None:
    task, _, targets = sample(name)
    schema = task.reply_schema.schema
    assert json.loads(json.dumps(schema)) == schema
    assert task.reply_schema.name
    for target in targets:
        assert set(json.loads(task.render(target))) == set(schema["required"])


@each_task
@given(st.data())
def test_scores_lie_between_nothing_and_all(name: str, data: st.DataObject) -> None:
    task, _, targets = sample(name)
    gold = data.draw(st.lists(st.sampled_from(targets), min_size=1, max_size=20))
    answers = st.none() | st.sampled_from(targets) | st.text()
    predicted = data.draw(st.lists(answers, min_size=len(gold), max_size=len(gold)))
    scores = task.tally(gold, predicted).scores()
    assert task.headline in scores
    assert all(0 <= score <= 1 for score in scores.values())
    assert task.tally(gold, predicted).items.shape[0] == len(gold)
    details = task.details(gold, predicted)
    assert json.loads(json.dumps(details, allow_nan=False)) == details


@each_task
def test_perfect_answers_score_one_and_no_answers_nothing(name: str) -> None:
    task, _, targets = sample(name)
    assert set(task.tally(targets, targets).scores().values()) == {1.0}
    assert task.tally(targets, [None] * len(targets)).scores()[task.headline] == 0.0
    right_but_one = task.tally(targets, [*targets[:-1], None]).scores()[task.headline]
    assert 0 < right_but_one < 1


@each_task
def test_its_settings_build_an_equal_task(name: str) -> None:
    task, text, targets = sample(name)
    checked = registry.signature("task", name).model_validate(json.loads(json.dumps(registry.settings(task))))
    again = registry.build("task", name, checked.model_dump())
    assert registry.settings(again) == registry.settings(task)
    assert again.messages(text) == task.messages(text)
    assert again.reply_schema == task.reply_schema
    assert again.tally(targets, targets).scores() == task.tally(targets, targets).scores()


@each_task
@settings(max_examples=200)
@given(st.data())
def test_a_hostile_reply_is_a_parse_error_or_a_target(name: str, data: st.DataObject) -> None:
    task, text, _ = sample(name)
    reply = data.draw(_replies)
    try:
        target = task.parse(reply, text)
    except ParseError:
        return
    assert task.parse(task.render(target), text) == target


@each_task
@given(_json)
def test_a_hostile_cell_is_a_data_error_or_a_target(name: str, value: Any) -> None:
    task, text, _ = sample(name)
    try:
        target = task.read(value, text)
    except DataError:
        return
    assert task.parse(task.render(target), text) == target


def test_every_task_is_sampled() -> None:
    assert list(SAMPLES) == registry.names("task")
