"""From sentences and their scores to an extract: how many are taken, which not, and how they are written down."""

import math
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from understudy.errors import ModelError
from understudy.example import Example
from understudy.students.extracts.documents import document, spoken
from understudy.students.extracts.oracle import membership
from understudy.students.ranges import PositiveInt
from understudy.tasks.ngrams import n_grams
from understudy.tasks.task import Task
from understudy.training.mixtures import Mixture

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Scores = Sequence[float] | NDArray[np.floating]

Joint = Literal[" ", "\n"]
MOST = 6
"""Sentences in an oracle's extract, and in a learned one; a summary that needs more is hardly one."""
_TRIED = 200
"""Documents on which lengths are tried: enough to tell them apart, few enough to take seconds."""
_UNLIMITED = 1_000_000
_Finite = Annotated[float, Field(allow_inf_nan=False)]


class Selector(BaseModel):
    """Takes the best sentences of a document, up to a length, and keeps them in its order.

    A sentence that shares three words in a row with one already taken is passed over (Paulus et al. 2018).

    Attributes:
        sentences: So many are taken at most.
        words: The extract comes as close to this length as whole sentences can.
        joint: What stands between two sentences.
        slope: The logit of a sentence's being worth taking, for each point of its score (Platt 1999); None where that
            is not how good an answer is, so that there is no confidence.
        bias: That logit for a score of nothing.
    """

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    sentences: PositiveInt
    words: PositiveInt
    joint: Joint
    slope: _Finite | None
    bias: _Finite

    @classmethod
    def learn(
        cls, documents: Sequence[Sequence[str]], scores: "Sequence[Scores]", summaries: Sequence[str], task: Task
    ) -> Self:
        """The length that scores highest in the task's headline metric, and confidence and layout beside it.

        Args:
            documents: The sentences of each.
            scores: A number for each of them: the higher, the sooner it is taken.
            summaries: What should come out.
            task: Whose metric decides; only of one that is extractive is there a confidence to learn.
        """
        joint = joint_of(summaries)
        if not documents:
            return cls(sentences=3, words=_UNLIMITED, joint=joint, slope=1.0 if task.extractive else None, bias=0.0)
        step = math.ceil(len(documents) / _TRIED)
        tried = documents[::step], scores[::step], summaries[::step]
        slope, bias = _platt(*tried) if task.extractive else (None, 0.0)
        lengths = [
            cls(sentences=n, words=words, joint=joint, slope=slope, bias=bias) for n, words in _lengths(tried[2])
        ]
        return max(lengths, key=lambda selector: selector._quality(*tried, task))

    @classmethod
    def from_json(cls, value: object) -> Self:
        """The inverse of `to_json`.

        Raises:
            ModelError: It is not what `to_json` gives.
        """
        try:
            return cls.model_validate(value)
        except ValidationError as error:
            raise ModelError(f"no rule for taking sentences: {error.errors(include_url=False)[0]['msg']}") from None

    def to_json(self) -> dict[str, Any]:
        """The learned numbers as a JSON object."""
        return self.model_dump()

    def take(self, sentences: Sequence[str], scores: "Scores") -> tuple[str, float | None]:
        """The extract of a document, and how sure it is that each of its sentences should be there, on average.

        Nothing, for sure, is the extract of a document without a sentence.
        """
        places = self._places(sentences, scores)
        return self.joint.join(sentences[place] for place in places), self._confidence([scores[p] for p in places])

    def _confidence(self, scores: Sequence[float]) -> float | None:
        """How sure it is, on average, of sentences with these scores; None where it cannot tell."""
        from scipy.special import expit

        if self.slope is None:
            return None
        return sum(float(expit(self.slope * score + self.bias)) for score in scores) / len(scores) if scores else 1.0

    def _places(self, sentences: Sequence[str], scores: "Scores") -> list[int]:
        """The places of the sentences to take, in the document's order."""
        taken, met, length = list[int](), set[tuple[str, ...]](), 0
        for place in sorted(range(len(sentences)), key=lambda place: -scores[place]):
            words = spoken(sentences[place])
            if taken and length + len(words) / 2 > self.words:
                break
            trigrams = set(n_grams(words, 3))
            if met & trigrams:
                continue
            taken.append(place)
            met |= trigrams
            length += len(words)
            if len(taken) == self.sentences:
                break
        return sorted(taken)

    def _quality(
        self, documents: Sequence[Sequence[str]], scores: "Sequence[Scores]", summaries: Sequence[str], task: Task
    ) -> float:
        """How well the extracts do in the task's headline metric."""
        extracts = [self.take(*pair)[0] for pair in zip(documents, scores, strict=True)]
        texts = [" ".join(sentences) for sentences in documents]
        return task.tally(summaries, extracts, texts).scores()[task.headline]


def judged_by(mixture: Mixture, validation: Sequence[Example]) -> list[Example]:
    """Examples to choose a length by: validation and, where that is little, training examples, gold before distilled.

    A few dozen texts of validation alone were measured to choose worse.
    """
    return [*validation, *islice(reversed(mixture.examples), max(_TRIED - len(validation), 0))]


def joint_of(summaries: Iterable[str]) -> Joint:
    """What stands between the sentences of most summaries that have several: a line break or a space."""
    breaks = [int("\n" in summary.strip()) or -1 for summary in summaries if len(document(summary)) > 1]
    return "\n" if sum(breaks) > 0 else " "


def _lengths(summaries: Sequence[str]) -> list[tuple[int, int]]:
    """Sentences and words, only one of them limited: what is tried."""
    mean = sum(len(spoken(summary)) for summary in summaries) / len(summaries)
    by_words = [(MOST, max(round(mean * share), 1)) for share in (0.75, 1, 1.25, 1.5)]
    return [*by_words, *((count, _UNLIMITED) for count in range(1, MOST))]


def _platt(
    documents: Sequence[Sequence[str]], scores: "Sequence[Scores]", summaries: Sequence[str]
) -> tuple[float, float]:
    """Slope and bias from scores to the logits of standing in the oracle's extract, by logistic regression."""
    import numpy as np
    from scipy.optimize import minimize
    from scipy.special import expit

    taken = membership(documents, summaries, MOST)
    flat = np.concatenate(scores).astype(np.float64)
    smoothed = np.where(taken, (taken.sum() + 1) / (taken.sum() + 2), 1 / ((~taken).sum() + 2))

    def loss_and_gradient(parameters: "Floats") -> "tuple[float, Floats]":
        logits = parameters[0] * flat + parameters[1]
        error = expit(logits) - smoothed
        return float((np.logaddexp(0, logits) - smoothed * logits).sum()), np.array([error @ flat, error.sum()])

    found = minimize(loss_and_gradient, [1.0, 0.0], jac=True, method="L-BFGS-B", bounds=[(0, None), (None, None)])
    return float(found.x[0]), float(found.x[1])
