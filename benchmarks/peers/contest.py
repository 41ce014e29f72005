"""What every contestant is given and what it hands back; it needs nothing beyond the standard library."""

import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

IN_FLIGHT = int(os.environ.get("IN_FLIGHT", "100"))
"""How many requests may be under way at a time."""
MODEL = "teacher"
Row = dict[str, Any]
"""``text``, and the ``messages`` that ask for its label."""


def contend(annotate: Callable[[str, Sequence[Row]], Sequence[str]]) -> None:
    """Have the rows annotated, and leave what that took, and how many replies were read as the label.

    Reads the endpoint's address, the file of the rows and the file to write from the command line.

    Args:
        annotate: From the address up to ``/v1`` and the rows to the reply or label of each.
    """
    base_url, given, result = sys.argv[1:]
    rows = [json.loads(line) for line in Path(given).read_text().splitlines()]
    start, busy = time.perf_counter(), _busy()
    labels = annotate(base_url, rows)
    measured = {"seconds": time.perf_counter() - start, "busy_seconds": _busy() - busy}
    Path(result).write_text(json.dumps({**measured, "answered": list(labels).count("sport")}))


def _busy() -> float:
    """Seconds of processor time so far, of this process and of those that it has started and seen end."""
    return sum(os.times()[:4])
