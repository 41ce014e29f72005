from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from tests.stages.support import prepared
from tests.teacher.support import Noted
from understudy.data.files import read_examples, write_examples
from understudy.errors import DataError
from understudy.stages.clean import clean
from understudy.stages.gather import gather
from understudy.stages.split import split
from understudy.stages.teach import teach


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


def test_each_stage_is_done_once(tmp_path: Path) -> None:
    recipe, run = prepared(tmp_path)
    assert not gather(recipe, run)
    assert not teach(recipe, run, Noted())
    assert not clean(recipe, run, Noted())
    assert not split(recipe, run)


def test_an_edited_row_with_a_wrong_label_is_told_where_it_was_edited(tmp_path: Path) -> None:
    recipe, run = prepared(tmp_path)
    first, *others = read_examples(run.clean)
    write_examples(run.clean, [replace(first, target="sports"), *others])
    with pytest.raises(DataError, match=rf"3-clean\.jsonl: the row '{first.id}': unknown label 'sports'"):
        split(recipe, run)
