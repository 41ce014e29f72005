"""Understudy as a run uses it: each request's cost and its reply are kept on the disk, and the reply is checked."""

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.peers.contest import IN_FLIGHT, MODEL, Row, contend
from understudy.console import Terminal
from understudy.example import Example
from understudy.tasks.classification import Classification
from understudy.teacher.cost.ledger import Ledger
from understudy.teacher.endpoint.client import Client
from understudy.teacher.endpoint.endpoint import Endpoint
from understudy.teacher.interview import Interview
from understudy.teacher.replies.store import ReplyStore
from understudy.teacher.teacher import Teacher

TASK = Classification(labels=["sport", "politics", "business"])


def annotate(base_url: str, rows: Sequence[Row]) -> list[str]:
    """The label of each row, by a teacher with an empty store and an empty ledger."""
    examples = [Example(id=str(number), text=row["text"]) for number, row in enumerate(rows)]
    with TemporaryDirectory() as folder, Terminal() as progress:
        teacher = Teacher(task=TASK, model=MODEL, interview=_interview(base_url, Path(folder)))
        return [str(example.target) for example in teacher.annotate(examples, progress, len(rows))]


def _interview(base_url: str, folder: Path) -> Interview:
    endpoint = Endpoint(base_url=base_url, concurrency=IN_FLIGHT)
    store = ReplyStore(folder / "replies.jsonl", answerer=endpoint.name)
    ledger = Ledger(folder / "spending.jsonl")
    return Interview(store, lambda: Client(endpoint, ledger), IN_FLIGHT)


if __name__ == "__main__":
    contend(annotate)
