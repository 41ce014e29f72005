import itertools
import math
from collections.abc import Callable, Iterator
from typing import Any

import pytest

pytest.importorskip("torch")

import torch

from understudy.errors import UnderstudyError
from understudy.progress import Silent
from understudy.training.loop import Batch, Optimisation, autocast, seeded, train

CPU = torch.device("cpu")


class Line(torch.nn.Module):
    """A layer below and a head, to learn y = sum(x)."""

    def __init__(self) -> None:
        super().__init__()
        self.below = torch.nn.Linear(4, 4)
        self.head = torch.nn.Linear(4, 1)

    def forward(self, x: Any) -> Any:
        return self.head(self.below(x))


def batches(seed: int = 0) -> Iterator[Batch]:
    generator = torch.Generator().manual_seed(seed)
    while True:
        x = torch.randn(16, 4, generator=generator)
        yield {"x": x, "y": x.sum(dim=1, keepdim=True)}


def squared(module: Any) -> Callable[[Batch], Any]:
    return lambda batch: (module(batch["x"]) - batch["y"]).square().mean()


def how(**settings: Any) -> Optimisation:
    return Optimisation(**{"steps": 40, "learning_rate": 0.05, "bf16": False, **settings})


def fresh(seed: int = 0) -> Line:
    with seeded(seed):
        return Line()


def scores(*values: tuple[float, float]) -> Callable[[], tuple[float, float]]:
    left = iter(values)
    return lambda: next(left)


class Counted(Silent):
    steps = 0

    def advance(self, steps: int = 1) -> None:
        self.steps += steps


def test_it_learns_and_leaves_the_module_ready_to_predict() -> None:
    module, bar = fresh(), Counted()
    course = train(module, batches(), squared(module), how(steps=300), bar)
    assert (course.steps, bar.steps, course.history) == (300, 300, [])
    assert not module.training
    assert squared(module)(next(batches(seed=1))).item() < 0.01


@pytest.mark.parametrize("accumulate", [2, 3, 16, 99])
def test_a_gradient_that_is_computed_in_parts_is_that_of_the_whole_batch(accumulate: int) -> None:
    def learned(**settings: int) -> Line:
        module = fresh()
        train(module, batches(), squared(module), how(**settings), Silent())
        return module

    for whole, parts in zip(learned().parameters(), learned(accumulate=accumulate).parameters(), strict=True):
        torch.testing.assert_close(parts, whole, atol=1e-4, rtol=1e-4)


def test_the_same_seed_gives_the_same_weights() -> None:
    def weights(seed: int) -> list[float]:
        with seeded(seed):
            module = Line()
            train(module, batches(), lambda b: squared(module)(b) * (1 + torch.rand(())), how(), Silent())
        return [value for parameter in module.parameters() for value in parameter.flatten().tolist()]

    assert weights(1) == weights(1)
    assert weights(1) != weights(2)


def test_seeding_leaves_the_state_outside_alone() -> None:
    torch.manual_seed(7)
    expected = torch.rand(3)
    torch.manual_seed(7)
    with seeded(0):
        torch.rand(100)
    assert torch.rand(3).tolist() == expected.tolist()


def test_it_looks_evenly_and_keeps_the_best_weights() -> None:
    module = fresh()
    seen: list[list[float]] = []
    given = scores((0.5, 1.0), (0.9, 1.0), (0.7, 1.0), (0.6, 1.0))

    def evaluate() -> tuple[float, float]:
        assert not module.training
        seen.append(module.head.weight.flatten().tolist())
        return given()

    course = train(module, batches(), squared(module), how(), Silent(), evaluate)
    assert course.history == [(0.25, 0.5), (0.5, 0.9), (0.75, 0.7), (1.0, 0.6)]
    assert course.steps == 40
    assert module.head.weight.flatten().tolist() == seen[1]


def test_a_start_that_training_only_spoils_is_kept() -> None:
    module, start = fresh(), fresh().head.weight.tolist()
    falling = scores((0.9, 1.0), (0.8, 1.0), (0.7, 1.0), (0.6, 1.0), (0.5, 1.0))
    course = train(module, batches(), squared(module), how(look_first=True), Silent(), falling)
    assert course.history[0] == (0.0, 0.9)
    assert len(course.history) == 5
    assert module.head.weight.tolist() == start


@pytest.mark.parametrize(
    ("looks", "kept"),
    [
        ([(0.9, 2.0), (0.9, 1.0), (0.9, 3.0), (0.1, 0.0)], 1),  # of equal scores the lower loss
        ([(0.9, 1.0), (0.9, 1.0), (0.9, 1.0), (0.1, 0.0)], 2),  # of equal losses the later
    ],
)
def test_ties_go_to_the_lower_loss_and_then_to_the_later(looks: list[tuple[float, float]], kept: int) -> None:
    module, given = fresh(), scores(*looks)
    seen: list[list[float]] = []

    def evaluate() -> tuple[float, float]:
        seen.append(module.head.bias.tolist())
        return given()

    train(module, batches(), squared(module), how(), Silent(), evaluate)
    assert module.head.bias.tolist() == seen[kept]


def test_without_validation_the_last_weights_stay() -> None:
    with_looks, without = fresh(), fresh()
    rising = scores(*((look, 0.0) for look in range(4)))
    train(with_looks, batches(), squared(with_looks), how(), Silent(), rising)
    train(without, batches(), squared(without), how(), Silent())
    assert with_looks.head.weight.tolist() == without.head.weight.tolist()


def test_patience_stops_early_and_its_absence_never_does() -> None:
    for patience, steps in ((1, 20), (2, 30), (None, 40)):
        module = fresh()
        falling = scores(*((-look, 0.0) for look in range(4)))
        course = train(module, batches(), squared(module), how(patience=patience), Silent(), falling)
        assert course.steps == steps


def test_more_looks_than_steps_are_as_many_looks_as_steps() -> None:
    module = fresh()
    course = train(module, batches(), squared(module), how(steps=2, looks=5), Silent(), lambda: (1.0, 1.0))
    assert [u for u, _ in course.history] == [0.5, 1.0]


def test_what_is_frozen_stays() -> None:
    module = fresh()
    module.below.weight.requires_grad = False
    before = {name: value.clone() for name, value in module.state_dict().items()}
    # Adam's first step moves every parameter by its learning rate.
    train(module, batches(), squared(module), how(steps=1, warm_up=0.0, weight_decay=0.0), Silent())
    moved = {name: float((value - before[name]).abs().max()) for name, value in module.state_dict().items()}
    assert moved["below.weight"] == 0
    assert math.isclose(moved["below.bias"], 0.05, rel_tol=1e-3)
    assert math.isclose(moved["head.weight"], 0.05, rel_tol=1e-3)


def test_the_learning_rate_rises_and_falls() -> None:
    moves = []
    module = torch.nn.Linear(1, 1, bias=False)

    def loss(batch: Batch) -> Any:
        moves.append(module.weight.item())
        return module.weight.sum()

    settings = how(steps=20, warm_up=0.25, weight_decay=0.0, learning_rate=1.0)
    train(module, itertools.repeat({}, 20), loss, settings, Silent())
    rates = [before - after for before, after in itertools.pairwise([*moves, module.weight.item()])]
    highest = rates.index(max(rates))
    assert 3 <= highest <= 6
    assert rates[:highest] == sorted(rates[:highest])
    assert rates[highest:] == sorted(rates[highest:], reverse=True)
    assert 0.9 <= max(rates) <= 1.001
    assert 0 < rates[-1] < 0.1


def test_a_loss_that_is_no_number_is_said() -> None:
    module = fresh()
    with pytest.raises(UnderstudyError, match="lower the learning_rate"):
        train(module, batches(), lambda batch: squared(module)(batch) * math.nan, how(), Silent())


def test_mixed_precision_is_used_only_where_it_is_fast_and_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    def product(enabled: bool) -> Any:
        with autocast(CPU, enabled=enabled):
            return (torch.ones(2, 2) @ torch.ones(2, 2)).dtype

    for fast in (True, False):
        monkeypatch.setattr(torch.cpu, "get_capabilities", lambda fast=fast: {"avx512_bf16": fast}, raising=False)
        assert product(enabled=True) == (torch.bfloat16 if fast else torch.float32)
        assert product(enabled=False) == torch.float32


def test_a_weight_that_becomes_no_number_is_said() -> None:
    module = torch.nn.Linear(1, 1, bias=False)
    torch.nn.init.constant_(module.weight, 3.4e38)
    settings = how(steps=1, learning_rate=1e37, weight_decay=0.0)
    with pytest.raises(UnderstudyError, match="diverged: a weight is no longer a number; lower the learning_rate"):
        train(module, [{}], lambda _: -module.weight.sum(), settings, Silent())
