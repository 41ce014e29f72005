import re
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("lightgbm")

from hypothesis import given
from hypothesis import strategies as st

from tests.students import small
from understudy.errors import MissingExtra, ModelError
from understudy.example import Example
from understudy.progress import Silent
from understudy.students.boosting import _whole_rounds
from understudy.students.gbdt import GBDT
from understudy.students.temperature import log_softmax
from understudy.students.trees import check_trees
from understudy.training.mixtures import Mixture

END = "end of trees\n"


def fitted(mixture: Mixture, **settings: float) -> GBDT:
    student = GBDT(**{"rounds": 20, "chars": 0, "learning_rate": 0.3, **settings})  # type: ignore[arg-type]
    student.fit(mixture, [], small.TASK, Silent())
    return student


def trees(student: GBDT, folder: Path) -> str:
    student.save(folder)
    return (folder / "trees.txt").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def student() -> GBDT:
    return fitted(small.mixture("simple_mix"))


@pytest.fixture(scope="module")
def text(student: GBDT, tmp_path_factory: pytest.TempPathFactory) -> str:
    return trees(student, tmp_path_factory.mktemp("gbdt") / "model")


def size(text: str) -> tuple[int, str]:
    return int(re.findall(r"max_feature_idx=(\d+)", text)[0]) + 1, "multiclass num_class:3"


def probabilities(student: GBDT, texts: list[str]) -> Any:
    """What a student's trees say before its confidence is tempered, shape (texts, labels)."""
    return np.exp(log_softmax(student._model._logits(texts)))  # type: ignore[attr-defined]


def test_it_learns(student: GBDT) -> None:
    assert small.right(student.predict(small.TEXTS)) >= 0.8


@given(st.lists(st.floats(0.001, 1), min_size=1, max_size=12), st.integers(1, 500))
def test_segments_take_exactly_the_rounds_that_were_asked_for(parts: list[float], rounds: int) -> None:
    fractions = [part / sum(parts) for part in parts]
    found = _whole_rounds(fractions, rounds)
    assert sum(found) == rounds
    assert all(abs(count - rounds * fraction) < 1 + 1e-6 for count, fraction in zip(found, fractions, strict=True))


@pytest.mark.parametrize("name", ["gold", "distilled", "union", "simple_mix"])
@pytest.mark.parametrize("rounds", [1, 2, 13])
def test_every_mixture_gets_the_same_rounds(name: str, rounds: int) -> None:
    mixture = Mixture.named(name, small.examples("gold", 45), small.examples("annotated", 60, shift=4))
    student = GBDT(rounds=rounds, chars=0, feature_fraction=1.0)
    fit = student.fit(mixture, [], small.TASK, Silent())
    assert fit.steps == student._model._trees._booster.current_iteration() == rounds  # type: ignore[attr-defined]


def test_simple_mix_boosts_on_from_distilled_to_gold() -> None:
    wrong = {"sport": "money", "money": "science", "science": "sport"}
    misled = [replace(example, target=wrong[str(example.target)]) for example in small.examples("gold", 30)]
    distilled = small.examples("annotated", 60, shift=4)

    def sure_of_the_truth(name: str) -> float:
        student = fitted(Mixture.named(name, misled, distilled), feature_fraction=1.0)
        found = probabilities(student, small.TEXTS)
        places = [list(small.TASK.labels).index(str(target)) for target in small.TARGETS]
        return float(found[range(len(places)), places].mean())

    gold, simple_mix, pure = map(sure_of_the_truth, ("gold", "simple_mix", "distilled"))
    assert gold + 0.02 < simple_mix < pure - 0.02


def shares(examples: list[Example]) -> dict[str, float]:
    """What a student says of the text "unclear", by label."""
    student = fitted(Mixture.named("gold", examples, []), rounds=60, min_leaf=1)
    found = probabilities(student, ["unclear"])[0]
    return dict(zip(small.TASK.labels, found.tolist(), strict=True))


def test_soft_labels_are_learned_as_they_are() -> None:
    soft = {"sport": 0.6, "money": 0.3, "science": 0.1}
    examples = [Example(id=str(i), text="unclear", target="sport", soft=soft, source="gold") for i in range(20)]
    assert shares(examples) == pytest.approx(soft, abs=0.05)


def test_an_example_counts_as_much_as_it_weighs() -> None:
    examples = [
        Example(id=f"{label}{i}", text="unclear", target=label, weight=weight, source="gold")
        for label, weight in {"sport": 3.0, "money": 1.0, "science": 0.0}.items()
        for i in range(10)
    ]
    assert shares(examples) == pytest.approx({"sport": 0.75, "money": 0.25, "science": 0.0}, abs=0.05)


def test_a_stretch_whose_examples_weigh_nothing_is_passed_over() -> None:
    weightless = [replace(example, weight=0.0) for example in small.examples("gold", 30)]
    mixture = Mixture.named("simple_mix", weightless, small.examples("annotated", 60, shift=4))
    assert small.right(fitted(mixture, chars=5).predict(small.TEXTS)) >= 0.8
    with pytest.raises(ModelError, match="no tree has grown"):
        fitted(Mixture.named("gold", weightless, []))
    with pytest.raises(ModelError, match="no tree has grown in 0 rounds"):
        fitted(small.mixture(), rounds=0)


def test_a_label_without_examples_is_learned_around() -> None:
    only_sport = [example for example in small.examples("gold", 30) if example.target == "sport"]
    assert {p.target for p in fitted(Mixture.named("gold", only_sport, [])).predict(small.TEXTS)} == {"sport"}


def test_the_model_is_lightgbms_own_text(text: str) -> None:
    assert text.startswith("tree\nversion=v")
    assert f"objective={size(text)[1]}" in text


def test_parameters_are_splits_and_leaves(student: GBDT, text: str) -> None:
    leaves = [int(found) for found in re.findall(r"num_leaves=(\d+)", text)]
    assert student.count_parameters() == sum(leaves) + 2 * sum(count - 1 for count in leaves)


def test_sound_trees_are_accepted(text: str, tmp_path: Path) -> None:
    check_trees(text, *size(text), 3)
    stump = trees(fitted(small.mixture(), min_leaf=1000), tmp_path / "stump")
    assert "num_leaves=1\n" in stump
    check_trees(stump, *size(stump), 3)


@pytest.mark.parametrize("part", [0.0, 0.001, 0.01, 0.1, 0.3, 0.5, 0.9, 0.999])
def test_trees_that_were_cut_off_are_refused_before_lightgbm_reads_them(text: str, part: float) -> None:
    with pytest.raises(ModelError, match="cut off"):
        check_trees(text[: int(part * (text.index(END) + len(END)))], *size(text), 3)


def first(pattern: str, replacement: str) -> Callable[[str], str]:
    def harm(text: str) -> str:
        found = re.sub(pattern, replacement, text, count=1, flags=re.MULTILINE)
        assert found != text
        sizes = " ".join(
            str(len(tree)) for tree in re.split(r"^(?=Tree=)", found.split(END)[0], flags=re.MULTILINE)[1:]
        )
        return re.sub(r"^tree_sizes=.*$", f"tree_sizes={sizes}", found, flags=re.MULTILINE)

    return harm


@pytest.mark.parametrize(
    "harm",
    [
        first(r"^split_feature=\d+", "split_feature=99999"),
        first(r"^split_feature=\d+", "split_feature=-1"),
        first(r"^left_child=-?\d+", "left_child=0"),
        first(r"^right_child=-?\d+", "right_child=50"),
        first(r"^right_child=-?\d+", "right_child=-50"),
        first(r"^decision_type=\d+", "decision_type=1"),
        first(r"^threshold=", "threshold=0.5 "),
        first(r"^threshold=\S+", "threshold=much"),
        first(r"^threshold=\S+", "threshold="),
        first(r"^leaf_value=", "leaf_value=0.5 "),
        first(r"^num_leaves=\d+", "num_leaves=1000"),
        first(r"^num_leaves=\d+\n", ""),
        first(r"^leaf_value=.*\n", ""),
        first(r"^num_cat=0", "num_cat=1"),
        first(r"^is_linear=0", "is_linear=1"),
        first(r"^num_leaves=", "num_leaves=2\nnum_leaves="),
        first(r"^num_class=3", "num_class=4"),
        first(r"^num_tree_per_iteration=3", "num_tree_per_iteration=1"),
        first(r"num_class:3", "num_class:3000"),
        first(r"^max_feature_idx=", "max_feature_idx=1"),
        first(r"^Tree=0\n", "Tree=0\nTree=0\n"),
        lambda text: re.sub(r"tree_sizes=\d+", "tree_sizes=1", text),
        lambda text: text.replace("split_gain=", "split_gain=٣ ", 1),
    ],
)
def test_trees_that_would_lead_lightgbm_astray_are_refused(text: str, harm: Callable[[str], str]) -> None:
    with pytest.raises(ModelError):
        check_trees(harm(text), *size(text), 3)


def test_without_lightgbm_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "lightgbm", None)
    with pytest.raises(MissingExtra, match=r"understudy\[trees\]"):
        GBDT().check_available()
