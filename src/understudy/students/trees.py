"""LightGBM's text of trees, looked over before LightGBM reads it.

Its parser trusts what it reads: in a file that was cut off it reads past the end of memory, and among children that
point back it walks for ever. So the arrays' lengths and every index in them are checked here first.
"""

import re
from collections.abc import Iterable, Sequence

from understudy.errors import ModelError

_END = "end of trees\n"
_NUMBERS = re.compile(r"(-?\d+(\.\d+)?(e[+-]?\d+)?( (?!$)|$))*", re.ASCII)
_OF_LEAVES = ("leaf_value", "leaf_weight", "leaf_count")
_OF_SPLITS = (
    *("split_feature", "split_gain", "threshold", "decision_type", "left_child", "right_child"),
    *("internal_value", "internal_weight", "internal_count"),
)


def check_trees(text: str, features: int, objective: str, labels: int = 1) -> None:
    """Make sure that a text holds whole trees, over so many features and in turn for each of so many labels.

    Args:
        text: What LightGBM has written.
        features: How many features there are.
        objective: As LightGBM writes it, such as ``multiclass num_class:3`` or ``lambdarank``.
        labels: How many trees grow in a round.

    Raises:
        ModelError: It does not.
    """
    body, end, _ = text.partition(_END)
    head, *trees = re.split(r"^(?=Tree=)", body, flags=re.MULTILINE)
    expected = {
        "num_class": str(labels),
        "num_tree_per_iteration": str(labels),
        "max_feature_idx": str(features - 1),
        "objective": objective,
        "tree_sizes": " ".join(str(len(tree)) for tree in trees),
    }
    said = _pairs(head.split("\n"))
    if not end or not text.isascii() or said is None or not expected.items() <= said.items() or len(trees) % labels:
        raise ModelError(f"the trees are cut off, or not over {features} features and {labels} labels")
    for number, tree in enumerate(trees):
        if not _is_sound(tree, features):
            raise ModelError(f"tree {number} is broken")


def _is_sound(tree: str, features: int) -> bool:
    """Whether every array is as long as it should be, and every split leads on to a later split or to a leaf."""
    said = _pairs(tree.split("\n"))
    if said is None or said.get("num_cat") != "0" or said.get("is_linear") != "0" or "num_leaves" not in said:
        return False
    leaves = len(said.get("leaf_value", "").split())
    arrays = {name: said.get(name, "?") for name in (*_OF_LEAVES, *_OF_SPLITS)}
    if said["num_leaves"] != str(leaves) or not all(map(_NUMBERS.fullmatch, arrays.values())):
        return False
    if leaves == 1:  # a tree without a split: nothing else is read
        return True
    lengths = {name: len(values.split()) for name, values in arrays.items()}
    if lengths != dict.fromkeys(_OF_LEAVES, leaves) | dict.fromkeys(_OF_SPLITS, leaves - 1):
        return False
    return (
        all(0 <= feature < features for feature in _integers(arrays["split_feature"]))
        and all(kind in range(0, 16, 2) for kind in _integers(arrays["decision_type"]))  # odd: a categorical split
        and _leads_on(_integers(arrays["left_child"]), leaves)
        and _leads_on(_integers(arrays["right_child"]), leaves)
    )


def _leads_on(children: Sequence[int], leaves: int) -> bool:
    """Whether each split's child is a later split, or (written as its complement) a leaf that there is."""
    return all(split < child < len(children) or 0 <= ~child < leaves for split, child in enumerate(children))


def _integers(values: str) -> list[int]:
    return [int(value) for value in values.split()]


def _pairs(lines: Iterable[str]) -> dict[str, str] | None:
    """The lines ``key=value`` among these; None where a key stands twice."""
    pairs = [(key, value) for key, found, value in (line.partition("=") for line in lines) if found]
    said = dict(pairs)
    return said if len(said) == len(pairs) else None
