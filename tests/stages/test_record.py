"""Answers that the teacher gave elsewhere become a recording that a run takes for its own."""

import json
from pathlib import Path
from typing import Any

import pytest

import understudy as us
from tests.newswire import recorded_labels, rows, write_rows, write_slice
from understudy import pipeline
from understudy.data.files import read_examples
from understudy.errors import DataError
from understudy.example import Span
from understudy.run_folder import RunFolder

NAMED = {"replies": {"requests": "old/requests.jsonl", "replies": "old/replies.jsonl"}}


def with_old_labels(folder: Path, **changed: Any) -> Path:
    """A recipe whose pool and test hold what a large model said long ago."""
    path = write_slice(folder, per_desk=2, pool=24, **{"teacher": NAMED, **changed})
    known = recorded_labels()
    for name in ("pool.jsonl", "test.jsonl"):
        write_rows(folder / name, [{**row, "gpt": known[row["id"]]} for row in rows(folder / name)])
    return path


def test_a_run_learns_from_old_labels_as_from_new_ones(tmp_path: Path) -> None:
    path = with_old_labels(tmp_path / "old_labels")
    assert pipeline.record(path, "gpt", path.parent / "old") == 48
    old = us.run(path, tmp_path / "old")
    asked = us.run(write_slice(tmp_path / "asked", per_desk=2, pool=24), tmp_path / "new")
    assert [row["metrics"] for row in old.scores["rows"]] == [row["metrics"] for row in asked.scores["rows"]]


def test_no_answer_and_one_that_is_none_are_rejected_by_the_run_with_the_reason(tmp_path: Path) -> None:
    path = with_old_labels(tmp_path)
    pool = rows(tmp_path / "pool.jsonl")
    pool[0]["gpt"], pool[1]["gpt"] = None, "gossip"
    write_rows(tmp_path / "pool.jsonl", pool)
    pipeline.record(path, "gpt", tmp_path / "old")
    us.run(path, tmp_path / "run")
    rejected = {row.id: row.meta for row in read_examples(RunFolder(tmp_path / "run").rejected)}
    assert {name: meta["reply"] for name, meta in rejected.items()} == {pool[0]["id"]: "", pool[1]["id"]: "gossip"}
    assert all(meta["rejected"] for meta in rejected.values())


def test_entities_are_recorded_as_the_teacher_would_have_listed_them(tmp_path: Path) -> None:
    ann = {"start": 0, "end": 3, "type": "PER"}
    for name in ("gold", "pool", "test"):
        write_rows(tmp_path / f"{name}.jsonl", [{"text": f"Ann met Bob in the {name}.", "target": [], "llm": [ann]}])
    recipe = {
        "name": "names",
        "task": {"type": "ner", "types": ["PER"]},
        "data": {name: f"{name}.jsonl" for name in ("gold", "pool", "test")},
        "teacher": {"model": "gpt", **NAMED},
        "students": {"linear": None},
    }
    path = tmp_path / "recipe.yaml"
    path.write_text(json.dumps(recipe), encoding="utf-8")
    assert pipeline.record(path, "llm", tmp_path / "old") == 2
    pipeline.teach_only(path, tmp_path / "run")
    taught = list(read_examples(RunFolder(tmp_path / "run").taught))
    assert [row.target for row in taught] == [(Span(0, 3, "PER"),)] * 2


def test_a_column_that_is_not_there_is_told_with_its_file(tmp_path: Path) -> None:
    path = with_old_labels(tmp_path)
    with pytest.raises(DataError, match=r"pool.jsonl:1: unknown column 'gtp'; did you mean 'gpt'\?"):
        pipeline.record(path, "gtp", tmp_path / "old")
    assert not (tmp_path / "old" / "replies.jsonl").exists()


def test_a_teacher_that_has_not_seen_the_test_texts_need_not_be_compared(tmp_path: Path) -> None:
    path = with_old_labels(tmp_path)
    for row in (test := rows(tmp_path / "test.jsonl")):
        del row["gpt"]
    write_rows(tmp_path / "test.jsonl", test)
    with pytest.raises(DataError, match=r"test.jsonl:1: unknown column 'gpt'.* set teacher.compared: false"):
        pipeline.record(path, "gpt", tmp_path / "old")
    path = write_slice(tmp_path / "other", per_desk=2, pool=24, teacher={**NAMED, "compared": False})
    write_rows(tmp_path / "other" / "pool.jsonl", rows(tmp_path / "pool.jsonl"))
    assert pipeline.record(path, "gpt", tmp_path / "other" / "old") == 24
    assert us.run(path, tmp_path / "run").scores["rows"]


def test_a_recording_is_never_overwritten(tmp_path: Path) -> None:
    path = with_old_labels(tmp_path)
    pipeline.record(path, "gpt", tmp_path / "old")
    with pytest.raises(DataError, match=r"requests.jsonl: exists already; choose another folder"):
        pipeline.record(path, "gpt", tmp_path / "old")
