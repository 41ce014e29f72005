"""Summaries of news: extracts and abstracts on CNN/DailyMail articles of less than 2,048 characters.

    python -m benchmarks.cnndm [--data ../shared/bench/cnndm] [--out runs/cnndm] [--train 2000] [--only lead encoder …]

Trains on articles of the training part and measures on the validation part; 200 training articles are held out to stop
by. Texts are lower-cased and tokenised, as they come. Published for comparison, on the *full* test set with articles of
any length: Lead-3 about 40/17/37 ROUGE-1/2/L F1 and BERT-class extracts about 43/20/40 (Liu and Lapata 2019). Prints
the table of docs/benchmarks.md as Markdown, with the greedy oracle, the extract that a look at the reference chooses.
"""

import argparse
import gzip
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from benchmarks.grid import Arm, DataSet, results, scored, table, target_of
from understudy.data.split import hold_out
from understudy.example import Example, Prediction
from understudy.students.extracts.documents import document
from understudy.students.extracts.oracle import oracle
from understudy.students.extracts.selection import MOST
from understudy.tasks.summarization import Summarization

LONGEST = 2_048
"""Characters of an article, as in Ding et al. 2024."""
ARMS: list[tuple[str, dict[str, Any]]] = [
    ("lead", {"sentences": 3}),
    ("linear", {}),
    ("gbdt", {}),
    ("encoder", {}),
    ("lstm", {"epochs": 4}),
    ("t5", {"model": "scratch", "epochs": 3, "max_target": 100}),
    ("bart", {"model": "scratch", "epochs": 3, "max_target": 100}),
    ("bart", {"model": "bundled", "epochs": 1, "max_target": 100}),
]
METRICS = {
    "rouge1_f1": "ROUGE-1",
    "rouge2_f1": "ROUGE-2",
    "rouge_l_f1": "ROUGE-L",
    "rouge_lsum_f1": "ROUGE-Lsum",
    "words": "words",
}


def main() -> None:
    """Measure every arm and print the table."""
    arguments = _arguments()
    if not arguments.data.is_dir():
        print(f"passed over: {arguments.data} is not there")
        return
    articles = list(_articles(arguments.data / "train.jsonl.gz"))
    test = list(_articles(arguments.data / "val.jsonl.gz"))
    train, validation = hold_out(articles, 200 / len(articles), seed=0, alike=False)
    train = train[: arguments.train]
    data = DataSet(Summarization(), validation, test)
    arms = [
        Arm(student, f"{len(train):,} articles", train, settings)
        for student, settings in ARMS
        if student in arguments.only
    ]
    print(f"{len(test):,} articles to measure on, {len(articles):,} to train on, of which {len(train):,} are used.\n")
    print(table(list(results(data, arms, arguments.out)), METRICS))
    oracle_scores = scored(data, _oracle(test))
    print("\nGreedy oracle:", {name: round(oracle_scores[name][0], 3) for name in METRICS})


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--data", type=Path, default=Path("../shared/bench/cnndm"))
    parser.add_argument("--out", type=Path, default=Path("runs/cnndm"))
    parser.add_argument("--train", type=int, default=100_000, help="how many articles to train on")
    parser.add_argument("--only", nargs="*", default=sorted({student for student, _ in ARMS}))
    return parser.parse_args()


def _articles(path: Path) -> Iterator[Example]:
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for row in map(json.loads, lines):
            if len(row["article"]) < LONGEST:
                highlights = "\n".join(row["highlights"])
                yield Example(id=row["id"], text=row["article"], target=highlights, source="gold")


def _oracle(test: Sequence[Example]) -> list[Prediction]:
    """The extracts that come closest to the references."""
    extracts = []
    for example in test:
        sentences = document(example.text)
        chosen = sorted(oracle(sentences, str(target_of(example)), most=MOST))
        extracts.append(Prediction("\n".join(sentences[place] for place in chosen)))
    return extracts


if __name__ == "__main__":
    main()
