"""Finding near-duplicates: rows a second, peak memory, and how many planted ones are found, beside datasketch's LSH.

    python -m benchmarks.near_duplicates [--rows 10000 100000]

The texts are made of the newswire example's sentences, drawn anew for every text, so that a million can be had; one in
twenty is an earlier text with two words changed. Each way runs in a process of its own, whose peak memory counts.
datasketch is compared where it is installed. Prints a table as Markdown.
"""

import argparse
import importlib
import multiprocessing
import random
import re
import resource
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from understudy.data.clean.duplicates import reject_duplicates
from understudy.data.clean.rejection import is_rejected
from understudy.data.files import read_rows
from understudy.data.load import folded
from understudy.example import Example

NEWSWIRE = Path(__file__).parents[1] / "examples" / "newswire" / "pool.jsonl"
THRESHOLD = 0.8
PLANTED = "copy"
Found = tuple[float, float, int, int]


def main() -> None:
    """Measure every way at every size."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rows", type=int, nargs="+", default=[10_000, 100_000])
    rows = parser.parse_args().rows
    print(
        "| way | rows | rows/s | peak memory, MB | planted | found | others rejected |\n|---|---|---|---|---|---|---|"
    )
    for size in rows:
        for name, way in {"understudy": _ours, "datasketch": _datasketch}.items():
            with multiprocessing.get_context("spawn").Pool(1) as process:
                found = process.apply(_measured, (way, size))
            if found is None:
                print(f"passed over: {name} is not installed")
                continue
            speed, memory, planted, other = found
            print(
                f"| {name} | {size:,} | {speed:,.0f} | {memory:,.0f} | {_planted(size):,} | {planted:,} | {other:,} |"
            )


def _measured(way: Callable[[Iterator[Example]], Iterator[str]], size: int) -> Found | None:
    """Rows a second, peak memory in MB, planted copies found, others rejected; None where the way cannot be gone."""
    start = time.perf_counter()
    planted = other = 0
    try:
        for name in way(_texts(size)):
            planted, other = planted + name.startswith(PLANTED), other + (not name.startswith(PLANTED))
    except ModuleNotFoundError:
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return size / (time.perf_counter() - start), peak, planted, other


def _ours(examples: Iterator[Example]) -> Iterator[str]:
    return (example.id for example in reject_duplicates(examples, (), THRESHOLD) if is_rejected(example))


def _datasketch(examples: Iterator[Example]) -> Iterator[str]:
    """The library's own way, on the same shingles; candidates are confirmed by their shingles too."""
    datasketch = importlib.import_module("datasketch")
    index, kept = datasketch.MinHashLSH(threshold=THRESHOLD, num_perm=96), dict[str, str]()
    for example in examples:
        shingles = _shingles(example.text)
        signature = datasketch.MinHash(num_perm=96)
        signature.update_batch(shingles)
        twins = (_shingles(kept[name]) for name in index.query(signature))
        if any(len(shingles & twin) >= THRESHOLD * len(shingles | twin) for twin in twins):
            yield example.id
        else:
            index.insert(example.id, signature)
            kept[example.id] = example.text


def _shingles(text: str) -> set[bytes]:
    text = folded(text)
    return {text[i : i + 5].encode() for i in range(max(1, len(text) - 4))}


def _texts(size: int) -> Iterator[Example]:
    """Texts of six sentences each; every twentieth is one of the last thousand with two of its words changed."""
    rng = random.Random(0)
    sentences = [part for _, row in read_rows(NEWSWIRE) for part in re.split(r"(?<=[.!?]) ", row["text"])]
    recent: list[str] = []
    for number in range(size):
        if number % 20 == 19:
            words = rng.choice(recent).split()
            for _ in range(2):
                words[rng.randrange(len(words))] = rng.choice(sentences).split()[0]
            yield Example(id=f"{PLANTED}-{number}", text=" ".join(words))
        else:
            recent = [*recent[-999:], " ".join(rng.sample(sentences, 6))]
            yield Example(id=str(number), text=recent[-1])


def _planted(size: int) -> int:
    return size // 20


if __name__ == "__main__":
    main()
