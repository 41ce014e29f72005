"""A study's findings: made up, but with the shapes and sizes of real ones."""

import math
import random
from collections.abc import Iterator
from typing import Any

from understudy.registry import find

GOLD, DISTILLED = 96, 862
M = DISTILLED / (GOLD + DISTILLED)
MIXTURES = ("gold", "distilled", "union", "simple_mix", "reversed", "linear", "cosine", "sigmoid", "power", "weighted")
ALL_MIXTURES = (*MIXTURES, "needle")
# macro-F1 on gold and on distilled labels, p50 in milliseconds, bytes, parameters, steps, whether it has a history
STUDENTS: dict[str, tuple[float, float, float, int, int, int, bool]] = {
    "linear": (0.63, 0.87, 0.43, 1_240_000, 148_212, 300, False),
    "gbdt": (0.44, 0.74, 2.61, 3_870_000, 92_400, 100, False),
    "lstm": (0.38, 0.79, 3.94, 8_100_000, 2_020_108, 600, True),
    "encoder": (0.80, 0.90, 9.37, 91_300_000, 22_717_836, 240, True),
}


def make_findings(
    students: tuple[str, ...] = tuple(STUDENTS), mixtures: tuple[str, ...] = ALL_MIXTURES
) -> dict[str, Any]:
    """A study's findings file."""
    rng = random.Random(5)
    reached = {(s, m): _reached(rng, s, m) for s in students for m in mixtures}
    rows = [_row(rng, s, m, score) for (s, m), score in reached.items()]
    rows += [{**_row(rng, s, "union", reached[s, "union"] - 0.1), **_small} for s in students if "union" in mixtures]
    return {
        "version": 1,
        "name": "blends",
        "note": "Articles and labels are made up.",
        "task": "classification",
        "headline": "macro_f1",
        "exact": True,
        "diagnostic": [],
        "understudy": "0.1.0",
        "created": "2026-11-22T01:00:00+00:00",
        "study": "studies/blends.yaml",
        "seeds": 3,
        "steps": "matched",
        "counts": {"gold": GOLD, "distilled": DISTILLED, "validation": 24, "test": 120},
        "teacher": {
            "model": "a-large-model",
            "metrics": {"macro_f1": _estimate(0.976, 0.02), "accuracy": _estimate(0.98, 0.02)},
            "cost_usd": 1.2,
            "label_usd": 0.0012,
        },
        "rows": rows,
        "m": M,
        "shares": {name: [[u / 100, find("mixture", name)(u / 100, M)] for u in range(101)] for name in mixtures},
        "claims": list(_claims(students)),
        "controls": [
            comparison(f"{s}/{m}", f"{s}/gold", score - reached[s, "gold"], s)
            for (s, m), score in reached.items()
            if m != "gold" and "gold" in mixtures
        ],
        "curves": list(_curves(students)),
    }


_small = {"gold": 24, "distilled": 240, "whole": False, "latency_ms": None, "name": "union, 24 gold, 240 distilled"}


def comparison(a: str, b: str, difference: float, student: str | None = None) -> dict[str, Any]:
    significant = abs(difference) > 0.03
    p_value = 0.0004 if significant else 0.31
    return {
        "a": a,
        "b": b,
        "student": student,
        "metric": "macro_f1",
        "difference": difference,
        "low": difference - 0.028,
        "high": difference + 0.027,
        "p_value": p_value,
        "p_holm": min(1.0, 20 * p_value),
        "effect": 4 * difference,
        "significant": significant,
    }


def _reached(rng: random.Random, student: str, mixture: str) -> float:
    gold, distilled, *_ = STUDENTS[student]
    return gold if mixture == "gold" else distilled + rng.uniform(-0.03, 0.03)


def _estimate(mean: float, half: float = 0.035) -> dict[str, float]:
    return {"mean": round(mean, 4), "low": round(mean - half, 4), "high": round(min(1.0, mean + half * 0.9), 4)}


def _row(rng: random.Random, student: str, mixture: str, score: float) -> dict[str, Any]:
    *_, p50, size, parameters, steps, looks = STUDENTS[student]
    p50 *= rng.uniform(0.97, 1.03)
    course = [[u / 8, score * (1 - math.exp(-1 - 4 * u / 8))] for u in range(9)]
    return {
        "name": f"{student}/{mixture}",
        "student": student,
        "mixture": mixture,
        "gold": 0 if mixture == "distilled" else GOLD,
        "distilled": 0 if mixture == "gold" else DISTILLED,
        "whole": True,
        "control": False,
        "seeds": 3,
        "metrics": {"macro_f1": _estimate(score), "accuracy": _estimate(score + 0.004), "ece": _estimate(0.06, 0.02)},
        "steps": steps,
        "train_seconds": steps / 10,
        "parameters": parameters,
        "size_bytes": size,
        "latency_ms": {"p50": p50, "p95": 1.4 * p50},
        "history": course if looks else [],
    }


def _claims(students: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    for claim, than, difference, verdict in (
        ("Distilled first, then gold is the best blend (Huang et al. 2024)", "union", 0.004, "not shown"),
        ("Distilled labels help beside all gold", "gold", 0.21, "supported"),
        ("The student is as good as its teacher", "teacher", -0.11, "contradicted"),
    ):
        yield {
            "claim": claim,
            "better": "simple_mix",
            "than": than,
            "verdict": verdict,
            "pooled": comparison("simple_mix", than, difference),
            "by_student": [
                comparison(
                    f"{student}/simple_mix",
                    "teacher" if than == "teacher" else f"{student}/{than}",
                    difference + 0.02 * place - 0.03,
                    student,
                )
                for place, student in enumerate(students)
            ],
        }


def _curves(students: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    for student in students:
        for mixture, lift in (("distilled", 0.0), ("simple_mix", 0.03)):
            yield {
                "student": student,
                "mixture": mixture,
                "over": "distilled",
                "metric": "macro_f1",
                "points": [_point(n, 0.5 + lift + 0.06 * math.log2(n / 60)) for n in (60, 120, 240, 480, DISTILLED)],
                "forecast": [_point(n, 0.55 + lift + 0.05 * math.log2(n / 60)) for n in (2 * DISTILLED,)],
                "sentence": f"Twice the labels would be expected to bring {student}/{mixture} to 0.76 macro-F1.",
            }
        yield {
            "student": student,
            "mixture": "gold",
            "over": "gold",
            "metric": "macro_f1",
            "points": [_point(n, 0.3 + 0.07 * math.log2(n / 12)) for n in (24, 48, 96)],
            "forecast": [],
            "sentence": None,
        }


def _point(size: int, mean: float) -> dict[str, float]:
    return {"size": size, **_estimate(mean, 0.04)}
