"""What the three sequence models have in common: how they learn, and the folder that they live in."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from understudy.data.split import spread
from understudy.example import Example, Prediction
from understudy.progress import Progress
from understudy.students import pretrained
from understudy.students.pretrained import Pretrained
from understudy.students.sequences.settings import GREEDY, Search, Setup
from understudy.students.student import Fit
from understudy.tasks.task import Task
from understudy.training.judge import Judge, judge
from understudy.training.mixtures import Mixture

if TYPE_CHECKING:
    import random

    from understudy.students.sequences.generation import Written
    from understudy.students.sequences.learning import Pair, Pairs

_JUDGED = 64
"""Validation texts that are answered at each look, greedily: writing is slow."""


class SequenceModel(ABC):
    """An encoder-decoder that learns to write the answer to a text.

    Where the teacher gave its reasons, it may learn to write them too, as a second task (Hsieh et al. 2023).

    Args:
        task: What is answered.
        setup: All the rest.
    """

    temperature: float

    def __init__(self, task: Task, setup: Setup) -> None:
        self._task, self._setup = task, setup

    @abstractmethod
    def _wanted(self, example: Example, draw: "random.Random") -> str:
        """What is to be written about an example."""

    @abstractmethod
    def _answers(self, texts: Sequence[str], search: Search) -> list[Prediction]:
        """One prediction for each text, in order."""

    def _parts(self, example: Example) -> list[Example]:
        """What is learned from an example, one source each."""
        return [example]

    def _calibrate(self, validation: Sequence[Example]) -> None:
        """Learn from validation how sure to be; what is written freely is as probable as it is."""
        self.temperature = 1.0

    def fit(self, mixture: Mixture, validation: Sequence[Example], progress: Progress) -> Fit:
        """Learn from the mixture; the weights that score best on validation are kept."""
        import random

        from understudy.students.sequences import learning, starts
        from understudy.training.loop import Optimisation, seeded

        setup, regimen = self._setup, self._setup.regimen
        mixture = mixture.split(self._parts)
        pairs = self._pairs(random.Random(regimen.seed))  # noqa: S311 - a draw, not a secret
        how = Optimisation.of(regimen, mixture, accumulate=setup.accumulate)
        if setup.rationale_weight and not any(map(learning.rationale, mixture.examples)):
            progress.say(f"{mixture.name}: no example has reasons beside its answer; rationale_weight has no effect")
        with seeded(regimen.seed), progress.bar(f"training on {mixture.name}", how.steps) as bar:
            self._adopt(starts.begin(setup, learning.lines(mixture, pairs)))
            evaluate = self._judge(validation, pairs)
            course = learning.learn(self._network, self._tokens, mixture, pairs, how, regimen, bar, evaluate)
        self._calibrate(validation)
        return Fit(course.steps, course.history)

    def predict(self, texts: Sequence[str]) -> list[Prediction]:
        """One prediction for each text, in order."""
        return self._answers(texts, self._setup.search)

    def count_parameters(self) -> int:
        """How many learned numbers there are; shared ones count once."""
        from understudy.students.networks import count_parameters

        return count_parameters(self._network)

    def write(self, folder: Path) -> None:
        """Write the model's configuration, the tokenizer, and the weights, shared ones once."""
        pretrained.write(self._network, self._tokenizer, folder)

    def read(self, folder: Path) -> None:
        """Read back what `write` wrote, from these files alone."""
        from understudy.students.sequences import starts

        start, weights = starts.read(folder, self._setup.kind)
        self._adopt(start)
        self._network.load_state_dict(weights, strict=False)  # a shared tensor stands there under one name of several
        self._network.eval()

    def _adopt(self, start: Pretrained) -> None:
        """Make a start this model's own."""
        from understudy.students.sequences.networks import Seq2Seq
        from understudy.students.sequences.tokens import Tokens
        from understudy.training.loop import best_device

        setup = self._setup
        self._network = Seq2Seq(start.backbone).to(best_device())
        self._tokenizer = start.tokenizer
        self._tokens = Tokens(start.tokenizer, start.backbone.config, setup.max_source, setup.max_target)

    def _pairs(self, draw: "random.Random") -> "Pairs":
        """What is learned from an example: its answer, and the reasons for it where there are any."""
        from understudy.students.sequences.learning import EXPLAIN, Pair, rationale

        def pairs(example: Example) -> "list[Pair]":
            answer = Pair(self._setup.prefix + example.text, self._wanted(example, draw), example.weight)
            weight = self._setup.rationale_weight * example.weight
            reasons = rationale(example) if weight else ""
            return [answer, Pair(EXPLAIN + example.text, reasons, weight)] if reasons else [answer]

        return pairs

    def _judge(self, validation: Sequence[Example], pairs: "Pairs") -> Judge | None:
        """What takes the network's score and loss on validation, if there is any, as it stands."""
        from understudy.students.sequences.learning import mean_loss

        looked_at = spread(validation, _JUDGED)
        texts = [example.text for example in looked_at]
        wanted = [pairs(part)[0] for example in looked_at for part in self._parts(example)]

        def answer() -> tuple[list[Prediction], float]:
            loss = mean_loss(self._network, self._tokens, wanted, self._setup.regimen.batch_size)
            return self._answers(texts, GREEDY), loss

        return judge(self._task, looked_at, answer)

    def _written(self, texts: Sequence[str], search: Search) -> "list[Written]":
        """What the network writes about each text."""
        from understudy.students.sequences.generation import write

        return write(self._network, self._tokens, [self._setup.prefix + text for text in texts], search)
