"""Mixtures whose distilled examples are first looked over by a student that has learned from gold alone.

Plain mixing has rivals that trust each distilled example as far as it deserves. The judge is the same student, with
the same seed, trained on gold: the control that every comparison has anyway.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from understudy.example import Example, Prediction, Span, Target
from understudy.tasks.task import Task
from understudy.training.shares import Share, union
from understudy.training.shares import needle as in_three_stages

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

LookOver = Callable[[Sequence[Example], Sequence[Prediction], Task], list[Example]]
"""From distilled examples and the judge's answers to their texts, to the examples as they are to be learned from."""

_LEAST, _MOST = 0.1, 3.0
"""How much an example counts at the least, so that nothing is lost, and at the most, so that nothing rules."""
_WORDS = 2**18
"""Columns into which words are hashed, so that memory does not grow with the texts."""


@dataclass(frozen=True, slots=True)
class Checked:
    """A mixture with a share s(u, m) whose distilled examples are looked over before they are learned from."""

    share: Share
    look_over: LookOver

    def __call__(self, u: float, m: float) -> float:
        """The share of distilled examples at progress u."""
        return self.share(u, m)


def weighed(examples: Sequence[Example], answers: Sequence[Prediction], task: Task) -> list[Example]:
    """Each example with a weight for how likely it is right and how much it adds, 1 on average.

    Quality times diversity, as DIMP-Loss weighs what a large model has written (Kuo et al. 2024): there both are
    probabilities of two models; here quality is `trust` and diversity is `rarity`.
    """
    return _with_weights(examples, trust(examples, answers, task) * rarity(examples))


def completed(examples: Sequence[Example], answers: Sequence[Prediction], task: Task) -> list[Example]:
    """Each example with the entities that only the judge has found, and with a weight for how likely it is right.

    The completion of weak labels and the noise-aware loss of NEEDLE (Jiang et al. 2021), whose weak labels lack
    entities rather than invent them. A label or a text has nothing to complete.
    """
    whole = [
        replace(example, target=_joined(example.target, answer.target))
        for example, answer in zip(examples, answers, strict=True)
    ]
    return _with_weights(whole, trust(whole, answers, task))


def trust(examples: Sequence[Example], answers: Sequence[Prediction], task: Task) -> "Floats":
    """How likely the teacher's target is right, shape (examples,), by a judge whose confidence c is calibrated.

    A target like the judge's own is right with probability c. Of another one no more is known than that the judge is
    wrong with probability 1 - c. What is like it in part, by the task's headline metric, lies in between.
    """
    import numpy as np

    alike = _alike(examples, answers, task)
    sure = np.array([1.0 if answer.confidence is None else answer.confidence for answer in answers])
    return np.asarray(alike * sure + (1 - alike) * (1 - sure), dtype=np.float64)


def rarity(examples: Sequence[Example]) -> "Floats":
    """How little the words of each text are like those of all together, shape (examples,), in (0, 1].

    One minus the cosine between its TF-IDF vector and the mean one.
    """
    import numpy as np
    from sklearn.feature_extraction.text import HashingVectorizer, TfidfTransformer
    from sklearn.preprocessing import normalize

    counts = HashingVectorizer(n_features=_WORDS, alternate_sign=False, norm=None).transform(
        example.text for example in examples
    )
    vectors = TfidfTransformer(sublinear_tf=True).fit_transform(counts)
    centre = normalize(np.asarray(vectors.mean(axis=0)))[0]
    return np.asarray(1 - vectors @ centre, dtype=np.float64)


def _alike(examples: Sequence[Example], answers: Sequence[Prediction], task: Task) -> "Floats":
    """How far the judge gives the same answer as the teacher, shape (examples,), in [0, 1]."""
    import numpy as np

    same = np.array([example.target == answer.target for example, answer in zip(examples, answers, strict=True)])
    if task.form == "label":
        return same.astype(np.float64)
    tally = task.tally(
        [_target_of(example) for example in examples],
        [answer.target for answer in answers],
        [example.text for example in examples],
    )
    return np.where(same, 1.0, np.nan_to_num(tally.by_item(task.headline), nan=0.0))


def _with_weights(examples: Sequence[Example], worth: "Floats") -> list[Example]:
    """The examples weighed by what they are worth, beside what they weighed before."""
    import numpy as np

    counts = np.clip(worth / worth.mean(), _LEAST, _MOST) if worth.any() else np.ones(len(examples))
    counts /= counts.mean()
    return [
        replace(example, weight=example.weight * float(count)) for example, count in zip(examples, counts, strict=True)
    ]


def _joined(target: Target | None, found: Target | None) -> Target | None:
    """The teacher's entities, and those of the judge that touch none of them."""
    if not isinstance(target, tuple) or not isinstance(found, tuple):
        return target
    return tuple(sorted([*target, *(span for span in found if not _touches(span, target))]))


def _touches(span: Span, others: Sequence[Span]) -> bool:
    return any(span.start < other.end and other.start < span.end for other in others)


def _target_of(example: Example) -> Target:
    assert example.target is not None
    return example.target


weighted = Checked(union, weighed)
needle = Checked(in_three_stages, completed)
