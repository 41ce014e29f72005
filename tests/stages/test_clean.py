from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.newswire import rows, write_rows, write_slice
from tests.stages.support import prepared
from tests.teacher.support import Noted
from understudy.data.files import read_examples, write_examples
from understudy.errors import DataError
from understudy.recipe import Recipe
from understudy.run_folder import RunFolder
from understudy.stages.clean import clean, rejections
from understudy.stages.gather import gather
from understudy.stages.teach import teach


def taught(folder: Path, pool: int = 24, **changed: Any) -> tuple[Recipe, RunFolder]:
    """The stages before cleaning, done."""
    recipe, run = Recipe.load(write_slice(folder, per_desk=2, pool=pool, **changed)), RunFolder(folder / "run")
    gather(recipe, run)
    teach(recipe, run, Noted())
    return recipe, run


def test_what_may_be_learned_from_and_what_may_not_are_parted_and_nothing_is_lost(tmp_path: Path) -> None:
    recipe, run = taught(tmp_path, clean={"max_chars": 700})
    assert clean(recipe, run, Noted())
    kept, out = list(read_examples(run.clean)), list(read_examples(run.rejected))
    assert {example.id for example in [*kept, *out]} == {row["id"] for row in rows(tmp_path / "pool.jsonl")}
    assert len(kept) + len(out) == 24
    assert all(len(example.text) < 700 for example in kept)
    assert rejections(run) == {"too long": len(out)}
    assert out


def test_a_pool_text_that_nearly_stands_in_the_test_set_is_never_asked_about(tmp_path: Path) -> None:
    recipe = Recipe.load(write_slice(tmp_path, per_desk=2, pool=24))
    leaked = rows(tmp_path / "test.jsonl")[0]
    pool = [*rows(tmp_path / "pool.jsonl"), {"id": "leak", "text": f"{leaked['text']} Updated."}]
    write_rows(tmp_path / "pool.jsonl", pool)
    run = RunFolder(tmp_path / "run")
    gather(recipe, run)
    teach(recipe, run, Noted())
    assert clean(recipe, run, Noted())
    [out] = read_examples(run.rejected)
    assert out.id == "leak"
    assert out.meta["rejected"] == "near-duplicate of test"
    assert out.meta["of"] == leaked["id"]
    assert "reply" not in out.meta


def test_a_generated_text_that_stands_in_the_test_set_or_in_validation_is_not_learned_from(tmp_path: Path) -> None:
    recipe, run = taught(tmp_path)
    rows_before = list(read_examples(run.taught))
    test = next(example for example in read_examples(run.inputs) if example.source == "test")
    copy = replace(rows_before[0], id="copy", source="generated", text=test.text.upper(), target="sport")
    write_examples(run.taught, [*rows_before, copy])
    assert clean(recipe, run, Noted())
    [out] = read_examples(run.rejected)
    assert (out.id, out.meta["rejected"], out.meta["of"]) == ("copy", "stands in test", test.id)


def test_gold_that_is_left_out_stands_among_what_was_rejected(tmp_path: Path) -> None:
    path = write_slice(tmp_path, per_desk=2, pool=24, data={"repeats": "leave_out"})
    leaked = rows(tmp_path / "test.jsonl")[0]
    write_rows(tmp_path / "gold.jsonl", [*rows(tmp_path / "gold.jsonl"), {**leaked, "id": "leak"}])
    recipe, run = Recipe.load(path), RunFolder(tmp_path / "run")
    gather(recipe, run)
    teach(recipe, run, Noted())
    assert clean(recipe, run, Noted())
    [out] = read_examples(run.rejected)
    assert (out.id, out.source, out.meta["rejected"]) == ("leak", "gold", "stands in test")
    assert rejections(run) == {"stands in test": 1}


def test_it_is_done_again_when_the_settings_change_and_only_then(tmp_path: Path) -> None:
    recipe, run = taught(tmp_path)
    assert clean(recipe, run, Noted())
    assert not clean(recipe, run, Noted())
    balanced = Recipe.load(write_slice(tmp_path, per_desk=2, pool=24, clean={"max_per_label": 1}))
    assert clean(balanced, run, Noted())
    kept = list(read_examples(run.clean))
    assert len({example.target for example in kept}) == len(kept)
    assert rejections(run) == {"more than max_per_label": 24 - len(kept)}


def test_labels_can_be_searched_for_errors(tmp_path: Path) -> None:
    recipe, run = taught(tmp_path, pool=60, clean={"label_errors": True})
    assert clean(recipe, run, Noted())
    assert sum(rejections(run).values()) + len(list(read_examples(run.clean))) == 60


def test_a_pool_text_that_is_held_out_for_validation_is_not_learned_from(tmp_path: Path) -> None:
    recipe, run = prepared(tmp_path)
    held_out = next(read_examples(run.validation))
    taught = list(read_examples(run.taught))
    pool = [example for example in taught if example.id in {row["id"] for row in rows(tmp_path / "pool.jsonl")}]
    swapped = [replace(row, text=held_out.text.upper()) if row.id == pool[0].id else row for row in taught]
    write_examples(run.taught, swapped)
    assert clean(recipe, run, Noted())
    [rejected] = read_examples(run.rejected)
    assert rejected.id == pool[0].id
    assert rejected.meta["of"] == held_out.id
    assert pool[0].id not in {example.id for example in read_examples(run.clean)}


def test_a_pool_that_is_rejected_as_a_whole_is_an_error_that_names_the_reasons(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"3-rejected\.jsonl: every text was rejected") as caught:
        prepared(tmp_path, clean={"max_chars": 10})
    assert "meta.rejected" in str(caught.value)
    run = RunFolder(tmp_path / "run")
    assert len(list(read_examples(run.rejected))) == 24
