"""What the teacher's tests share: a small task, examples, an endpoint without long pauses, and a teacher over it."""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tests.teacher.fake_endpoint import FakeEndpoint
from understudy.example import Example
from understudy.tasks.classification import Classification
from understudy.tasks.task import Task
from understudy.teacher.cost.ledger import Ledger
from understudy.teacher.endpoint.client import Client
from understudy.teacher.endpoint.endpoint import Endpoint
from understudy.teacher.interview import Interview
from understudy.teacher.replies.store import ReplyStore
from understudy.teacher.request import request_body
from understudy.teacher.teacher import Teacher

NEWSWIRE = Path(__file__).parents[2] / "examples" / "newswire"
DESK = (NEWSWIRE / "requests" / "desk.jsonl", NEWSWIRE / "replies" / "desk.jsonl")
TASK = Classification(labels=["sport", "politics"], prompt="classification.v1")


def desk_task(system: str) -> Classification:
    """The task of the recording, with the labels and descriptions that stand in its own system message."""
    return Classification(labels=dict(re.findall(r"^- (\w+): (.+)$", system, re.MULTILINE)), prompt="classification.v1")


def quick(fake: FakeEndpoint, **settings: Any) -> Endpoint:
    """The endpoint, asked without long pauses and in one dialect only, and with time enough for a busy machine."""
    usual: dict[str, Any] = {
        "timeout": 60.0,
        "max_attempts": 3,
        "backoff": 0.001,
        "max_tokens": None,
        "structure": "json_schema",
    }
    return Endpoint(**{"base_url": fake.base_url, **usual, **settings})


def interview(store: ReplyStore, endpoint: Endpoint | None, ledger: Ledger | None = None) -> Interview:
    if endpoint is None:
        return Interview(store, None)
    return Interview(store, lambda: Client(endpoint, ledger), endpoint.concurrency)


def teacher(store: ReplyStore, endpoint: Endpoint | None, model: str = "m", **settings: Any) -> Teacher:
    return Teacher(task=TASK, model=model, interview=interview(store, endpoint), **settings)


def body(task: Task, text: str, model: str = "m") -> dict[str, Any]:
    """The request for one text."""
    return request_body(model, task.messages(text), task.reply_schema)


def rows(*texts: str) -> list[Example]:
    return [Example(id=f"row-{index}", text=text) for index, text in enumerate(texts)]


class Noted:
    """Progress that remembers what it was told."""

    def __init__(self) -> None:
        self.steps = 0
        self.lines: list[str] = []

    def bar(self, title: str, total: int) -> "Noted":
        return self

    def advance(self, steps: int = 1) -> None:
        self.steps += steps

    def say(self, line: str) -> None:
        self.lines.append(line)

    def __enter__(self) -> "Noted":
        return self

    def __exit__(self, *exception: object) -> None:
        return None


def annotate(by: Teacher, examples: Iterable[Example]) -> list[Example]:
    return list(by.annotate(examples, Noted(), 0))
