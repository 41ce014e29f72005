"""A process that teaches and may be killed: ``start`` runs this very file."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.teacher.support import TASK, Noted, interview, rows
from understudy.teacher.cost.ledger import Budget, Ledger
from understudy.teacher.endpoint.endpoint import Endpoint
from understudy.teacher.replies.store import ReplyStore
from understudy.teacher.teacher import Teacher

ROOT = Path(__file__).parents[2]


def start(store: Path, texts: list[str], ledger: Path | None = None, tokens: int | None = None, **endpoint: Any) -> Any:
    """Start a process that annotates these texts out of a store, over an endpoint, within a budget of tokens."""
    task = {"store": str(store), "texts": texts, "ledger": ledger and str(ledger), "tokens": tokens}
    return subprocess.Popen(
        [sys.executable, "-m", "tests.teacher.teaching_process", json.dumps({**task, "endpoint": endpoint})],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        cwd=ROOT,
    )


def main() -> None:
    task = json.loads(sys.argv[1])
    account = Ledger(task["ledger"] and Path(task["ledger"]), None, Budget(tokens=task["tokens"]))
    asked = interview(ReplyStore(Path(task["store"])), Endpoint(**task["endpoint"]), account)
    texts = task["texts"]
    for _ in Teacher(task=TASK, model="m", interview=asked).annotate(rows(*texts), Noted(), len(texts)):
        pass


if __name__ == "__main__":
    main()
