from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.newswire import rows, write_rows, write_slice
from tests.teacher.support import Noted
from understudy.data.files import read_examples, write_examples
from understudy.errors import DataError, TeacherError
from understudy.recipe import Recipe
from understudy.run_folder import RunFolder
from understudy.stages.clean import clean
from understudy.stages.gather import gather, read_sources
from understudy.stages.split import split
from understudy.stages.teach import askable, teach


def prepared(folder: Path, **changed: Any) -> tuple[Recipe, RunFolder]:
    """The stages before training, done."""
    recipe, run = Recipe.load(write_slice(folder, per_desk=2, pool=24, **changed)), RunFolder(folder / "run")
    gather(recipe, run)
    teach(recipe, run, Noted())
    clean(recipe, run, Noted())
    split(recipe, run)
    return recipe, run


def test_all_rows_are_gathered_and_only_gold_and_test_have_targets(tmp_path: Path) -> None:
    _, run = prepared(tmp_path)
    examples = list(read_examples(run.inputs))
    assert Counter(example.source for example in examples) == {"gold": 24, "test": 24, "pool": 24}
    assert all((example.target is None) is (example.source == "pool") for example in examples)


def test_the_teacher_is_asked_about_pool_and_test_and_never_about_gold(tmp_path: Path) -> None:
    _, run = prepared(tmp_path)
    given = {example.id for example in read_examples(run.inputs) if example.source != "gold"}
    taught = list(read_examples(run.taught))
    assert {example.id for example in taught} == given
    assert all(example.source == "annotated" and "reply" in example.meta for example in taught)


def test_the_teachers_answers_to_the_test_set_are_not_learned_from(tmp_path: Path) -> None:
    _, run = prepared(tmp_path)
    test = {example.id for example in read_examples(run.test)}
    learned = [*read_examples(run.clean), *read_examples(run.train), *read_examples(run.validation)]
    assert len(test) == 24
    assert not test & {example.id for example in learned}


def test_gold_is_parted_into_training_and_validation_and_nothing_is_lost(tmp_path: Path) -> None:
    _, run = prepared(tmp_path, data={"validation": 0.25})
    train, validation = list(read_examples(run.train)), list(read_examples(run.validation))
    assert {example.source for example in validation} == {"gold"}
    assert len(validation) == 6
    assert Counter(example.source for example in train) == {"gold": 18, "annotated": 24}


def test_without_gold_some_of_the_teachers_labels_are_held_out(tmp_path: Path) -> None:
    _, run = prepared(tmp_path, data={"gold": None}, mixtures=["distilled"])
    train, validation = list(read_examples(run.train)), list(read_examples(run.validation))
    assert {example.source for example in [*train, *validation]} == {"annotated"}
    assert len(train) + len(validation) == 24
    assert validation


def test_texts_not_worth_asking_about_are_rejected_with_the_reason(tmp_path: Path) -> None:
    recipe = Recipe.load(write_slice(tmp_path, per_desk=1, pool=12))
    pool = rows(tmp_path / "pool.jsonl")
    first = pool[0]
    again = {"id": "again", "text": f"  {first['text'].upper()}\n"}
    write_rows(tmp_path / "pool.jsonl", [*pool, {"id": "long", "text": "word " * 410}, again])
    run = RunFolder(tmp_path / "run")
    gather(recipe, run)
    asked = {example.id for example in askable(recipe, read_sources(recipe))}
    assert not asked & {"long", "again"}
    teach(recipe, run, Noted())
    clean(recipe, run, Noted())
    rejected = {example.id: example.meta for example in read_examples(run.rejected)}
    assert rejected == {"long": {"rejected": "too long"}, "again": {"rejected": "duplicate", "of": first["id"]}}
    assert len(list(read_examples(run.clean))) == 12


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


def test_a_recording_of_another_task_is_told_before_anything_is_kept(tmp_path: Path) -> None:
    labels = {"sport": "games", "other": "all else"}
    with pytest.raises(DataError, match="unknown label"):
        prepared(tmp_path / "a", task={"labels": labels})
    with pytest.raises(TeacherError, match="the model asked for is 'gpt-9', the recorded one 'claude'"):
        prepared(tmp_path / "b", teacher={"model": "gpt-9"})
    assert not RunFolder(tmp_path / "b" / "run").taught.exists()


def test_each_stage_is_done_once(tmp_path: Path) -> None:
    recipe, run = prepared(tmp_path)
    assert not gather(recipe, run)
    assert not teach(recipe, run, Noted())
    assert not clean(recipe, run, Noted())
    assert not split(recipe, run)


def test_how_patiently_the_teacher_is_asked_does_not_make_it_answer_anew(tmp_path: Path) -> None:
    _, run = prepared(tmp_path)
    patient = Recipe.load(write_slice(tmp_path, per_desk=2, pool=24, teacher={"timeout": 5, "concurrency": 2}))
    assert not teach(patient, run, Noted())
    shorter = Recipe.load(write_slice(tmp_path, per_desk=2, pool=24, clean={"max_chars": 900}))
    assert teach(shorter, run, Noted())


def test_an_edited_row_with_a_wrong_label_is_told_where_it_was_edited(tmp_path: Path) -> None:
    recipe, run = prepared(tmp_path)
    first, *others = read_examples(run.clean)
    write_examples(run.clean, [replace(first, target="sports"), *others])
    with pytest.raises(DataError, match=rf"3-clean\.jsonl: the row '{first.id}': unknown label 'sports'"):
        split(recipe, run)
