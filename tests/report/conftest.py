"""A finished run's folder, as far as the report reads it: made up, but with the shapes and sizes of a real one."""

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

LABELS = (
    "politics",
    "business",
    "markets",
    "technology",
    "science",
    "health",
    "sport",
    "entertainment",
    "crime",
    "environment",
    "education",
    "transport",
)
MIXTURES = ("gold", "distilled", "union", "simple_mix")
# accuracy on gold and on distilled labels, p50 in milliseconds, bytes, parameters, training seconds
STUDENTS = {
    "linear": (0.63, 0.89, 0.43, 1_240_000, 148_212, 1.1),
    "gbdt": (0.44, 0.74, 2.61, 3_870_000, 92_400, 9.4),
    "lstm": (0.38, 0.81, 3.94, 8_100_000, 2_020_108, 41.0),
    "encoder": (0.80, 0.90, 9.37, 91_300_000, 22_717_836, 128.0),
}
TEACHER_ACCURACY = 0.98
PER_LABEL = 10

_CONFUSED = {"markets": "business", "business": "markets", "health": "science", "transport": "environment"}

Edit = Callable[[dict[str, Any]], None]


def make_scores() -> dict[str, Any]:
    """A scores file of sixteen arms and a teacher."""
    rng = random.Random(7)
    rows = [_row(rng, "teacher", None, TEACHER_ACCURACY, None)]
    for student, (low, high, *cost) in STUDENTS.items():
        for mixture in MIXTURES:
            reached = (
                low if mixture == "gold" else high + {"distilled": 0.0, "union": 0.012, "simple_mix": 0.006}[mixture]
            )
            rows.append(_row(rng, student, mixture, reached, cost))
    teacher = {
        "model": "a-large-model",
        "metrics": rows[0]["metrics"],
        "cost_usd": None,
        "requests": 1080,
        "tokens": {"input": 512_340, "output": 9_720},
    }
    return {
        "version": 1,
        "name": "newswire-desk",
        "task": "classification",
        "headline": "macro_f1",
        "understudy": "0.1.0",
        "created": "2026-11-21T15:00:00Z",
        "rows": rows,
        "teacher": teacher,
        "comparisons": _comparisons(rows),
        "choice": {
            "student": "encoder",
            "mixture": "distilled",
            "folder": "5-students/distilled/encoder/seed-0",
            "sentence": "encoder on distilled labels has the highest macro-F1, and no faster student is as good "
            "within the interval.",
        },
        "learning_curve": _learning_curve(),
        "data": {
            "pool": 960,
            "gold": 120,
            "test": 120,
            "asked": 1080,
            "distilled": 958,
            "train_gold": 96,
            "validation": 24,
            "rejected": {"not on the list of labels": 1, "too long": 1},
        },
    }


def _estimate(mean: float, half: float = 0.035) -> dict[str, float]:
    return {"mean": round(mean, 4), "low": round(mean - half, 4), "high": round(min(1.0, mean + half * 0.9), 4)}


def _row(rng: random.Random, student: str, mixture: str | None, accuracy: float, cost: Any) -> dict[str, Any]:
    half = 0.02 if student == "teacher" else 0.035 + 0.05 * (1 - accuracy)
    metrics = {"accuracy": _estimate(accuracy, half), "macro_f1": _estimate(accuracy - 0.004, half)}
    row: dict[str, Any] = {"student": student, "mixture": mixture, "seeds": 1, "metrics": metrics}
    row["details"] = _details(rng, accuracy)
    if cost is None:
        return row | {"latency_ms": None, "throughput": None, "size_bytes": None, "parameters": None}
    p50, size, parameters, seconds = cost
    p50 *= rng.uniform(0.97, 1.03)
    metrics["ece"] = _estimate(0.05 + 0.1 * rng.random(), 0.02)
    return row | {
        "seeds": 3,
        "latency_ms": {"p50": p50, "p95": p50 * 1.4},
        "throughput": 4000 / p50,
        "size_bytes": size,
        "parameters": parameters,
        "train_seconds": seconds * rng.uniform(0.9, 1.1),
        "steps": 600,
    }


def _details(rng: random.Random, accuracy: float) -> dict[str, Any]:
    counts = [[0] * (len(LABELS) + 1) for _ in LABELS]
    for index, label in enumerate(LABELS):
        for _ in range(PER_LABEL):
            counts[index][_answer(rng, label, accuracy)] += 1
    per_class = {}
    for index, label in enumerate(LABELS):
        right, truth = counts[index][index], sum(counts[index])
        answered = sum(row[index] for row in counts)
        precision, recall = right / answered if answered else 0.0, right / truth
        f1 = 2 * right / (truth + answered)
        per_class[label] = {"precision": precision, "recall": recall, "f1": f1, "support": truth}
    return {"per_class": per_class, "confusion": {"labels": list(LABELS), "counts": counts}}


def _answer(rng: random.Random, label: str, accuracy: float) -> int:
    if rng.random() < accuracy:
        return LABELS.index(label)
    near = _CONFUSED.get(label)
    return LABELS.index(near) if near and rng.random() < 0.7 else rng.randrange(len(LABELS))


def _comparisons(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    score = {row["student"] + (f"/{row['mixture']}" if row["mixture"] else ""): row["metrics"] for row in rows}
    pairs = [(f"{s}/{m}", b) for s in STUDENTS for m in MIXTURES for b in (f"{s}/gold", "teacher") if b != f"{s}/{m}"]
    found = []
    for a, b in pairs:
        for metric in ("macro_f1", "accuracy"):
            difference = score[a][metric]["mean"] - score[b][metric]["mean"]
            low, high = difference - 0.041, difference + 0.039
            p_value = 0.0004 if low > 0 or high < 0 else 0.214
            found.append({"a": a, "b": b, "metric": metric, "difference": difference, "low": low, "high": high})
            found[-1]["p_value"] = p_value
    return found


def _learning_curve() -> dict[str, Any]:
    points = {60: 0.52, 120: 0.634, 240: 0.74, 480: 0.828, 958: 0.886}
    forecast = {1916: 0.921, 3832: 0.944}
    return {
        "student": "linear",
        "mixture": "distilled",
        "metric": "macro_f1",
        "points": [{"distilled": n, **_estimate(mean, 0.04)} for n, mean in points.items()],
        "forecast": [{"distilled": n, **_estimate(mean, 0.03)} for n, mean in forecast.items()],
        "sentence": "Twice the labels (1,916) would be expected to bring linear from 0.886 to 0.921 macro-F1 "
        "[0.891, 0.948].",
    }


def make_predictions(texts: list[str] | None = None) -> list[dict[str, Any]]:
    """What every arm answered on 120 test texts."""
    rng = random.Random(11)
    rows = []
    for index in range(len(LABELS) * PER_LABEL):
        gold = LABELS[index % len(LABELS)]
        text = texts[index] if texts else f"Article {index} belongs to the {gold} desk. " + "It says much more. " * 12
        arms = {}
        for student, (low, high, *_) in STUDENTS.items():
            for mixture in MIXTURES:
                answer = LABELS[_answer(rng, gold, low if mixture == "gold" else high)]
                confidence = rng.uniform(0.75, 1.0) if answer == gold else rng.uniform(0.3, 0.95)
                arms[f"{student}/{mixture}"] = {"target": answer, "confidence": round(confidence, 6)}
        said = LABELS[_answer(rng, gold, TEACHER_ACCURACY)]
        teacher = {"target": said, "confidence": None}
        rows.append({"id": f"wire-{index:04}", "text": text, "gold": gold, "teacher": teacher, "predictions": arms})
    return rows


def make_rejected() -> list[dict[str, Any]]:
    """Two examples that were not learned from."""
    reply = '{"label": "weather"}'
    return [
        {
            "id": "wire-2001",
            "text": "A storm is expected over the northern coast by Friday.",
            "source": "pool",
            "meta": {"rejected": "not on the list of labels", "reply": reply},
        },
        {"id": "wire-2002", "text": "word " * 600, "source": "pool", "meta": {"rejected": "too long"}},
    ]


@pytest.fixture
def run_folder(tmp_path: Path) -> Callable[..., Path]:
    """Writes a run's folder; its scores, predictions and rejected rows may be edited before."""

    def write(scores: Edit | None = None, predictions: Any = None, rejected: Any = None) -> Path:
        found = make_scores()
        if scores:
            scores(found)
        folder = tmp_path / "run"
        folder.mkdir(exist_ok=True)
        (folder / "6-scores.json").write_text(json.dumps(found), encoding="utf-8")
        _write_lines(folder / "6-predictions.jsonl", make_predictions() if predictions is None else predictions)
        _write_lines(folder / "3-rejected.jsonl", make_rejected() if rejected is None else rejected)
        return folder

    return write


def _write_lines(path: Path, rows: list[dict[str, Any]]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
