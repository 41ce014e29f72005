"""The one training loop: every torch student, whatever its task, learns here."""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from understudy.errors import UnderstudyError
from understudy.progress import Bar
from understudy.training.judge import Judge
from understudy.training.mixtures import Mixture
from understudy.training.regimen import Regimen

_DIVERGED, _ADVICE = "the training diverged", "lower the learning_rate"

Batch = Mapping[str, Tensor]
"""What one optimiser step learns from: tensors by name, the same number of rows in each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Optimisation:
    """How a module is optimised: AdamW, a linear warm-up, then a linear decay to nothing.

    Attributes:
        steps: Optimiser steps in the whole training.
        learning_rate: The highest learning rate.
        weight_decay: Decoupled weight decay (Loshchilov and Hutter 2019) of everything but biases and norms.
        warm_up: The share of the steps in which the learning rate grows to its highest.
        clip: The gradient's greatest norm.
        accumulate: In how many parts the gradient of a batch is computed, one after the other, where memory would not
            hold all of it at once.
        bf16: Whether to compute in bfloat16 on a processor that is fast at it; parameters stay in float32.
        looks: How many times the validation score is taken, evenly spaced, the last time at the end.
        patience: Stop after so many looks without a better score. None (never) is what a comparison of mixtures
            needs, because its arms must take the same number of steps.
        look_first: Whether the weights that training sets out from are looked at too, because they are fitted already
            and a few examples may only spoil them.
    """

    steps: int
    learning_rate: float
    weight_decay: float = 0.01
    warm_up: float = 0.1
    clip: float = 1.0
    accumulate: int = 1
    bf16: bool = True
    looks: int = 4
    patience: int | None = None
    look_first: bool = False

    @classmethod
    def of(cls, regimen: Regimen, mixture: Mixture, **options: Any) -> "Optimisation":
        """The optimisation of a student that learns a mixture under a regimen."""
        steps = mixture.steps(regimen.epochs, regimen.batch_size)
        return cls(steps=steps, learning_rate=regimen.learning_rate, patience=regimen.patience, **options)


@dataclass(slots=True)
class Course:
    """How the training of a module went.

    Attributes:
        steps: Optimiser steps taken.
        history: The validation score at each look, as (progress u in [0, 1], score).
    """

    steps: int = 0
    history: list[tuple[float, float]] = field(default_factory=list)


@dataclass(slots=True)
class _Best:
    """The best weights so far, by score, then by loss; of equals the later."""

    rank: tuple[float, float] = (-math.inf, -math.inf)
    weights: dict[str, Tensor] = field(default_factory=dict)
    looks_since: int = 0

    def look(self, module: nn.Module, score: float, loss: float) -> None:
        self.looks_since += 1
        if (score, -loss) >= self.rank:
            self.rank, self.looks_since = (score, -loss), 0
            self.weights = {name: value.detach().clone() for name, value in module.state_dict().items()}


def train(
    module: nn.Module,
    batches: Iterable[Batch],
    loss: Callable[[Batch], Tensor],
    how: Optimisation,
    bar: Bar,
    evaluate: Judge | None = None,
) -> Course:
    """Train a module and leave it, in evaluation mode, with the weights that did best on validation.

    Args:
        module: What learns; parameters that ask for no gradient stay as they are.
        batches: At least ``how.steps`` of them.
        loss: From a batch, or some rows of it, moved to the module's device, to the loss: a scalar, the mean over rows.
        how: The optimiser's settings.
        bar: Advanced at every step.
        evaluate: The validation score (higher is better) and loss of the module as it stands. Without it, the last
            weights are kept.

    Raises:
        UnderstudyError: The gradient or a weight is no longer a number.
    """
    device = next(module.parameters()).device
    optimiser = _optimiser(module, how)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: _rate(step, how))
    looks_at = {round(how.steps * (look + 1) / how.looks) for look in range(how.looks)}
    course, best = Course(), _Best()
    if evaluate is not None and how.look_first:
        _look(module, evaluate, how, course, best)
    module.train()
    for step, batch in zip(range(1, how.steps + 1), batches, strict=False):
        optimiser.zero_grad(set_to_none=True)
        for share, part in _parts(batch, how.accumulate):
            with autocast(device, enabled=how.bf16):
                value = loss({name: tensor.to(device) for name, tensor in part.items()})
            (share * value).backward()  # type: ignore[no-untyped-call]
        _step(module, optimiser, how.clip)
        schedule.step()
        bar.advance()
        course.steps = step
        if evaluate is not None and step in looks_at:
            _look(module, evaluate, how, course, best)
            if how.patience is not None and best.looks_since >= how.patience:
                break
    if best.weights:
        module.load_state_dict(best.weights)
    if not all(value.isfinite().all() for value in module.state_dict().values()):
        raise UnderstudyError(f"{_DIVERGED}: a weight is no longer a number; {_ADVICE}")
    module.eval()
    return course


def _parts(batch: Batch, count: int) -> Iterator[tuple[float, Batch]]:
    """A batch in at most so many parts, each with its share of the rows."""
    if count == 1:
        yield 1.0, batch
        return
    rows = len(next(iter(batch.values())))
    size = math.ceil(rows / count)
    for start in range(0, rows, size):
        part = {name: tensor[start : start + size] for name, tensor in batch.items()}
        yield len(next(iter(part.values()))) / rows, part


def _step(module: nn.Module, optimiser: torch.optim.Optimizer, clip: float) -> None:
    """Move along the gradient."""
    norm = nn.utils.clip_grad_norm_(module.parameters(), clip)
    if not math.isfinite(norm):
        raise UnderstudyError(f"{_DIVERGED}: the gradient is no longer a number; {_ADVICE}")
    optimiser.step()


def _look(module: nn.Module, evaluate: Judge, how: Optimisation, course: Course, best: _Best) -> None:
    """Take the validation score of the module as it stands, and keep its weights if they are the best so far."""
    module.eval()
    with torch.no_grad(), autocast(next(module.parameters()).device, enabled=how.bf16):
        score, loss = evaluate()
    module.train()
    course.history.append((course.steps / how.steps, score))
    best.look(module, score, loss)


def _optimiser(module: nn.Module, how: Optimisation) -> torch.optim.Optimizer:
    """AdamW with a group for each weight decay that occurs."""
    groups: dict[float, list[nn.Parameter]] = {}
    for parameter in module.parameters():
        if parameter.requires_grad:
            groups.setdefault(how.weight_decay if parameter.ndim > 1 else 0.0, []).append(parameter)
    return torch.optim.AdamW(
        [{"params": members, "weight_decay": decay} for decay, members in groups.items()], lr=how.learning_rate
    )


def _rate(step: int, how: Optimisation) -> float:
    """The learning rate of a step, counted from 0, as a share of the highest: up to one, then down to nothing."""
    rising = how.warm_up * how.steps
    return min((step + 1) / (rising + 1), (how.steps - step) / max(how.steps - rising, 1))


def best_device() -> torch.device:
    """A CUDA device if there is one, otherwise the processor."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def autocast(device: torch.device, *, enabled: bool = True) -> torch.autocast:
    """Mixed precision in bfloat16, where it is wanted and the device has instructions for it."""
    return torch.autocast(device.type, torch.bfloat16, enabled=enabled and _fast_bf16(device))


def _fast_bf16(device: torch.device) -> bool:
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    capabilities: dict[str, Any] = getattr(torch.cpu, "get_capabilities", dict)()
    return any(capabilities.get(name, False) for name in ("avx512_bf16", "amx_bf16"))


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Make everything random in torch follow from the seed; outside, torch's own state is as if nothing had been."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        yield
