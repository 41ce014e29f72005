"""Movie reviews labelled by gpt-3.5-turbo: what its labels are worth beside 1,000 and beside all human labels.

    python -m benchmarks.mr_gpt35 [--data ../shared/bench/mr-gpt35] [--out runs/mr-gpt35] [--prepare]

The sentences are those of the MR data set (Pang and Lee 2005); ``teacher_label`` is a recorded few-shot answer of
gpt-3.5-turbo (Xiao et al. 2023, FreeAL), null where it gave none. It is turned into a recording in the OpenAI Batch
format, so that the run reads it as it reads any teacher. Prints the table of docs/benchmarks.md as Markdown; with
``--prepare`` only the recipes are written, for studies/mr-gpt35.yaml.
"""

import argparse
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

import understudy as us
from understudy.console import Terminal
from understudy.data.files import read_rows, write_records
from understudy.tasks.classification import Classification
from understudy.teacher.request import request_body

MODEL = "gpt-3.5-turbo"
LABELS = ["negative", "positive"]
STUDENTS = {"linear": {"words": 2}, "gbdt": {}, "encoder": {"seeds": 1}}
Row = Mapping[str, Any]


def main() -> None:
    """Run both gold sizes and print one table."""
    arguments = _arguments()
    if not arguments.data.is_dir():
        print(f"passed over: {arguments.data} is not there")
        return
    train = [row for _, row in read_rows(arguments.data / "train.jsonl")]
    test = [row for _, row in read_rows(arguments.data / "dev.jsonl")]
    for gold in (1000, len(train)):
        folder = arguments.out / f"gold-{gold}"
        recipe = _recipe(folder, train, test, gold)
        if arguments.prepare:
            print(recipe)
            continue
        with Terminal() as progress:
            run = us.run(recipe, folder / "run", progress)
        print(_table(run, gold))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--data", type=Path, default=Path("../shared/bench/mr-gpt35"))
    parser.add_argument("--out", type=Path, default=Path("runs/mr-gpt35"))
    parser.add_argument("--prepare", action="store_true", help="only write the recipes with their data")
    return parser.parse_args()


def _recipe(folder: Path, train: Sequence[Row], test: Sequence[Row], gold: int) -> Path:
    """Write the recipe, its data and its recording, in which every training sentence is also in the pool."""
    pool = [{**row, "id": f"pool-{row['id']}"} for row in train]
    write_records(folder / "gold.jsonl", train[:gold])
    write_records(folder / "pool.jsonl", pool)
    write_records(folder / "test.jsonl", test)
    _record(folder, [*pool, *test])
    recipe = {
        "name": f"mr-gpt35-gold-{gold}",
        "task": {"type": "classification", "labels": LABELS},
        "data": {"gold": "gold.jsonl", "pool": "pool.jsonl", "test": "test.jsonl", "columns": {"target": "label"}},
        "teacher": {"model": MODEL, "replies": {"requests": "asked.jsonl", "replies": "answered.jsonl"}},
        "students": STUDENTS,
        "learning_curve": {"student": "linear"},
    }
    (folder / "recipe.yaml").write_text(yaml.safe_dump(recipe, sort_keys=False))
    return folder / "recipe.yaml"


def _record(folder: Path, rows: Iterable[Row]) -> None:
    """The recorded labels as OpenAI Batch files; no label becomes an empty reply."""
    task = Classification(labels=LABELS)
    requests, replies = [], []
    for row in rows:
        label = row["teacher_label"]
        message = {"role": "assistant", "content": json.dumps({"label": label}) if label else ""}
        body = {"model": MODEL, "choices": [{"index": 0, "finish_reason": "stop", "message": message}]}
        requests.append(
            {"custom_id": row["id"], "body": request_body(MODEL, task.messages(row["text"]), task.reply_schema)}
        )
        replies.append({"custom_id": row["id"], "response": {"status_code": 200, "body": body}, "error": None})
    write_records(folder / "asked.jsonl", requests)
    write_records(folder / "answered.jsonl", replies)


def _table(run: us.Run, gold: int) -> str:
    lines = [
        f"### {gold:,} gold labels",
        "",
        "| student | mixture | seeds | accuracy | macro-F1 | ms a text (p50) | training, s |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in run.scores["rows"]:
        scores = [
            f"{score['mean']:.3f} [{score['low']:.3f}, {score['high']:.3f}]"
            for score in (row["metrics"]["accuracy"], row["metrics"]["macro_f1"])
        ]
        speed = f"{row['latency_ms']['p50']:.2f}" if row["latency_ms"] else "-"
        seconds = f"{row['train_seconds']:.0f}" if row["train_seconds"] else "-"
        cells = [row["student"], row["mixture"] or "-", row["seeds"], *scores, speed, seconds]
        lines.append(f"| {' | '.join(map(str, cells))} |")
    differences = [
        f"- {found['a']} against {found['b']}: {found['difference']:+.3f} [{found['low']:+.3f}, {found['high']:+.3f}], "
        f"p = {found['p_value']:.3f}"
        for found in run.scores["comparisons"]
        if found["metric"] == run.scores["headline"]
    ]
    counts = run.scores["data"]
    used = (
        f"{counts['train_gold']:,} gold to train on, {counts['validation']:,} to stop by, "
        f"{counts['distilled']:,} distilled"
    )
    rejected = ", ".join(f"{count:,} {reason}" for reason, count in counts["rejected"].items())
    paragraphs = [f"{used}; left out: {rejected or 'nothing'}.", run.scores["choice"]["sentence"]]
    if run.scores["learning_curve"]:
        paragraphs.append(run.scores["learning_curve"]["sentence"])
    return "\n\n".join(["\n".join(lines), "macro-F1, paired:", "\n".join(differences), *paragraphs, ""])


if __name__ == "__main__":
    main()
