from pathlib import Path

import pytest

from tests.newswire import rows, write_rows, write_slice
from tests.stages.support import prepared
from tests.teacher.support import Noted
from understudy.data.files import read_examples
from understudy.errors import DataError, TeacherError
from understudy.recipe import Recipe
from understudy.run_folder import RunFolder
from understudy.stages.clean import clean
from understudy.stages.gather import gather, read_sources
from understudy.stages.teach import askable, teach


def test_the_teacher_is_asked_about_pool_and_test_and_never_about_gold(tmp_path: Path) -> None:
    _, run = prepared(tmp_path)
    given = {example.id for example in read_examples(run.inputs) if example.source != "gold"}
    taught = list(read_examples(run.taught))
    assert {example.id for example in taught} == given
    assert all(example.source == "annotated" and "reply" in example.meta for example in taught)


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


def test_a_recording_of_another_task_is_told_before_anything_is_kept(tmp_path: Path) -> None:
    labels = {"sport": "games", "other": "all else"}
    with pytest.raises(DataError, match="unknown label"):
        prepared(tmp_path / "a", task={"labels": labels})
    with pytest.raises(TeacherError, match="the model asked for is 'gpt-9', the recorded one 'claude'"):
        prepared(tmp_path / "b", teacher={"model": "gpt-9"})
    assert not RunFolder(tmp_path / "b" / "run").taught.exists()


def test_how_patiently_the_teacher_is_asked_does_not_make_it_answer_anew(tmp_path: Path) -> None:
    _, run = prepared(tmp_path)
    patient = Recipe.load(write_slice(tmp_path, per_desk=2, pool=24, teacher={"timeout": 5, "concurrency": 2}))
    assert not teach(patient, run, Noted())
    shorter = Recipe.load(write_slice(tmp_path, per_desk=2, pool=24, clean={"max_chars": 900}))
    assert teach(shorter, run, Noted())
