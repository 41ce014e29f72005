"""A real language-model server that we did not write: llama.cpp, with a tiny model of random weights."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.llama_server import MODEL, is_built, llama_server
from tests.teacher.support import annotate, rows
from understudy.tasks.classification import Classification
from understudy.teacher.cost.ledger import Ledger
from understudy.teacher.endpoint.client import Client
from understudy.teacher.endpoint.endpoint import Endpoint
from understudy.teacher.interview import Interview
from understudy.teacher.replies.store import ReplyStore
from understudy.teacher.teacher import Manner, Teacher

BUILD = Path(__file__).parents[3] / "build" / "llama"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not is_built(BUILD), reason="not built; python -m benchmarks.llama_server builds it"),
]


@pytest.fixture(scope="module")
def base_url() -> Iterator[str]:
    with llama_server(BUILD) as url:
        yield url


def taught_by(base_url: str, folder: Path, manner: Manner | None = None) -> tuple[Teacher, Ledger]:
    endpoint, ledger = Endpoint(base_url=base_url, concurrency=2, max_tokens=64), Ledger(folder / "spending.jsonl")
    store = ReplyStore(folder / "replies.jsonl", answerer=endpoint.name)
    interview = Interview(store, lambda: Client(endpoint, ledger), endpoint.concurrency)
    task = Classification(labels=["sport", "politics", "business"])
    return Teacher(task=task, model=MODEL, interview=interview, manner=manner), ledger


def test_it_teaches_held_to_the_schema_and_its_usage_is_entered(base_url: str, tmp_path: Path) -> None:
    teacher, ledger = taught_by(base_url, tmp_path)
    texts = rows(*(f"The striker scored in minute {minute}." for minute in range(12)))
    taught = annotate(teacher, texts)
    assert all(row.target in {"sport", "politics", "business"} for row in taught)
    assert ledger.requests >= 12
    assert ledger.spent.total > 0
    asked = ledger.requests
    assert [row.target for row in annotate(teacher, texts)] == [row.target for row in taught]
    assert ledger.requests == asked


def test_its_logprobs_become_soft_labels_or_none(base_url: str, tmp_path: Path) -> None:
    teacher, _ = taught_by(base_url, tmp_path, Manner(soft="logprobs"))
    for row in annotate(teacher, rows("a", "b", "c")):
        assert row.target is not None
        assert row.soft is None or sum(row.soft.values()) == pytest.approx(1)


def test_votes_differ_in_their_seed(base_url: str, tmp_path: Path) -> None:
    teacher, ledger = taught_by(base_url, tmp_path, Manner(votes=3, temperature=1.0, soft="votes"))
    [row] = annotate(teacher, rows("The bill passed."))
    assert (row.meta["votes"], row.meta["valid"]) == (3, 3)
    assert row.soft is not None
    assert sum(row.soft.values()) == pytest.approx(1)
    assert ledger.requests >= 3
