import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.errors import ParseError
from understudy.tasks.reply import read_object, reasoning

FORM = '{"label": ...}'

_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def read(reply: str) -> dict[str, Any]:
    return read_object(reply, ["label"], FORM)


def refusal(reply: str) -> str:
    with pytest.raises(ParseError) as error:
        read(reply)
    return str(error.value)


@given(_values, st.none() | st.text(), st.sampled_from(["", " ", "\n\t\r "]))
def test_an_object_with_its_key_and_perhaps_reasoning_is_read_as_it_is(value: Any, why: str | None, space: str) -> None:
    written = {"label": value} if why is None else {"reasoning": why, "label": value}
    assert read(space + json.dumps(written) + space) == written


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        ("", "empty"),
        (" \n", "empty"),
        ('<think>It is about {"label": "b"}.', "cut off before its thoughts had ended"),
        ('<think>a</think><think>b</think>{"label": "a"}', "something before the JSON object"),
        ('```json\n{"label": "a"}\n```', "wrapped in a Markdown fence"),
        ('Sure! {"label": "a"}', "something before the JSON object"),
        ("The label is a.", "not JSON"),
        ('{"label": "a"} I hope this helps.', "something after the JSON object"),
        ('{"label": "a"}{"label": "b"}', "something after the JSON object"),
        ('12 {"label": "a"}', "something before the JSON object"),
        ("{", "cut off in the middle"),
        ('{"label', "cut off in the middle"),
        ('{"label":', "cut off in the middle"),
        ('{"label": "a', "cut off in the middle"),
        ('{"label": "a"', "cut off in the middle"),
        ('{"label": ["a", ', "cut off in the middle"),
        ("{'label': 'a'}", "not JSON (expecting property name enclosed in double quotes"),
        ('{"label": "a",}', "not JSON ("),
        ('{"label": "a\nb"}', "not JSON (invalid control character at"),
        ('{"label": a}', "not JSON (expecting value at character 10)"),
        ('{"label": ' + "[" * 100_000, "not JSON (nested too deeply)"),
        ('{"label": ' + "9" * 5_000 + "}", "not JSON (a number too long)"),
        ('{"label": NaN}', "not JSON (NaN is no value in it)"),
        ('{"label": [-Infinity]}', "not JSON (-Infinity is no value in it)"),
        ('["label"]', "a JSON list instead of an object"),
        ('"label"', "a JSON string instead of an object"),
        ("true", "a JSON true or false instead of an object"),
        ("null", "a JSON null instead of an object"),
        ("7", "a JSON number instead of an object"),
        ('{"label": "a", "label": "b"}', "the key 'label' stands twice"),
        ('{"label": {"x": 1, "x": 1}}', "the key 'x' stands twice"),
        ("{}", "no label"),
        ('{"Label": "a"}', "no label"),
        ('{"label": "a", "why": "b"}', "unknown key 'why'"),
        ('{"label": "a", "reasoning": ["b"]}', "reasoning is no text"),
        ('{"label": "' + "x" * 10_000_000 + '"}', "10,000,013 characters long"),
    ],
)
def test_anything_else_is_refused_with_a_reason_that_helps(reply: str, reason: str) -> None:
    assert refusal(reply).startswith(reason)
    assert refusal(reply).endswith(f"; expected {FORM}")


@given(st.dictionaries(st.text(), _values).map(json.dumps), st.integers(0, 200))
def test_whatever_is_cut_off_is_refused(whole: str, kept: int) -> None:
    cut = whole[: min(kept, len(whole) - 1)]
    assert ";" in refusal(cut)


@given(st.text())
def test_any_text_is_an_object_or_a_parse_error(reply: str) -> None:
    try:
        found = read(reply)
    except ParseError:
        return
    assert "label" in found


@pytest.mark.parametrize(
    "reply",
    [
        "{" * 10_000_000,
        '{"a":' * 150_000,
        '{"label": [' + "[]," * 300_000 + "0]}",
        '{"' + '":0,"'.join(map(str, range(90_000))),
    ],
    ids=["braces", "deep", "wide", "keys"],
)
def test_a_runaway_reply_takes_bounded_time(reply: str) -> None:
    began = time.process_time()
    with pytest.raises(ParseError):
        read_object(reply, ["no such key"], FORM)
    assert time.process_time() - began < 2


def test_a_key_of_any_length_keeps_the_message_short() -> None:
    assert len(refusal(json.dumps({"label": 1, "x" * 500_000: 1}))) < 200
    assert len(refusal('{"' + "x" * 100_000 + '": 1, "' + "x" * 100_000 + '": 2}')) < 200


@pytest.mark.parametrize("thoughts", ["", 'Perhaps {"label": "b"}?\nNo.'])
def test_the_thoughts_of_a_reasoning_model_are_no_part_of_its_reply(thoughts: str) -> None:
    assert read_object(f'<think>{thoughts}</think>\n\n{{"label": "a"}}', ["label"], "...") == {"label": "a"}


@pytest.mark.parametrize(
    ("reply", "why"),
    [
        ('{"reasoning": " it says so ", "label": "a"}', "it says so"),
        ('<think>well, {"reasoning": "no"}</think>\n{"reasoning": "yes", "other": 1}', "yes"),
        ('{"label": "a"}', ""),
        ('{"reasoning": ["a"], "label": "a"}', ""),
        ('<think>{"reasoning": "no"}', ""),
        ('["reasoning"]', ""),
        ("[" * 99_999, ""),
        ("", ""),
    ],
)
def test_reasoning_is_what_stands_under_its_key(reply: str, why: str) -> None:
    assert reasoning(reply) == why
