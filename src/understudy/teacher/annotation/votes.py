"""Votes: several answers of the teacher to one text, made one (self-consistency: Wang et al. 2023)."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from functools import reduce

from understudy.example import Target
from understudy.tasks.task import Task, labels_of
from understudy.teacher.answer import Answer, added


def combine(task: Task, votes: Sequence[Answer[Target]]) -> Answer[Target]:
    """What several answers to the same text come to, at the price of all: what the task takes them to agree on.

    There is no target where none of them is valid, or fewer than half are; while one may still come, the whole is
    unanswered. The notes tell how many votes there were, how many were valid, and what each replied.

    Args:
        task: Finds what valid answers agree on.
        votes: The answers, at least one.
    """
    valid = [vote for vote in votes if vote.target is not None]
    invalid = [vote for vote in votes if vote.target is None]
    missing = [vote for vote in votes if vote.unanswered]
    counted = _counted(votes, len(valid))
    if missing:
        return replace(counted, unanswered=True, rejected=f"a vote is still to come: {missing[0].rejected}")
    if not valid or len(valid) < len(invalid):
        reason = f"{len(valid)} of {len(votes)} votes valid; the first that is not: {invalid[0].rejected}"
        return replace(counted, rejected=reason, reply=invalid[0].reply, choice=invalid[0].choice)
    target, agreement = task.consensus([vote.target for vote in valid if vote.target is not None])
    spokesman = next((vote for vote in valid if vote.target == target), valid[0])
    return replace(
        counted,
        target=target,
        reply=spokesman.reply,
        soft=_soft(valid) if labels_of(task) else None,
        agreement=round(agreement, 4),
        choice=spokesman.choice,
    )


def _soft(valid: Sequence[Answer[Target]]) -> dict[str, float]:
    """Each label's share of the votes; a vote that is itself divided over labels counts for each of them."""
    shares: defaultdict[str, float] = defaultdict(float)
    for vote in valid:
        for label, share in (vote.soft or {str(vote.target): 1.0}).items():
            shares[label] += share / len(valid)
    return dict(shares)


def _counted(votes: Sequence[Answer[Target]], valid: int) -> Answer[Target]:
    """What all votes took, and how many there were of them."""
    seconds = [vote.seconds for vote in votes if vote.seconds is not None]
    return Answer(
        replies=sum(vote.replies for vote in votes),
        tokens=reduce(added, (vote.tokens for vote in votes)),
        seconds=sum(seconds) if len(seconds) == len(votes) else None,
        notes={"votes": len(votes), "valid": valid, "vote_replies": [vote.reply for vote in votes]},
    )
