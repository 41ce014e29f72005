"""The lesson: what came of asking the teacher, in a few numbers."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from understudy.data.clean import is_rejected
from understudy.recipe import Recipe
from understudy.run_folder import RunFolder
from understudy.stages.clean import distilled
from understudy.stages.teacher import ledger_of
from understudy.teacher.cost.spending import Tokens


@dataclass(frozen=True, slots=True)
class Lesson:
    """What came of asking the teacher.

    Attributes:
        files: Where the answers are.
        answered: How many of the team's texts got a valid answer.
        written: How many texts the teacher wrote.
        rejected: How many rows hold neither, by reason.
        unanswered: How many of these may still be answered.
        requests: How many requests this run has sent, over all the times that it was taken up.
        spent: The tokens that they took.
        spent_usd: What they cost, in USD; None where the price is not known.
    """

    files: tuple[Path, ...]
    answered: int
    written: int
    rejected: dict[str, int]
    unanswered: int
    requests: int
    spent: Tokens
    spent_usd: float | None


def lesson(recipe: Recipe, run: RunFolder) -> Lesson:
    """What came of asking the teacher, by the run's files."""
    valid: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    unanswered = 0
    for example in distilled(recipe, run):
        unanswered += bool(example.meta.get("unanswered"))
        if is_rejected(example):
            reasons[str(example.meta["rejected"])] += 1
        else:
            valid[example.source] += 1
    ledger = ledger_of(recipe, run)
    return Lesson(
        files=(run.taught, run.generated) if recipe.generate else (run.taught,),
        answered=valid["annotated"],
        written=valid["generated"],
        rejected=dict(reasons.most_common()),
        unanswered=unanswered,
        requests=ledger.requests,
        spent=ledger.spent,
        spent_usd=ledger.spent_usd,
    )
