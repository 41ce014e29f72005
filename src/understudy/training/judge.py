"""How well a network does on validation while it learns."""

from collections.abc import Callable, Sequence

from understudy.example import Example, Prediction, Target
from understudy.tasks.task import Task

Judge = Callable[[], tuple[float, float]]
"""The validation score (higher is better) and loss of a network as it stands."""


def judge(
    task: Task, validation: Sequence[Example], answer: Callable[[], tuple[Sequence[Prediction], float]]
) -> Judge | None:
    """What judges a network in training by its answers to validation; None where there is none.

    Args:
        task: Whose headline metric is the score.
        validation: Examples that are not learned from.
        answer: What the network as it stands answers to them, in order, and its loss; 0 where nobody takes it.
    """
    if not validation:
        return None
    texts = [example.text for example in validation]
    gold = [_target(example) for example in validation]

    def score_and_loss() -> tuple[float, float]:
        answers, loss = answer()
        predicted = [one.target for one in answers]
        return task.tally(gold, predicted, texts).scores()[task.headline], loss

    return score_and_loss


def _target(example: Example) -> Target:
    assert example.target is not None, f"{example.id}: without a target in validation"
    return example.target
