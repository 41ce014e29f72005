"""A small slice of the newswire example with its recorded replies, and recipes over it."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[1]
NEWSWIRE = ROOT / "examples" / "newswire"
RECIPE = ROOT / "recipes" / "newswire-desk.yaml"
RECORDING = {kind: str(NEWSWIRE / kind / "desk.jsonl") for kind in ("requests", "replies")}
LABELS: dict[str, str] = yaml.safe_load(RECIPE.read_text(encoding="utf-8"))["task"]["labels"]

Row = dict[str, Any]


def rows(path: Path) -> list[Row]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def write_rows(path: Path, records: list[Row]) -> None:
    path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")


def some(name: str, per_desk: int) -> list[Row]:
    seen: Counter[str] = Counter()
    taken = []
    for row in rows(NEWSWIRE / name):
        seen[row["desk"]] += 1
        if seen[row["desk"]] <= per_desk:
            taken.append({"id": row["id"], "text": row["text"], "desk": row["desk"]})
    return taken


def recorded_labels() -> dict[str, str]:
    """The teacher's recorded answer to each row, by its id."""
    found = {}
    for line in rows(NEWSWIRE / "replies" / "desk.jsonl"):
        content = line["response"]["body"]["choices"][0]["message"]["content"]
        found[line["custom_id"].removeprefix("desk/")] = str(json.loads(content)["label"])
    return found


def write_recipe(folder: Path, **changed: Any) -> Path:
    """A recipe over the files in a folder; sections that are mappings are changed key by key, None removes a key."""
    recipe: dict[str, Any] = {
        "name": "small",
        "task": {"type": "classification", "labels": LABELS, "prompt": "classification.v1"},
        "data": {"pool": "pool.jsonl", "gold": "gold.jsonl", "test": "test.jsonl", "columns": {"target": "desk"}},
        "teacher": {"model": "claude", "replies": RECORDING, "store": "replies.jsonl"},
        "students": {"linear": None},
        "mixtures": ["gold", "distilled"],
        "seeds": 2,
    }
    for name, value in changed.items():
        both = isinstance(value, dict) and isinstance(recipe.get(name), dict) and name != "students"
        recipe[name] = {**recipe[name], **value} if both else value
    path = folder / "recipe.yaml"
    kept = {name: value for name, value in recipe.items() if value is not None}
    path.write_text(yaml.safe_dump(kept, sort_keys=False), encoding="utf-8")
    return path


def write_slice(folder: Path, *, per_desk: int = 8, pool: int = 100, **changed: Any) -> Path:
    """The slice's files and a recipe over them."""
    folder.mkdir(parents=True, exist_ok=True)
    write_rows(folder / "gold.jsonl", some("gold.jsonl", per_desk))
    write_rows(folder / "test.jsonl", some("test.jsonl", per_desk))
    write_rows(folder / "pool.jsonl", rows(NEWSWIRE / "pool.jsonl")[:pool])
    return write_recipe(folder, **changed)


def write_highlights(folder: Path, students: dict[str, Any], *, each: int = 24) -> Path:
    """A few articles with their recorded highlights, and a recipe that has students summarise them."""
    for name in ("gold", "pool", "test"):
        write_rows(folder / f"{name}.jsonl", rows(NEWSWIRE / f"{name}.jsonl")[:each])
    recording = {kind: str(NEWSWIRE / kind / "highlights.jsonl") for kind in ("requests", "replies")}
    path = write_recipe(
        folder, data={"columns": {"target": "highlights"}}, teacher={"replies": recording}, students=students
    )
    recipe = yaml.safe_load(path.read_text(encoding="utf-8"))
    recipe["task"] = {"type": "summarization", "prompt": "summarization.v1"}
    path.write_text(yaml.safe_dump(recipe, sort_keys=False), encoding="utf-8")
    return path


def stamps(folder: Path) -> dict[str, int]:
    """When each file in a folder was last written."""
    return {str(path.relative_to(folder)): path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}


def quality(scores: dict[str, Any]) -> dict[str, Any]:
    """What of the scores does not hang on the clock."""
    timed = {"latency_ms", "throughput", "train_seconds"}
    return {
        "rows": [{name: value for name, value in row.items() if name not in timed} for row in scores["rows"]],
        **{name: scores[name] for name in ("task", "headline", "teacher", "comparisons", "learning_curve", "data")},
    }
