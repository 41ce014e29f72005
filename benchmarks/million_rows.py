"""Memory and speed of teaching many short rows out of a full reply store: `python -m benchmarks.million_rows`.

Each size is one process of its own, the real command `understudy teach` over real files: a pool of so many texts and a
store that answers all of them. Printed is the most memory that the process ever held.
"""

import argparse
import json
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from understudy.tasks.classification import Classification
from understudy.teacher.request import content_key, request_body

_SIZES = (10_000, 100_000, 1_000_000)
_LABELS = ["billing", "delivery", "other"]
_TASK = Classification(labels=_LABELS)
_RECIPE = """\
name: many
task: {type: classification, labels: [billing, delivery, other]}
data: {pool: pool.jsonl, test: test.jsonl, columns: {target: label}}
teacher: {model: m, replies: {requests: requests.jsonl, replies: empty.jsonl}, store: replies.jsonl}
clean: {near_duplicates: null}
students: {linear: }
mixtures: [distilled]
"""


def main() -> None:
    """Print a line for each size."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--sizes", type=int, nargs="*", default=_SIZES)
    arguments.add_argument("--folder", type=Path, help="where the files go (2 GB for a million rows)")
    arguments.add_argument("--child", type=Path, help=argparse.SUPPRESS)
    chosen = arguments.parse_args()
    if chosen.child:
        _teach(chosen.child)
        return
    print("| rows | seconds | rows/s | peak memory, MB |\n|---|---|---|---|")
    for size in chosen.sizes:
        with TemporaryDirectory(dir=chosen.folder) as folder:
            _lay_out(Path(folder), size)
            command = [sys.executable, "-m", "benchmarks.million_rows", "--child", folder]
            measured = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
            seconds, peak = measured["seconds"], measured["peak_mb"]
            print(f"| {size:,} | {seconds:.1f} | {size / seconds:,.0f} | {peak:,.0f} |", flush=True)


def _teach(folder: Path) -> None:
    """One run in this process, which is a fresh one."""
    from understudy import pipeline

    start = time.perf_counter()
    lesson = pipeline.teach_only(folder / "recipe.yaml", folder / "run")
    seconds = time.perf_counter() - start
    assert not lesson.rejected, lesson.rejected
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": seconds, "peak_mb": peak}))


def _lay_out(folder: Path, size: int) -> None:
    (folder / "recipe.yaml").write_text(_RECIPE)
    (folder / "requests.jsonl").touch()
    (folder / "empty.jsonl").touch()
    with (folder / "test.jsonl").open("w") as test, (folder / "pool.jsonl").open("w") as pool:
        for number, text in enumerate(_texts(size)):
            row = {"text": text, "label": _label(number)}
            print(json.dumps(row), file=pool if number >= 10 else test)
    with (folder / "replies.jsonl").open("w") as store:
        for number, text in enumerate(_texts(size)):
            print(json.dumps(_record(text, _label(number))), file=store)


def _texts(size: int) -> Iterator[str]:
    """Short texts, no two of them alike."""
    for number in range(size + 10):
        customer = number * 7919 % 999_983
        yield f"Order {number:07} from customer {customer} has not come yet, where is parcel {number % 97}?"


def _label(number: int) -> str:
    return _LABELS[number % len(_LABELS)]


def _record(text: str, label: str) -> dict[str, Any]:
    """A line of the store, as the teacher's reply would have left it."""
    body = request_body("m", _TASK.messages(text), _TASK.reply_schema)
    key = content_key(body).hex()
    message = {"role": "assistant", "content": json.dumps({"label": label})}
    completion = {"choices": [{"index": 0, "finish_reason": "stop", "message": message}]}
    response = {"status_code": 200, "body": completion}
    return {"key": key, "request": body, "custom_id": key, "response": response, "error": None}


if __name__ == "__main__":
    main()
