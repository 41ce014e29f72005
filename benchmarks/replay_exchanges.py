"""Recorded exchanges with real endpoints, read as if they were replies to our tasks: hostile input from the wild.

    python -m benchmarks.replay_exchanges FOLDER

Every line of every ``.jsonl`` and ``.jsonl.gz`` file in the folder is taken for an exchange: a pair of request and
response, an OpenAI Batch line, or a bare response. None of the replies was written for our tasks, so most are rejected:
what counts is that each is, with a reason. Prints how often each came out how. Where anything raised, it shows the
first time and ends with 1.
"""

import argparse
import gzip
import json
import re
import sys
import traceback
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from understudy.registry import build
from understudy.tasks.task import Task
from understudy.teacher.annotation.logprobs import label_distribution
from understudy.teacher.answer import Question, read_answer
from understudy.teacher.replies.recordings import is_completion
from understudy.teacher.replies.store import Reply

TASKS: dict[str, dict[str, Any]] = {
    "classification": {"labels": ["person", "location", "organization", "other"]},
    "ner": {"types": ["person", "location", "organization"]},
    "summarization": {},
    "text2text": {"instruction": "List the named entities."},
}
_QUOTE = re.compile(r"""(['"]).*?\1""", re.DOTALL)


def main() -> None:
    """Read every exchange with every task, and print what came of it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path)
    outcomes: Counter[str] = Counter()
    for where, exchange in _exchanges(parser.parse_args().folder):
        try:
            outcomes.update(_outcomes(exchange))
        except Exception:  # noqa: BLE001 - what is looked for
            outcomes["CRASHED"] += 1
            if outcomes["CRASHED"] == 1:
                print(f"{where}:\n{traceback.format_exc()}", file=sys.stderr)
    for outcome, count in sorted(outcomes.items()):
        print(f"{count:8,}  {outcome}")
    sys.exit(1 if outcomes["CRASHED"] or not outcomes else 0)


def _exchanges(folder: Path) -> Iterator[tuple[str, Any]]:
    """Every line with its place, one at a time; one that is no JSON as its text."""
    for path in sorted([*folder.rglob("*.jsonl"), *folder.rglob("*.jsonl.gz")]):
        with _open(path) as lines:
            for number, line in enumerate(lines, start=1):
                try:
                    yield f"{path}:{number}", json.loads(line)
                except (ValueError, RecursionError):
                    yield f"{path}:{number}", line


def _open(path: Path) -> IO[str]:
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8", errors="replace")
    return path.open(encoding="utf-8", errors="replace")


def _outcomes(exchange: Any) -> Iterator[str]:
    """How an exchange comes out, with each task and for its log-probabilities."""
    completion, text = _completion(exchange), _asked(exchange)
    yield "exchange"
    if not is_completion(completion):
        yield "no chat completion"
        return
    for name, settings in TASKS.items():
        yield f"{name}: {_outcome(build('task', name, settings), text, completion)}"
    choice = completion["choices"][0]
    found = label_distribution(choice, TASKS["classification"]["labels"])
    given = "given" if choice.get("logprobs") else "not given"
    yield f"log-probabilities {given}: {'no distribution' if found is None else 'a distribution'} over labels"


def _outcome(task: Task, text: str, completion: dict[str, Any]) -> str:
    """Valid, or the kind of reason for which it is not."""
    question = Question({"messages": task.messages(text)}, lambda raw: task.parse(raw, text))
    answer = read_answer(question, Reply(completion))
    if answer.rejected is None:
        return "valid"
    kind = answer.rejected.removeprefix("not an answer: ").split(";")[0]
    return f"rejected, {_QUOTE.sub('…', kind)[:60]}"


def _completion(exchange: Any) -> Any:
    """The response in an exchange of any layout."""
    if isinstance(exchange, list):
        return exchange[1] if len(exchange) > 1 else None
    response = exchange.get("response") if isinstance(exchange, dict) else None
    return response.get("body") if isinstance(response, dict) else exchange


def _asked(exchange: Any) -> str:
    """What the request says in the end, for the text that was asked about; empty where no request stands there."""
    request = exchange[0] if isinstance(exchange, list) and exchange else exchange
    messages = request.get("messages") if isinstance(request, dict) else None
    last = messages[-1] if isinstance(messages, list) and messages else None
    content = last.get("content") if isinstance(last, dict) else None
    return content if isinstance(content, str) else ""


if __name__ == "__main__":
    main()
