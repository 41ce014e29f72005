"""Work side by side: in as many processes as there is room for, each with its share of the processor."""

import os
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

from understudy.errors import RunError
from understudy.progress import Notes, Progress

Item = TypeVar("Item")
Result = TypeVar("Result")

_MEMORY = 4 * 2**30
"""Bytes that a training may need: the largest student, its data, and the libraries, which each process loads."""


def room() -> int:
    """How many trainings this machine bears at a time."""
    from joblib import cpu_count

    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return max(1, min(int(cpu_count()), memory // _MEMORY))


def side_by_side(
    work: Callable[[Item, Progress], Result], items: Iterable[Item], jobs: int, progress: Progress
) -> Iterator[Result]:
    """What the work makes of each item, as soon as it is done, in any order.

    Args:
        work: Can be sent to another process, as a function of a module or a `partial` of one can.
        items: What it is done to; so can they.
        jobs: In how many processes; one is this one, in which the items' order is kept.
        progress: Told what the work has to say; of how far it is, only where it is done here.

    Raises:
        RunError: A process was killed, most likely for its memory.
    """
    if jobs == 1:
        yield from (work(item, progress) for item in items)
        return
    from joblib import Parallel, cpu_count, delayed, parallel_config
    from joblib.externals.loky.process_executor import BrokenProcessPool

    threads = max(1, int(cpu_count()) // jobs)
    with parallel_config("loky", inner_max_num_threads=threads):
        done: Any = Parallel(n_jobs=jobs, return_as="generator_unordered", pre_dispatch="all", batch_size=1)
        try:
            for result, lines in done(delayed(_noted)(work, item) for item in items):
                for line in lines:
                    progress.say(line)
                yield result
        except BrokenProcessPool:
            raise RunError(
                f"one of {jobs} processes was killed, most likely for its memory; "
                "what is done is kept: run the same command again, with fewer --jobs"
            ) from None


def _noted(work: Callable[[Item, Progress], Result], item: Item) -> tuple[Result, list[str]]:
    """What the work makes of an item, and what it had to say."""
    notes = Notes()
    return work(item, notes), notes.lines
