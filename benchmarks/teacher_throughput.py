"""How fast a teacher is asked: Understudy beside plain aiohttp and its peers, against one slow endpoint.

    python -m benchmarks.teacher_throughput [--curator PYTHON] [--distilabel PYTHON] [--data-designer PYTHON]

2,000 different texts, 100 requests under way, a localhost endpoint that takes 200 ms to answer: 500 rows a second would
be perfect, whoever asks. `IN_FLIGHT=400` in the environment lifts that lid to 2,000, so that who asks is what counts.
Each peer runs in the environment whose interpreter is given, and is left out where none is. The contestants take turns,
each against a fresh endpoint, which keeps the time from the first request's arrival to the last reply. The time of the
whole call, which a person would wait for, and the processor time stand beside it. Prints a Markdown table.
"""

import argparse
import json
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import NamedTuple
from urllib.request import urlopen

from benchmarks.peers.contest import IN_FLIGHT
from benchmarks.peers.ours import TASK
from benchmarks.slow_endpoint import slow_endpoint
from understudy.data.files import write_records

ROWS = 2_000
PEERS = {"curator": "bespokelabs-curator", "distilabel": "distilabel[openai]", "data_designer": "data-designer"}
"""The scripts of `benchmarks.peers`, each with the package that its environment needs."""


class Pace(NamedTuple):
    """How fast one turn was.

    Attributes:
        endpoint: Rows a second, as the endpoint saw it.
        call: Rows a second, by the clock of whoever called.
        busy: Processor time, in milliseconds a row.
    """

    endpoint: float
    call: float
    busy: float


def main() -> None:
    """Let everyone take their turns, and print a table."""
    arguments = _arguments()
    interpreters = {"plain": sys.executable, "ours": sys.executable}
    interpreters |= {peer: path for peer in PEERS if (path := getattr(arguments, peer))}
    turns: dict[str, list[Pace]] = defaultdict(list)
    for _ in range(arguments.rounds):
        for contestant, interpreter in interpreters.items():
            turns[contestant].append(_turn(contestant, interpreter))
            print(f"{contestant}: {turns[contestant][-1].endpoint:.0f} rows/s", file=sys.stderr)
    print(_table(turns))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    for peer, package in PEERS.items():
        parser.add_argument(f"--{peer.replace('_', '-')}", help=f"the interpreter of an environment with {package}")
    parser.add_argument("--rounds", type=int, default=3)
    return parser.parse_args()


def _turn(contestant: str, interpreter: str) -> Pace:
    """One run of one contestant.

    Raises:
        RuntimeError: It did not read the label out of every reply, or had too many requests under way.
    """
    with TemporaryDirectory() as folder, slow_endpoint() as base_url:
        rows, result = Path(folder, "rows.jsonl"), Path(folder, "result.json")
        write_records(rows, _rows())
        command = [interpreter, "-m", f"benchmarks.peers.{contestant}", base_url, str(rows), str(result)]
        with Path(folder, "log").open("w+") as log:
            if subprocess.run(command, stdout=log, stderr=log, check=False).returncode:
                log.seek(0)
                raise RuntimeError(f"{contestant} failed: {log.read()[-2000:]}")
        said = json.loads(result.read_text())
        with urlopen(base_url.replace("/v1", "/stats")) as stats:
            seen = json.load(stats)
    if not said["answered"] == seen["answered"] == ROWS or seen["most_in_flight"] > IN_FLIGHT:
        raise RuntimeError(f"{contestant} did not keep to the rules: {said}, {seen}")
    return Pace(ROWS / seen["seconds"], ROWS / said["seconds"], 1000 * said["busy_seconds"] / ROWS)


def _rows() -> list[dict[str, object]]:
    texts = [f"Report {number}: the home side won in extra time, and the crowd sang." for number in range(ROWS)]
    return [{"text": text, "messages": TASK.messages(text)} for text in texts]


def _table(turns: dict[str, list[Pace]]) -> str:
    middle = {contestant: Pace(*map(median, zip(*paces, strict=True))) for contestant, paces in turns.items()}
    lines = [
        "| | rows/s (median, least to most) | of plain | of curator | rows/s of the call | processor, ms a row |",
        "|---|---|---|---|---|---|",
    ]
    for contestant, pace in middle.items():
        seen = [turn.endpoint for turn in turns[contestant]]
        curator = f"{pace.endpoint / middle['curator'].endpoint:.2f}" if "curator" in middle else "-"
        lines.append(
            f"| {contestant} | {pace.endpoint:.0f}, {min(seen):.0f} to {max(seen):.0f} "
            f"| {pace.endpoint / middle['plain'].endpoint:.2f} | {curator} | {pace.call:.0f} | {pace.busy:.2f} |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    main()
