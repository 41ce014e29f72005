import json
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.teacher.support import DESK, NEWSWIRE, TASK, body, desk_task
from understudy.errors import DataError
from understudy.teacher.request import content_key, correction, difference


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
        assert body(task, text, "claude") == line["body"]


def test_the_key_is_of_the_content_and_not_of_its_order() -> None:
    asked = body(TASK, "Grüße")
    shuffled = json.loads(json.dumps(dict(reversed(asked.items()))))
    assert content_key(asked) == content_key(shuffled)
    assert len({content_key(body(TASK, text, model)) for model in "ab" for text in "cd"}) == 4
    assert content_key({"b": [1], "a": "é"}).hex() == "fe44b490e297c0523c2a1ce591fc7b3b064b5ad3f2ac4634523685392680de5d"


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])))
def test_any_whole_text_has_a_key_that_survives_json(text: str) -> None:
    asked = body(TASK, text)
    assert content_key(json.loads(json.dumps(asked))) == content_key(asked)


def test_half_a_character_has_none() -> None:
    with pytest.raises(DataError, match="half a character"):
        content_key({"text": "\ud83d"})


def test_a_correction_quotes_the_reply_and_the_reason_and_leaves_the_request_alone() -> None:
    asked = body(TASK, "text")
    before = json.dumps(asked)
    follow_up = correction(asked, "Sport!", "not JSON")
    assert json.dumps(asked) == before
    assert follow_up["messages"][:2] == asked["messages"]
    assert follow_up["messages"][2] == {"role": "assistant", "content": "Sport!"}
    assert "not JSON" in follow_up["messages"][3]["content"]
    assert follow_up["response_format"] == asked["response_format"]


def test_a_correction_leaves_out_an_empty_reply_and_shortens_a_runaway_one() -> None:
    asked = body(TASK, "text")
    assert [message["role"] for message in correction(asked, " \n", "empty")["messages"]] == ["system", "user", "user"]
    assert len(correction(asked, "x" * 1_000_000, "truncated")["messages"][2]["content"]) == 2_000


def test_the_difference_is_named() -> None:
    asked = body(TASK, "text")
    assert "model" in difference(asked, {**asked, "model": "other"})
    assert "schema" in difference(asked, {**asked, "response_format": None})
    assert "prompt" in difference(asked, {**asked, "messages": ["hostile"]})
    assert "texts" in difference(asked, body(TASK, "another"))
    sampled = {**asked, "seed": 1}
    assert difference(sampled, {**asked, "max_tokens": 9}) == "the recorded requests differ in max_tokens, seed"
    assert "texts" in difference(sampled, {**body(TASK, "another"), "seed": 1})


def test_importing_the_teacher_is_light() -> None:
    code = (
        "import sys, understudy.teacher.teacher; "
        "print([m for m in ('aiohttp', 'numpy', 'sklearn', 'torch', 'transformers', 'lightgbm') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
