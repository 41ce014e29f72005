from pathlib import Path
from shutil import copytree

import pytest

from tests.newswire import write_slice
from tests.teacher.support import Noted
from understudy.data.files import read_examples, read_json, write_examples
from understudy.errors import DataError
from understudy.example import Example
from understudy.recipe import Recipe, TaskSpec
from understudy.run_folder import RunFolder
from understudy.stages.arms import Arm, comparison_arms
from understudy.stages.train import TrainingSet, train, train_arms
from understudy.students.linear import Linear
from understudy.students.student import load
from understudy.tasks.classification import Classification


@pytest.fixture
def recipe(tmp_path: Path) -> Recipe:
    return Recipe.load(write_slice(tmp_path, per_desk=1, pool=1, task={"labels": ["sport", "politics"]}, seeds=1))


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    """A folder in which the stages before training have left their files."""
    run = RunFolder(tmp_path / "run")
    gold = [Example(id=f"g{i}", text=f"match {i}", target="sport", source="gold") for i in range(4)]
    told = [
        Example(id=f"d{i}", text=f"vote {i}{' again' * (i % 2)}", target="politics", source="annotated")
        for i in range(8)
    ]
    write_examples(run.train, [*gold, *told])
    write_examples(run.validation, [])
    return run


def test_an_arm_learns_from_what_its_mixture_names(recipe: Recipe, run: RunFolder) -> None:
    data = TrainingSet(run, recipe.task.build())
    assert [example.id for example in data.gold] == ["g0", "g1", "g2", "g3"]
    assert {example.id for example in data.distilled} == {f"d{i}" for i in range(8)}
    spec = recipe.students[0]
    draws = [{row.id for row in data.mixture(Arm(spec, "distilled", seed, 3)).distilled} for seed in (0, 0, 1, 2)]
    assert draws[0] == draws[1]
    assert len(set(map(frozenset, draws))) > 1
    assert all(len(draw) == 3 for draw in draws)


def test_every_arm_is_saved_with_a_record_of_its_training(recipe: Recipe, run: RunFolder) -> None:
    assert train(recipe, run, Noted())
    for arm in comparison_arms(recipe):
        record = read_json(arm.record(run))
        assert record["steps"] > 0
        assert record["train_seconds"] > 0
        assert record["parameters"] == load(arm.folder(run)).count_parameters()
        assert record["size_bytes"] == sum(file.stat().st_size for file in arm.folder(run).iterdir())
    assert not train(recipe, run, Noted())


def test_only_the_arms_that_are_missing_are_trained(
    recipe: Recipe, run: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    train(recipe, run, Noted())
    trained: list[str] = []
    fit = Linear.fit

    def noting(self: Linear, mixture: object, *rest: object) -> object:
        trained.append(mixture.name)  # type: ignore[attr-defined]
        return fit(self, mixture, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(Linear, "fit", noting)
    [gone] = [arm for arm in comparison_arms(recipe) if arm.mixture == "distilled"]
    gone.record(run).unlink()
    assert train(recipe, run, Noted())
    assert trained == ["distilled"]


def test_arms_trained_side_by_side_are_those_trained_one_by_one(recipe: Recipe, run: RunFolder, tmp_path: Path) -> None:
    other = RunFolder(tmp_path / "other")
    copytree(run.path, other.path)
    assert train(recipe, run, Noted())
    assert train(recipe, other, Noted(), jobs=2)
    for arm in comparison_arms(recipe):
        answers = [load(arm.folder(where)).predict(["match 1 vote"]) for where in (run, other)]
        assert answers[0] == answers[1]


def test_a_looked_over_arm_is_trained_after_its_judge_and_anew_with_it(recipe: Recipe, run: RunFolder) -> None:
    recipe = recipe.model_copy(update={"mixtures": ("weighted", "gold")})
    [weighted], [judge] = ([arm for arm in comparison_arms(recipe) if arm.mixture == name] for name in recipe.mixtures)
    assert weighted.judge == judge
    assert train(recipe, run, Noted())
    before = weighted.record(run).stat().st_mtime_ns
    judge.record(run).unlink()
    assert train(recipe, run, Noted())
    assert weighted.record(run).stat().st_mtime_ns > before


def test_what_a_looked_over_arm_learns_from_has_weights(recipe: Recipe, run: RunFolder) -> None:
    spec = recipe.students[0]
    train_arms([Arm(spec, "gold", 0, gold=2)], recipe, run, Noted())
    mixture = TrainingSet(run, recipe.task.build()).mixture(Arm(spec, "weighted", 0, distilled=5, gold=2))
    assert len({example.weight for example in mixture.distilled}) > 1
    assert sum(example.weight for example in mixture.distilled) == pytest.approx(5)
    assert [example.weight for example in mixture.gold] == [1.0, 1.0]


def test_fewer_examples_are_a_part_of_more_and_may_take_as_many_steps(recipe: Recipe, run: RunFolder) -> None:
    data, spec = TrainingSet(run, recipe.task.build()), recipe.students[0]
    ids = [
        {example.id for example in data.mixture(Arm(spec, "union", 0, size, 2)).examples} for size in (1, 3, 5, None)
    ]
    assert ids[0] < ids[1] < ids[2] < ids[3]
    whole = data.mixture(Arm(spec, "union", 0)).steps(10, 4)
    assert data.mixture(Arm(spec, "union", 0, 1, 2)).steps(10, 4) < whole
    assert data.mixture(Arm(spec, "union", 0, 1, 2, matched=True)).steps(10, 4) == whole


def test_a_training_that_fails_leaves_nothing_that_is_taken_for_finished(
    recipe: Recipe, run: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: Linear, folder: Path) -> None:
        folder.mkdir(parents=True)
        (folder / "model.json").write_text("{")
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Linear, "save", full)
        with pytest.raises(OSError, match="No space"):
            train(recipe, run, Noted())
    assert train(recipe, run, Noted())
    for arm in comparison_arms(recipe):
        assert load(arm.folder(run)).predict(["match"])[0].target in {"sport", "politics"}


@pytest.mark.parametrize("target", ["sports", None])
@pytest.mark.parametrize("name", ["4-train.jsonl", "4-validation.jsonl"])
def test_an_edited_row_without_a_valid_target_is_told_with_file_and_id(
    recipe: Recipe, run: RunFolder, name: str, target: str | None
) -> None:
    path = run.path / name
    edited = Example(id="edited", text="goal", target=target, source="gold")
    write_examples(path, [*read_examples(path), edited])
    reason = "has no target" if target is None else ": unknown label 'sports'; did you mean 'sport'"
    with pytest.raises(DataError, match=f"{path}: the row 'edited'{':' if target else ''} .*{reason.lstrip(': ')}"):
        train(recipe, run, Noted())


def test_training_files_are_read_only_where_an_arm_is_trained(
    recipe: Recipe, run: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    train(recipe, run, Noted())
    monkeypatch.setattr("understudy.stages.train.read_labelled", None)
    assert not train(recipe, run, Noted())


def test_a_default_that_has_changed_is_another_student(
    recipe: Recipe, run: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    train(recipe, run, Noted())
    monkeypatch.setattr(Linear.__init__, "__kwdefaults__", {**(Linear.__init__.__kwdefaults__ or {}), "c": 3.0})
    assert train(recipe, run, Noted())


def test_a_default_that_has_changed_is_another_task(monkeypatch: pytest.MonkeyPatch) -> None:
    task = TaskSpec(name="classification", settings={"labels": ["a", "b"]})
    before = task.fingerprint()
    monkeypatch.setattr(Classification.__init__, "__kwdefaults__", {"prompt": {"user": "{{ text }}"}})
    assert task.fingerprint() != before


def test_other_weights_to_start_from_make_another_student(
    recipe: Recipe, run: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Linear, "fingerprint", lambda self: {"weights": "1"}, raising=False)
    assert train(recipe, run, Noted())
    assert not train(recipe, run, Noted())
    monkeypatch.setattr(Linear, "fingerprint", lambda self: {"weights": "2"})
    assert train(recipe, run, Noted())
