"""What the torch students share when the task is classification: learning from a mixture, and predicting."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from understudy.data.split import spread
from understudy.example import Example, Prediction
from understudy.progress import Progress
from understudy.students.labels.decoder import LabelDecoder, target_distributions, weights
from understudy.students.labels.networks import PooledEncoder
from understudy.students.networks import device_of
from understudy.students.student import Fit
from understudy.tasks.task import Task
from understudy.training.batching import by_length, cross_entropy, pad
from understudy.training.judge import Judge, judge
from understudy.training.loop import Batch, Optimisation, autocast, train
from understudy.training.mixtures import Mixture
from understudy.training.probe import fit_head
from understudy.training.regimen import Regimen

_AT_ONCE = 32
"""Texts in a batch of prediction."""

_PROBED = 5_000
"""Examples that a head is fitted to before fine-tuning; more cost time and teach it little."""


@dataclass(frozen=True, slots=True)
class Classifier:
    """A network that classifies texts, and what turns texts into its input.

    Attributes:
        network: From ids and mask, both of shape (texts, tokens), to logits of shape (texts, labels).
        encode: From texts to the token ids of each.
        filler: The id that pads shorter texts.
        decoder: From logits to answers.
    """

    network: nn.Module
    encode: Callable[[Sequence[str]], list[list[int]]]
    filler: int
    decoder: LabelDecoder

    @property
    def labels(self) -> list[str]:
        """The labels, in the order of the logits."""
        return self.decoder.labels

    def predict(self, texts: Sequence[str], temperature: float) -> list[Prediction]:
        """The most probable label of each text, and its probability."""
        with torch.inference_mode():
            return self.decoder.predictions(self.logits(texts).numpy(), temperature)

    def temperature_for(self, validation: Sequence[Example]) -> float:
        """The temperature at which the validation examples' labels get the probabilities that they should."""
        with torch.inference_mode():
            return self.decoder.temperature_for(self.logits([e.text for e in validation]).numpy(), validation)

    def logits(self, texts: Sequence[str]) -> Tensor:
        """What the network says of each text, shape (texts, labels)."""
        return self.compute(self.network, self.encode(texts), len(self.labels))

    def compute(
        self, function: Callable[[Tensor, Tensor], Tensor], encoded: Sequence[Sequence[int]], size: int
    ) -> Tensor:
        """What a function makes of the ids and mask of each text, in order, shape (texts, size), float32."""
        device = device_of(self.network)
        found = torch.empty(len(encoded), size)
        for places in by_length([len(ids) for ids in encoded], _AT_ONCE):
            ids, mask = pad([encoded[place] for place in places], self.filler)
            found[places] = function(ids.to(device), mask.to(device)).float().cpu()
        return found


def fit(
    classifier: Classifier,
    mixture: Mixture,
    validation: Sequence[Example],
    task: Task,
    how: Optimisation,
    regimen: Regimen,
    progress: Progress,
) -> Fit:
    """Train a classifier on a mixture, and keep the weights that did best on validation."""

    def loss(batch: Batch) -> Tensor:
        return cross_entropy(classifier.network(batch["ids"], batch["mask"]), batch["wanted"], batch["weight"])

    batches = _batches(classifier, mixture, how.steps, regimen)
    with progress.bar(f"training on {mixture.name}", how.steps) as bar:
        course = train(classifier.network, batches, loss, how, bar, _judge(classifier, validation, task))
    return Fit(course.steps, course.history)


def start_head(classifier: Classifier, network: PooledEncoder, mixture: Mixture) -> None:
    """Fit the head of a pretrained network, as it stands, to what the mixture begins with (at most 5,000 examples)."""
    emphasis = mixture.emphasis(mixture.segments()[0])
    examples = spread([e for e, counts in zip(mixture.examples, emphasis, strict=True) if counts], _PROBED)
    encoded = classifier.encode([example.text for example in examples])
    network.eval()
    with torch.no_grad(), autocast(device_of(network)):
        features = classifier.compute(network.pooled, encoded, network.head.in_features)
    fit_head(network.head, features, *_wanted(examples, classifier.labels))


def _batches(classifier: Classifier, mixture: Mixture, steps: int, regimen: Regimen) -> Iterator[Batch]:
    """The mixture's batches as tensors: ids, mask, wanted distribution and weight."""
    encoded = classifier.encode([example.text for example in mixture.examples])
    wanted, weight = _wanted(mixture.examples, classifier.labels)
    for places in mixture.batches(steps, regimen.batch_size, regimen.seed, lengths=[len(ids) for ids in encoded]):
        ids, mask = pad([encoded[place] for place in places], classifier.filler)
        yield {"ids": ids, "mask": mask, "wanted": wanted[places], "weight": weight[places]}


def _judge(classifier: Classifier, validation: Sequence[Example], task: Task) -> Judge | None:
    """What takes the network's score and loss on validation, if there is any, as it stands."""
    encoded = classifier.encode([example.text for example in validation])
    wanted, weight = _wanted(validation, classifier.labels)

    def answer() -> tuple[list[Prediction], float]:
        logits = classifier.compute(classifier.network, encoded, len(classifier.labels))
        return classifier.decoder.predictions(logits.numpy()), float(cross_entropy(logits, wanted, weight))

    return judge(task, validation, answer)


def _wanted(examples: Sequence[Example], labels: Sequence[str]) -> tuple[Tensor, Tensor]:
    """The distributions that examples should get, shape (examples, labels), and how much each counts."""
    return torch.from_numpy(target_distributions(examples, labels)), torch.from_numpy(weights(examples))
