from collections import Counter
from pathlib import Path

from tests.newswire import rows, write_rows
from tests.stages.support import prepared
from tests.teacher.support import Noted
from understudy.data.files import read_examples
from understudy.recipe import Recipe
from understudy.run_folder import RunFolder
from understudy.stages.gather import gather, gold_of, read_gold


def test_all_rows_are_gathered_and_only_gold_and_test_have_targets(tmp_path: Path) -> None:
    _, run = prepared(tmp_path)
    examples = list(read_examples(run.inputs))
    assert Counter(example.source for example in examples) == {"gold": 24, "test": 24, "pool": 24}
    assert all((example.target is None) is (example.source == "pool") for example in examples)


def test_gold_that_is_left_out_is_counted_and_kept_with_its_reason(tmp_path: Path) -> None:
    recipe, _ = prepared(tmp_path, data={"repeats": "leave_out"})
    assert recipe.data.gold is not None
    assert recipe.data.test is not None
    [leak, *_], gold = rows(recipe.data.test), rows(recipe.data.gold)
    write_rows(recipe.data.gold, [*gold, {**leak, "id": "leak"}])
    noted = Noted()
    run = RunFolder(tmp_path / "again", noted)
    gather(Recipe.load(str(recipe.source)), run)
    assert noted.lines == ["gold rows left out: 1 (stands in test); see meta.rejected in 1-inputs.jsonl"]
    assert [row.id for row in read_examples(run.inputs) if row.meta] == ["leak"]
    assert len(list(gold_of(recipe, run))) == len(list(read_gold(recipe))) == len(gold)
