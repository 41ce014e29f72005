"""How sure a tagger may be: the probability of all tags of a text together, made to mean what it says."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from understudy.data.split import spread
from understudy.example import Example
from understudy.segments import words
from understudy.students.spans.passages import passages_of, texts_of
from understudy.students.spans.tags import Tags
from understudy.students.temperature import fit_answer_temperature

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.floating]

_MOST = 1_000
"""Validation texts that it is learned from."""
_ENOUGH = 50
"""Texts that are enough to learn from whether they are right as a whole; of fewer, each passage is an answer."""


def judged_by(validation: Sequence[Example]) -> list[Example]:
    """The passages that it is learned from."""
    return [passage for example in spread(validation, _MOST) for passage in passages_of(example)]


def answer_temperature(
    passages: Sequence[Example],
    paths: Sequence[Sequence[int]],
    log_probabilities: "Callable[[float], Floats]",
    tags: Tags,
) -> float:
    """The temperature at which texts are right as often as the probability of all their tags says.

    Args:
        passages: As `judged_by` gives them.
        paths: The tags that each was given.
        log_probabilities: From a temperature to the logarithm of the probability of each of these, shape (passages,).
        tags: What the numbers of tags mean.
    """
    import numpy as np

    answers = texts_of(passages)
    if answers.max(initial=-1) + 1 < _ENOUGH:
        answers = np.arange(len(passages))
    wrong = [
        tags.decode(words(passage.text), path) != passage.target for passage, path in zip(passages, paths, strict=True)
    ]
    right = np.bincount(answers, wrong) == 0

    def of_answers(temperature: float) -> "Floats":
        return np.bincount(answers, log_probabilities(temperature)).astype(np.float64)

    return fit_answer_temperature(of_answers, right)
