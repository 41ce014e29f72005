"""The conditional random field against what it stands for: the sum and the best over all allowed sequences."""

import itertools
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("torch")

import torch
from torch import Tensor

from understudy.students.spans.crf import CRF
from understudy.students.spans.tags import OUTSIDE, Tags

TAGS = Tags(["PER", "LOC"])
MASK = torch.tensor([[True] * 4, [True, True, False, False], [True, False, False, False]])
Path = tuple[int, ...]


def crf(*, learned: bool = True) -> CRF:
    """One with some moves, in double precision."""
    made = CRF(TAGS, learned=learned).double()
    with torch.no_grad():
        made.moves.copy_(torch.randn(5, 5, generator=torch.Generator().manual_seed(1)))
    return made


def random_scores(seed: int = 0) -> Tensor:
    return 2 * torch.randn(3, 4, 5, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def allowed_paths(length: int) -> Iterator[Path]:
    for path in itertools.product(range(5), repeat=length):
        if all(TAGS.allowed[before, tag] for before, tag in itertools.pairwise((OUTSIDE, *path))):
            yield path


def worth(model: CRF, scores: Tensor, path: Path) -> float:
    moves = sum(model.moves[before, tag].item() for before, tag in itertools.pairwise((OUTSIDE, *path)))
    return moves + sum(float(scores[place, tag]) for place, tag in enumerate(path))


def probabilities(model: CRF, scores: Tensor, length: int) -> dict[Path, float]:
    """Of every allowed sequence of tags for a passage's words, by enumeration."""
    paths = list(allowed_paths(length))
    weights = np.exp([worth(model, scores, path) for path in paths])
    return dict(zip(paths, weights / weights.sum(), strict=True))


def test_the_likelihood_is_that_of_enumeration() -> None:
    model, scores = crf(), random_scores()
    tags = torch.tensor([[1, 2, 0, 3], [3, 4, 0, 0], [1, 0, 0, 0]])
    found = model(scores, tags, MASK)
    for row, length in enumerate(MASK.sum(dim=1).tolist()):
        expected = probabilities(model, scores[row], length)[tuple(tags[row, :length].tolist())]
        assert found[row].item() == pytest.approx(-np.log(expected), abs=1e-6)


def test_a_temperature_divides_the_worth_of_tags_and_moves() -> None:
    model, scores = crf(), random_scores()
    cooler = crf()
    with torch.no_grad():
        cooler.moves.mul_(0.5)
    tags = torch.tensor([[1, 2, 0, 3], [3, 4, 0, 0], [1, 0, 0, 0]])
    torch.testing.assert_close(model(scores, tags, MASK, temperature=2.0), cooler(0.5 * scores, tags, MASK))


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 10_000))
def test_the_best_path_is_the_most_probable_one(seed: int) -> None:
    model, scores = crf(), random_scores(seed)
    found = model.best_paths(scores, MASK)
    for row, length in enumerate(MASK.sum(dim=1).tolist()):
        every = probabilities(model, scores[row], length)
        assert tuple(found[row, :length].tolist()) == max(every, key=lambda path: every[path])


def test_without_learned_moves_only_what_is_allowed_counts() -> None:
    model, scores = CRF(TAGS, learned=False).double(), random_scores(3)
    assert not [parameter for parameter in model.parameters() if parameter.requires_grad]
    assert model.best_paths(scores[:1], MASK[:1])[0].tolist() == TAGS.best_path(scores[0].numpy())


def test_the_gradient_is_that_of_finite_differences() -> None:
    model, tags = crf(), torch.tensor([[1, 2, 0, 3], [3, 4, 0, 0], [1, 0, 0, 0]])

    def loss(scores: Tensor, moves: Tensor) -> Tensor:
        found: Tensor = torch.func.functional_call(model, {"moves": moves}, (scores, tags, MASK))
        return found.sum()

    assert torch.autograd.gradcheck(loss, (random_scores().requires_grad_(), model.moves))


def test_what_lies_behind_the_end_changes_nothing() -> None:
    model, scores = crf(), random_scores()
    other = scores.masked_fill(~MASK.unsqueeze(2), 99.0)
    tags = torch.zeros(3, 4, dtype=torch.long)
    assert torch.equal(model(scores, tags, MASK), model(other, tags, MASK))
    assert torch.equal(model.best_paths(scores, MASK)[MASK], model.best_paths(other, MASK)[MASK])


def test_tags_that_may_not_follow_each_other_are_learned_from_all_the_same() -> None:
    model, scores = crf(), random_scores().requires_grad_()
    tags = torch.tensor([[2, 4, 0, 3], [3, 2, 0, 0], [2, 0, 0, 0]])
    loss = model(scores, tags, MASK).sum()
    loss.backward()
    assert loss.isfinite()
    assert scores.grad is not None
    assert scores.grad.isfinite().all()


def test_long_passages_and_great_scores_stay_numbers() -> None:
    model = CRF(TAGS, learned=True)
    scores = 1e3 * torch.randn(1, 300, 5, generator=torch.Generator().manual_seed(0))
    mask = torch.ones(1, 300, dtype=torch.bool)
    loss = model(scores, model.best_paths(scores, mask), mask).item()
    assert -1 < loss < 3  # of sums of some 300,000, whose rounding is what is left
