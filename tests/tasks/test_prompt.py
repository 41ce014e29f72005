from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.errors import DataError, UnknownName
from understudy.tasks.prompt import released, render

LABELS = {"sport": "matches and clubs", "money": ""}
OWN = {"system": "Labels: {{ labels | join(', ') }}.", "user": "<{{ text }}>"}


def test_the_released_prompt_reads_as_it_was_released() -> None:
    assert released() == ["classification.v1"]
    assert render("classification.v1", labels=LABELS, text="Goal!") == [
        {
            "role": "system",
            "content": (
                "You label texts. Read the text and choose the one label that fits it best.\n\nLabels:\n"
                "- sport: matches and clubs\n- money\n\n"
                'Reply with a JSON object and nothing else: {"label": "<one of the labels above>"}'
            ),
        },
        {"role": "user", "content": "Goal!"},
    ]


def test_a_prompt_of_ones_own() -> None:
    assert render(OWN, labels=LABELS, text="a") == [
        {"role": "system", "content": "Labels: sport, money."},
        {"role": "user", "content": "<a>"},
    ]


@given(st.text())
def test_a_text_is_never_a_template(text: str) -> None:
    for hostile in (text, "{{ labels }} {% for %} {# " + text):
        assert render("classification.v1", labels=LABELS, text=hostile)[1]["content"] == hostile
        assert render(OWN, labels=LABELS, text=hostile)[1]["content"] == f"<{hostile}>"


@pytest.mark.parametrize("name", ["classification.v2", "", "../task", "classification.v1.yaml"])
def test_a_prompt_that_was_not_released_is_answered_with_the_closest(name: str) -> None:
    with pytest.raises(UnknownName, match=r"unknown prompt .*classification\.v1"):
        render(name, text="a")


@pytest.mark.parametrize(
    ("prompt", "message"),
    [
        ({"sytem": "a", "user": "{{ text }}"}, "unknown key 'sytem'; did you mean 'system'"),
        ({"assistant": "a", "user": "{{ text }}"}, "unknown key 'assistant'; expected one of: system, user"),
        ({"system": "{{ text }}"}, "user is missing"),
        ({}, "user is missing"),
    ],
)
def test_a_prompt_of_ones_own_has_a_message_for_the_user_and_none_for_nobody(
    prompt: dict[str, str], message: str
) -> None:
    with pytest.raises((DataError, UnknownName), match=f"prompt: {message}"):
        render(prompt, labels=LABELS, text="a")


@pytest.mark.parametrize(
    "template",
    [
        "{{ txt }}",
        "{% for %}",
        "{{ text",
        "{{ 1 / 0 }}",
        "{{ text + 1 }}",
        "{{ text.__class__.__mro__ }}",
        "{{ labels.__init__.__globals__ }}",
        "{% include 'classification.v1.yaml' %}",
        "{{ range(10 ** 9) | list }}",
        None,
        3,
        ["{{ text }}"],
    ],
)
def test_a_prompt_that_fails_or_reaches_out_is_a_data_error(template: Any) -> None:
    with pytest.raises(DataError, match=r"the prompt cannot be rendered: .*it may use labels, text"):
        render({"user": template}, labels=LABELS, text="a")
