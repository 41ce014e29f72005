"""Label errors: how many of a teacher's wrong labels confident learning finds, and what their removal is worth.

    python -m benchmarks.label_errors [--newswire ../shared/newswire] [--mr ../shared/bench/mr-gpt35]

Two teachers whose answers and the truth are both known: the newswire's (its pool's reference labels) and gpt-3.5-turbo
on movie reviews (all labelled by people). Each is cleaned without gold and with some. Precision is the share of wrong
labels among those rejected, recall the share of wrong labels that were rejected; then the test score of the linear
student on all distilled rows and on the cleaned ones (mean of three seeds of the cleaning). Prints Markdown.
"""

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import NamedTuple

from understudy.data.clean.label_errors import reject_label_errors
from understudy.data.clean.rejection import is_rejected
from understudy.data.files import read_rows
from understudy.example import Example
from understudy.progress import Silent
from understudy.students.linear import Linear
from understudy.tasks.classification import Classification
from understudy.training.mixtures import Mixture

NEWSWIRE = Path(__file__).parents[1] / "examples" / "newswire"
SEEDS = range(3)


class Study(NamedTuple):
    """A teacher's labels beside the truth.

    Attributes:
        name: What it is.
        taught: Texts with the teacher's labels.
        truth: Their true labels by id.
        gold: Human-labelled texts.
        test: Human-labelled texts to be measured on.
        words: The linear student's longest word n-gram.
    """

    name: str
    taught: Sequence[Example]
    truth: Mapping[str, str]
    gold: Sequence[Example]
    test: Sequence[Example]
    words: int


def main() -> None:
    """Clean what both teachers said, and print one table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--newswire", type=Path, default=Path("../shared/newswire"))
    parser.add_argument("--mr", type=Path, default=Path("../shared/bench/mr-gpt35"))
    arguments = parser.parse_args()
    print("| teacher | gold | wrong | rejected | precision | recall | macro-F1, all | cleaned |")
    print("|---|---|---|---|---|---|---|---|")
    for folder, study in ((arguments.newswire, _newswire), (arguments.mr, _reviews)):
        if not folder.is_dir():
            print(f"passed over: {folder} is not there")
            continue
        found = study(folder)
        for gold in ([], found.gold):
            print(_row(found, gold))


def _row(study: Study, gold: Sequence[Example]) -> str:
    wrong = {row.id for row in study.taught if row.target != study.truth[row.id]}
    cleaned = [list(reject_label_errors(study.taught, gold, seed)) for seed in SEEDS]
    rejected = [{row.id for row in rows if is_rejected(row)} for rows in cleaned]
    cells = [
        f"{len(wrong):,} of {len(study.taught):,}",
        f"{fmean(map(len, rejected)):,.0f}",
        f"{fmean(len(found & wrong) / max(1, len(found)) for found in rejected):.2f}",
        f"{fmean(len(found & wrong) / len(wrong) for found in rejected):.2f}",
        f"{_score(study, study.taught):.3f}",
        f"{fmean(_score(study, [row for row in rows if not is_rejected(row)]) for rows in cleaned):.3f}",
    ]
    return f"| {study.name} | {len(gold):,} | {' | '.join(cells)} |"


def _score(study: Study, distilled: Sequence[Example]) -> float:
    """Macro-F1 on the test set of the linear student, trained on these rows alone."""
    gold = [row.target for row in study.test if row.target is not None]
    task = Classification(labels=sorted({*map(str, gold), *study.truth.values()}))
    student = Linear(words=study.words)
    student.fit(Mixture.named("distilled", [], distilled), [], task, Silent())
    texts = [row.text for row in study.test]
    predicted = [answer.target for answer in student.predict(texts)]
    return task.tally(gold, predicted, texts).scores()["macro_f1"]


def _newswire(reference: Path) -> Study:
    """The newswire's recorded teacher; what the pool's true desks are stands outside the repository."""
    said = {}
    for _, line in read_rows(NEWSWIRE / "replies" / "desk.jsonl"):
        content = line["response"]["body"]["choices"][0]["message"]["content"]
        said[line["custom_id"].removeprefix("desk/")] = json.loads(content)["label"]
    taught = [
        Example(id=row["id"], text=row["text"], target=said[row["id"]], source="annotated")
        for _, row in read_rows(NEWSWIRE / "pool.jsonl")
    ]
    truth = {row["id"]: row["desk"] for _, row in read_rows(reference / "pool-reference.jsonl")}
    return Study(
        "newswire", taught, truth, _labelled(NEWSWIRE / "gold.jsonl"), _labelled(NEWSWIRE / "test.jsonl"), words=1
    )


def _reviews(folder: Path) -> Study:
    """gpt-3.5-turbo's labels of movie reviews; the first thousand are gold, the others are taught."""
    rows = [row for _, row in read_rows(folder / "train.jsonl")]
    truth = {row["id"]: row["label"] for row in rows}
    taught = [
        Example(id=row["id"], text=row["text"], target=row["teacher_label"], source="annotated")
        for row in rows[1000:]
        if row["teacher_label"]
    ]
    gold = _labelled(folder / "train.jsonl", "label")[:1000]
    return Study("movie reviews", taught, truth, gold, _labelled(folder / "dev.jsonl", "label"), words=2)


def _labelled(path: Path, column: str = "desk") -> list[Example]:
    return [Example(id=row["id"], text=row["text"], target=row[column], source="gold") for _, row in read_rows(path)]


if __name__ == "__main__":
    main()
