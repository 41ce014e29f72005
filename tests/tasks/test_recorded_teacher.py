"""The released prompts against the requests recorded with them, and the parsers against every recorded reply."""

import json
import re
from collections.abc import Callable

import pytest

from tests.newswire import NEWSWIRE, rows
from understudy.example import Target
from understudy.tasks.classification import Classification
from understudy.tasks.ner import NER
from understudy.tasks.summarization import Summarization
from understudy.tasks.task import Task

TASKS: dict[str, Callable[[dict[str, str]], Task]] = {
    "desk": lambda described: Classification(labels=described, prompt="classification.v1"),
    "entities": lambda described: NER(types=described, prompt="ner.v1"),
    "highlights": lambda _: Summarization(prompt="summarization.v1"),
}
"""The task of each recording, given the choices that its own system message describes."""

each_kind = pytest.mark.parametrize("kind", TASKS)


class Recording:
    """What the teacher was asked and what it answered, by the row's id."""

    def __init__(self, kind: str) -> None:
        self.asked = {line["custom_id"]: line["body"] for line in rows(NEWSWIRE / "requests" / f"{kind}.jsonl")}
        self.answered = {
            line["custom_id"]: line["response"]["body"]["choices"][0]["message"]["content"]
            for line in rows(NEWSWIRE / "replies" / f"{kind}.jsonl")
        }
        system = next(iter(self.asked.values()))["messages"][0]["content"]
        self.task = TASKS[kind](dict(re.findall(r"^- (\w+): (.+)$", system, re.MULTILINE)))

    def targets(self) -> dict[str, Target]:
        return {
            key.partition("/")[2]: self.task.parse(self.answered[key], body["messages"][1]["content"])
            for key, body in self.asked.items()
        }

    def scores(self, column: str) -> dict[str, float]:
        found, test = self.targets(), rows(NEWSWIRE / "test.jsonl")
        gold = [self.task.read(row[column], row["text"]) for row in test]
        return self.task.tally(gold, [found[row["id"]] for row in test], [row["text"] for row in test]).scores()


@each_kind
def test_the_released_prompt_is_the_one_that_was_recorded_to_the_byte(kind: str) -> None:
    recording = Recording(kind)
    assert len(recording.asked) == 1080
    reply = recording.task.reply_schema
    schema = json.dumps({"name": reply.name, "strict": True, "schema": reply.schema}, ensure_ascii=False)
    for body in recording.asked.values():
        assert recording.task.messages(body["messages"][1]["content"]) == body["messages"]
        assert json.dumps(body["response_format"]["json_schema"], ensure_ascii=False) == schema


@each_kind
def test_every_recorded_reply_is_an_answer(kind: str) -> None:
    assert len(Recording(kind).targets()) == 1080


def test_the_teachers_scores_are_those_that_the_data_set_states() -> None:
    assert Recording("desk").scores("desk")["accuracy"] == pytest.approx(0.983, abs=0.0005)
    assert Recording("entities").scores("entities")["f1"] == pytest.approx(0.995, abs=0.0005)
    # The data set states 0.436, without stems.
    assert Recording("highlights").scores("highlights")["rouge_l_f1"] == pytest.approx(0.447, abs=0.0005)


def test_reference_spans_survive_being_rendered_and_parsed() -> None:
    task = Recording("entities").task
    for row in [*rows(NEWSWIRE / "gold.jsonl"), *rows(NEWSWIRE / "test.jsonl")]:
        spans = task.read(row["entities"], row["text"])
        assert task.parse(task.render(spans, row["text"]), row["text"]) == spans
