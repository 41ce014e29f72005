"""How the encoder learns to extract: its ranker first, over the encoder as it stands, then both together."""

import math
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits
from torch.nn.utils.rnn import pad_sequence

from understudy.example import Example, Prediction
from understudy.progress import Progress
from understudy.students.extracts.documents import document
from understudy.students.extracts.scoring import Lesson, Scorer, wanted
from understudy.students.extracts.selection import Selector
from understudy.students.networks import device_of
from understudy.students.student import Fit
from understudy.tasks.free_text import as_text
from understudy.tasks.task import Task
from understudy.training.judge import Judge, judge
from understudy.training.loop import Batch, Optimisation, autocast, train
from understudy.training.mixtures import Mixture
from understudy.training.regimen import Regimen

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.floating]

_PASSES = 6
_DRAWN = 6_400
"""Passes over all examples, and documents drawn, in which the ranker learns alone; whichever is less."""
_RATE = 1e-3
"""The ranker's highest learning rate while it learns alone."""


def fit(
    scorer: Scorer,
    mixture: Mixture,
    validation: Sequence[Example],
    task: Task,
    how: Optimisation,
    regimen: Regimen,
    progress: Progress,
) -> Fit:
    """Train a scorer on a mixture, and keep the weights that did best on validation."""

    def batches() -> Iterator[Batch]:
        for places in mixture.batches(how.steps, regimen.batch_size, regimen.seed):
            yield scorer.batch([scorer.lesson(mixture.examples[place]) for place in places])

    def loss(batch: Batch) -> Tensor:
        return _loss(scorer.network(batch), batch)

    documents = _documents(validation)
    evaluate = _judge(lambda: scorer.scores(documents), validation, task)
    with progress.bar(f"training on {mixture.name}", how.steps) as bar:
        course = train(scorer.network, batches(), loss, how, bar, evaluate)
    return Fit(course.steps, course.history)


def start_ranker(
    scorer: Scorer, mixture: Mixture, validation: Sequence[Example], task: Task, regimen: Regimen, progress: Progress
) -> None:
    """Teach the ranker of a pretrained network along the mixture, while the encoder stays as it is.

    A document is read only once for that, so that it takes little more than one pass over the examples.
    """
    ranker, size = scorer.network.ranker, regimen.batch_size
    steps = min(mixture.steps(_PASSES, size), math.ceil(_DRAWN / size))

    def loss(batch: Batch) -> Tensor:
        return _loss(ranker(batch["vectors"], batch["mask"], batch["counts"]), batch)

    judged = [example for example in validation if document(example.text)]
    seen = _seen(scorer, [scorer.tokens(sentences) for sentences in _documents(judged)])
    evaluate = _judge(lambda: scorer.rank(seen), judged, task)
    how = Optimisation(steps=steps, learning_rate=_RATE, bf16=False)
    with progress.bar(f"reading for {mixture.name}", steps) as bar:
        train(ranker, _seen_batches(scorer, mixture, steps, regimen), loss, how, bar, evaluate)


def _seen_batches(scorer: Scorer, mixture: Mixture, steps: int, regimen: Regimen) -> Iterator[Batch]:
    """The mixture's batches with the ``vectors`` of sentences, shape (documents, sentences, hidden size + 1)."""
    known: dict[int, tuple[Lesson, Tensor]] = {}
    for batch in mixture.batches(steps, regimen.batch_size, regimen.seed):
        places = batch.tolist()
        new = {place: scorer.lesson(mixture.examples[place]) for place in places if place not in known}
        seen = _seen(scorer, [lesson.tokens for lesson in new.values()])
        known |= dict(zip(new, zip(new.values(), seen, strict=True), strict=True))
        lessons, vectors = zip(*(known[place] for place in places), strict=True)
        yield wanted(lessons) | {"vectors": pad_sequence(list(vectors), batch_first=True)}


def _seen(scorer: Scorer, documents: Sequence[Sequence[Sequence[int]]]) -> list[Tensor]:
    """What the encoder as it stands makes of the sentences of each document."""
    if not documents:
        return []
    with torch.no_grad(), autocast(device_of(scorer.network)):
        return scorer.vectors(documents)


def _loss(logits: Tensor, batch: Batch) -> Tensor:
    """The weighted mean over documents of how unlikely it is, on average, that a sentence is or is not taken."""
    mask = batch["mask"]
    each = binary_cross_entropy_with_logits(logits.float(), batch["wanted"], reduction="none")
    by_document = (each * mask).sum(dim=1) / mask.sum(dim=1)
    return (batch["weight"] * by_document).mean()


def _judge(scores: Callable[[], list["Floats"]], validation: Sequence[Example], task: Task) -> Judge | None:
    """What takes the score of the best extracts of validation, if there is any, by these scores of sentences."""
    documents, summaries = _documents(validation), [as_text(example.target) for example in validation]

    def answer() -> tuple[list[Prediction], float]:
        found = scores()
        selector = Selector.learn(documents, found, summaries, task)
        return [Prediction(*selector.take(*pair)) for pair in zip(documents, found, strict=True)], 0.0

    return judge(task, validation, answer)


def _documents(examples: Sequence[Example]) -> list[list[str]]:
    return [document(example.text) for example in examples]
