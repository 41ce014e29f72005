"""The lesson: what came of asking the teacher, in a few numbers, and how it did on the test set itself."""

from array import array
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from understudy.data.clean import is_rejected, kind_of_rejection
from understudy.evaluation.scoreboard import TEACHER, Contestant
from understudy.example import Example, Prediction, Target
from understudy.recipe import Recipe
from understudy.run_folder import RunFolder
from understudy.stages.clean import distilled
from understudy.stages.teacher import ledger_of, price_of
from understudy.teacher.answer import added, replies_in
from understudy.teacher.cost.ledger import Bill
from understudy.teacher.cost.spending import Tokens, cost_usd, usage_tokens
from understudy.words import target

_MANY = 20
"""Texts from which on one answer to all of them is worth a word."""


@dataclass(frozen=True, slots=True)
class Lesson:
    """What came of asking the teacher.

    Attributes:
        files: Where the answers are.
        answered: How many of the team's texts got a valid answer.
        written: How many texts the teacher wrote.
        rejected: How many rows hold neither, by the kind of reason.
        unanswered: How many of these may still be answered.
        requests: How many requests this run has sent, over all the times that it was taken up.
        spent: The tokens that they took.
        spent_usd: What they cost, in USD; None where the price is not known.
        known: What of that the endpoint has told.
        unknown: What of that is the worst case of requests whose cost nobody knows.
        only_answer: The one answer to all of the texts, in words, where these are too many for that to be likely.
    """

    files: tuple[Path, ...]
    answered: int
    written: int
    rejected: dict[str, int]
    unanswered: int
    requests: int
    spent: Tokens
    spent_usd: float | None
    known: Bill
    unknown: Bill
    only_answer: str | None


def lesson(recipe: Recipe, run: RunFolder) -> Lesson:
    """What came of asking the teacher, by the run's files."""
    valid: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    said: set[str] = set()
    unanswered = 0
    for example in distilled(recipe, run):
        unanswered += bool(example.meta.get("unanswered"))
        if is_rejected(example):
            reasons[kind_of_rejection(example)] += 1
        else:
            valid[example.source] += 1
            if example.source == "annotated" and len(said) < 2:
                said.add(target(example.to_json()["target"], example.text))
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
        known=ledger.known,
        unknown=ledger.unknown,
        only_answer=said.pop() if len(said) == 1 and valid["annotated"] >= _MANY else None,
    )


@dataclass(slots=True)
class Heard:
    """What the teacher said, of a pool of any size.

    Attributes:
        test: Its answers to the test texts, by id; None for one that was no valid answer.
        seconds: How long each answer took, where that is known.
        replies: How many replies it gave, to whatever question.
        tokens: What they took; None where no reply tells.
    """

    test: dict[str, Target | None] = field(default_factory=dict)
    seconds: "array[float]" = field(default_factory=lambda: array("d"))
    replies: int = 0
    tokens: Tokens | None = None

    def contestant(self, test: Iterable[Example]) -> Contestant | None:
        """The teacher as a row of the comparison, with its latency where the endpoint was timed; None if not asked."""
        if not self.test:
            return None
        latency = None
        if len(self.seconds) > 1:
            latency = {"p50": 1000 * median(self.seconds), "p95": 1000 * quantiles(self.seconds, n=20)[-1]}
        unknown = dict.fromkeys(("throughput", "size_bytes", "parameters", "train_seconds", "steps"))
        answers = [Prediction(self.test[example.id]) for example in test]
        facts = {"latency_ms": latency, **unknown}
        return Contestant(student=TEACHER, mixture=None, predictions=[answers], facts=facts)

    def account(self, recipe: Recipe, run: RunFolder) -> dict[str, Any]:
        """What the replies cost, whenever they were paid for, and what of it this run has spent."""
        ledger, cost = ledger_of(recipe, run), cost_usd(self.tokens, price_of(recipe.teacher))
        if cost is not None and 0 < self.replies <= ledger.requests:
            cost = ledger.spent_usd  # this run has paid for every one, perhaps by batch
        return {
            "model": recipe.teacher.model,
            "requests": self.replies,
            "tokens": None if self.tokens is None else self.tokens._asdict(),
            "cost_usd": cost,
            "spent_usd": ledger.spent_usd if ledger.requests else 0.0,
        }


def heard_from(recipe: Recipe, run: RunFolder, test: set[str]) -> Heard:
    """What the teacher said, by the run's files.

    Args:
        recipe: Says whether it wrote texts, too.
        run: Holds its answers.
        test: The ids of the test texts.
    """
    heard = Heard()
    for example in distilled(recipe, run):
        if example.source == "annotated":
            if example.id in test:
                heard.test[example.id] = example.target
            if (seconds := example.meta.get("seconds")) is not None:
                heard.seconds.append(seconds)
        heard.replies += replies_in(example.meta)
        heard.tokens = added(heard.tokens, usage_tokens(example.meta))
    return heard
