"""How sequence models learn: pairs of a source and what is to be written, drawn as a mixture asks."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from understudy.data.split import spread
from understudy.example import Example
from understudy.progress import Bar
from understudy.students.sequences.networks import IGNORED, Seq2Seq, paired
from understudy.students.sequences.tokens import Tokens
from understudy.tasks.reply import reasoning
from understudy.training.batching import pad
from understudy.training.judge import Judge
from understudy.training.loop import Batch, Course, Optimisation, train
from understudy.training.mixtures import Mixture
from understudy.training.regimen import Regimen

EXPLAIN = "explain: "
"""What stands before a text whose answer's reasons are to be written."""
_MEASURED = 1_000
"""Pairs that tell how long a target usually is."""


class Pair(NamedTuple):
    """A source, what is to be written about it, and how much that counts."""

    source: str
    target: str
    weight: float


Pairs = Callable[[Example], list[Pair]]
"""From an example to what is learned from it; drawn anew each time, where that is a matter of chance."""


def rationale(example: Example) -> str:
    """The teacher's reasoning beside its answer; empty where it kept its reasons to itself."""
    return reasoning(str(example.meta.get("reply", "")))


def learn(
    network: Seq2Seq,
    tokens: Tokens,
    mixture: Mixture,
    pairs: Pairs,
    how: Optimisation,
    regimen: Regimen,
    bar: Bar,
    judge: Judge | None,
) -> Course:
    """Train a network on what a mixture gives, and keep the weights that did best on validation."""
    batches = _batches(tokens, mixture, pairs, how.steps, regimen)
    unit = _usual_length(tokens, mixture, pairs)
    return train(network, batches, lambda batch: loss(network, batch, unit), how, bar, judge)


def loss(network: Seq2Seq, batch: Batch, unit: float = 1.0) -> Tensor:
    """The weighted mean over pairs of the cross-entropy of all their tokens, in units of a usual target's length.

    A sum over tokens that is divided by one number for all, unlike a mean, lets a long target count for all of its
    tokens, and does not depend on how a batch is cut up.
    """
    states = network.read(batch["ids"], batch["mask"])
    likely: Tensor = network(states, batch["mask"], batch["inputs"], batch["wanted"]).sum(dim=1)
    return -(batch["weight"] * likely).mean() / unit


def tensors(tokens: Tokens, pairs: Sequence[Pair], rows: int | None = None) -> Batch:
    """Pairs side by side, as `loss` takes them.

    Args:
        tokens: What turns them into ids.
        pairs: At least one.
        rows: What the sum over pairs is divided by for their mean; their number by default.
    """
    ids, mask = pad(tokens.sources([pair.source for pair in pairs]), tokens.filler)
    inputs, wanted = paired(tokens.targets([pair.target for pair in pairs]), tokens.opening, tokens.filler)
    weight = torch.tensor([pair.weight for pair in pairs]) * (len(pairs) / (rows or len(pairs)))
    return {"ids": ids, "mask": mask, "inputs": inputs, "wanted": wanted, "weight": weight}


def mean_loss(network: Seq2Seq, tokens: Tokens, pairs: Sequence[Pair], size: int) -> float:
    """The mean cross-entropy of a token of these pairs, so many at a time."""
    device = next(network.parameters()).device
    total, count = 0.0, 0
    for start in range(0, len(pairs), size):
        batch = {name: part.to(device) for name, part in tensors(tokens, pairs[start : start + size]).items()}
        total += float(loss(network, batch)) * len(batch["weight"])
        count += int((batch["wanted"] != IGNORED).sum())
    return total / max(count, 1)


def lines(mixture: Mixture, pairs: Pairs) -> Iterable[str]:
    """Every source and target, as often as it stands there."""
    for example in mixture.examples:
        for pair in pairs(example):
            yield from (pair.source, pair.target)


def _batches(tokens: Tokens, mixture: Mixture, pairs: Pairs, steps: int, regimen: Regimen) -> Iterator[Batch]:
    """The mixture's batches; texts are turned into ids as they are drawn, since all at once may be too many."""
    examples = mixture.examples
    lengths = [len(example.text) for example in examples]
    for places in mixture.batches(steps, regimen.batch_size, regimen.seed, lengths=lengths):
        yield tensors(tokens, [pair for place in places for pair in pairs(examples[place])], rows=len(places))


def _usual_length(tokens: Tokens, mixture: Mixture, pairs: Pairs) -> float:
    """The mean length of targets, in tokens."""
    some = [pairs(example)[0].target for example in spread(mixture.examples, _MEASURED)]
    return sum(map(len, tokens.targets(some))) / len(some)
