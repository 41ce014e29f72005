import json
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.teacher.support import DESK, NEWSWIRE, TASK, desk_task
from understudy.errors import DataError
from understudy.teacher.request import content_key, correction, difference, request_body


def test_the_task_renders_every_recorded_request_exactly() -> None:
    texts = {
        row["id"]: row["text"]
        for name in ("pool.jsonl", "test.jsonl")
        for row in map(json.loads, (NEWSWIRE / name).read_text(encoding="utf-8").split("\n")[:-1])
    }
    recorded = [json.loads(line) for line in DESK[0].read_text(encoding="utf-8").split("\n")[:-1]]
    task = desk_task(recorded[0]["body"]["messages"][0]["content"])
    assert len(recorded) == len(texts) == 1080
    for line in recorded:
        text = texts[line["custom_id"].removeprefix("desk/")]
        assert request_body(task, "claude", text) == line["body"]


def test_the_key_is_of_the_content_and_not_of_its_order() -> None:
    body = request_body(TASK, "m", "Grüße")
    shuffled = json.loads(json.dumps(dict(reversed(body.items()))))
    assert content_key(body) == content_key(shuffled)
    assert len({content_key(request_body(TASK, model, text)) for model in "ab" for text in "cd"}) == 4
    assert content_key({"b": [1], "a": "é"}) == "fe44b490e297c0523c2a1ce591fc7b3b064b5ad3f2ac4634523685392680de5d"


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])))
def test_any_whole_text_has_a_key_that_survives_json(text: str) -> None:
    body = request_body(TASK, "m", text)
    assert content_key(json.loads(json.dumps(body))) == content_key(body)


def test_half_a_character_has_none() -> None:
    with pytest.raises(DataError, match="half a character"):
        content_key({"text": "\ud83d"})


def test_a_correction_quotes_the_reply_and_the_reason_and_leaves_the_request_alone() -> None:
    body = request_body(TASK, "m", "text")
    before = json.dumps(body)
    follow_up = correction(body, "Sport!", "not JSON")
    assert json.dumps(body) == before
    assert follow_up["messages"][:2] == body["messages"]
    assert follow_up["messages"][2] == {"role": "assistant", "content": "Sport!"}
    assert "not JSON" in follow_up["messages"][3]["content"]
    assert follow_up["response_format"] == body["response_format"]


def test_a_correction_leaves_out_an_empty_reply_and_shortens_a_runaway_one() -> None:
    body = request_body(TASK, "m", "text")
    assert [message["role"] for message in correction(body, " \n", "empty")["messages"]] == ["system", "user", "user"]
    assert len(correction(body, "x" * 1_000_000, "truncated")["messages"][2]["content"]) == 2_000


def test_the_difference_is_named() -> None:
    body = request_body(TASK, "m", "text")
    assert "model" in difference(body, {**body, "model": "other"})
    assert "schema" in difference(body, {**body, "response_format": None})
    assert "prompt" in difference(body, {**body, "messages": ["hostile"]})
    assert "texts" in difference(body, request_body(TASK, "m", "another"))


def test_importing_the_teacher_is_light() -> None:
    code = (
        "import sys, understudy.teacher.teacher; "
        "print([m for m in ('aiohttp', 'numpy', 'sklearn', 'torch', 'transformers', 'lightgbm') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
