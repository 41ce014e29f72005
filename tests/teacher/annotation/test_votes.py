from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.example import Target
from understudy.tasks.classification import Classification
from understudy.teacher.annotation.votes import combine
from understudy.teacher.answer import Answer
from understudy.teacher.cost.spending import Tokens

TASK = Classification(labels=["sport", "money", "science"])


class Longest:
    """A task of free text, on which the longest answer is agreed, and that by half."""

    def consensus(self, targets: list[str]) -> tuple[str, float]:
        return max(targets, key=len), 0.5


def vote(label: str, **about: Any) -> Answer[Target]:
    return Answer(target=label, reply=f'{{"label": "{label}"}}', replies=1, choice={"for": label}, **about)


def no_vote(reason: str = "empty", **about: Any) -> Answer[Target]:
    return Answer(rejected=reason, **about)


def test_what_most_votes_say_is_the_answer() -> None:
    found = combine(TASK, [vote("money"), vote("sport"), vote("sport"), vote("sport")])
    assert found.target == "sport"
    assert found.rejected is None
    assert not found.unanswered
    assert found.reply == '{"label": "sport"}'
    assert found.choice == {"for": "sport"}
    meta = found.meta()
    assert (meta["votes"], meta["valid"], meta["agreement"]) == (4, 4, 0.75)
    assert [reply[11:-2] for reply in meta["vote_replies"]] == ["money", "sport", "sport", "sport"]


def test_the_task_says_what_its_answers_agree_on() -> None:
    found = combine(Longest(), [vote("a"), vote("abc"), vote("ab")])  # type: ignore[arg-type]
    assert (found.target, found.reply, found.agreement) == ("abc", '{"label": "abc"}', 0.5)


def test_an_agreement_that_nobody_voted_for_is_told_with_the_first_valid_reply() -> None:
    class Compromise(Longest):
        def consensus(self, targets: list[str]) -> tuple[str, float]:
            return "+".join(targets), 1 / 3

    found = combine(Compromise(), [no_vote(), vote("a"), vote("b")])  # type: ignore[arg-type]
    assert (found.target, found.reply, found.agreement) == ("a+b", '{"label": "a"}', 0.3333)


def test_the_price_is_that_of_all_votes() -> None:
    votes = [vote("sport", tokens=Tokens(10, 2), seconds=0.5), no_vote(replies=2, tokens=Tokens(7, 1), seconds=0.25)]
    found = combine(TASK, votes)
    assert (found.replies, found.tokens, found.seconds) == (3, Tokens(17, 3), 0.75)
    assert combine(TASK, [*votes, vote("sport")]).tokens == Tokens(17, 3)
    assert combine(TASK, [*votes, vote("sport")]).seconds is None


def test_invalid_votes_are_counted_and_do_not_decide() -> None:
    found = combine(TASK, [no_vote(), vote("money"), no_vote(), vote("money")])
    assert found.target == "money"
    assert (found.notes["votes"], found.notes["valid"], found.agreement) == (4, 2, 1.0)
    assert found.notes["vote_replies"] == [None, '{"label": "money"}', None, '{"label": "money"}']


def test_fewer_than_half_of_the_votes_make_no_answer() -> None:
    found = combine(TASK, [vote("money"), no_vote("empty", reply=""), no_vote("refused: no")])
    assert found.target is None
    assert found.rejected == "1 of 3 votes valid; the first that is not: empty"
    assert found.reply == ""
    assert "agreement" not in found.meta()
    assert found.meta()["valid"] == 1
    assert combine(TASK, [no_vote("empty")]).rejected == "0 of 1 votes valid; the first that is not: empty"


def test_while_a_vote_may_still_come_there_is_no_answer() -> None:
    found = combine(TASK, [vote("money"), no_vote("no answer from the endpoint", unanswered=True), vote("money")])
    assert found.unanswered
    assert found.target is None
    assert found.rejected == "a vote is still to come: no answer from the endpoint"
    assert found.notes["valid"] == 2


def test_a_single_vote_decides() -> None:
    found = combine(TASK, [vote("science", tokens=Tokens(1, 1))])
    assert (found.target, found.tokens, found.agreement) == ("science", Tokens(1, 1), 1.0)


def test_the_shares_of_the_votes_are_soft_labels() -> None:
    votes = [vote("money"), vote("sport"), no_vote(), vote("sport"), vote("sport")]
    assert combine(TASK, votes).soft == {"money": 0.25, "sport": 0.75}
    assert combine(TASK, [no_vote()]).soft is None


def test_a_vote_that_is_divided_itself_counts_for_each_of_its_labels() -> None:
    votes = [vote("money", soft={"money": 0.6, "sport": 0.4}), vote("sport")]
    assert combine(TASK, votes).soft == pytest.approx({"money": 0.3, "sport": 0.7})


def test_only_labels_are_softened() -> None:
    assert combine(Longest(), [vote("a")]).soft is None  # type: ignore[arg-type]


_votes = st.sampled_from([vote("sport"), vote("money"), no_vote(), no_vote("down", unanswered=True)])


@given(st.lists(_votes, min_size=1, max_size=9))
def test_there_is_a_target_or_a_reason_and_the_agreement_is_the_targets_share(votes: list[Answer[Target]]) -> None:
    found = combine(TASK, votes)
    assert (found.target is None) == (found.rejected is not None)
    assert found.unanswered == any(cast.unanswered for cast in votes)
    if isinstance(found.target, str):
        assert found.soft is not None
        assert found.agreement == pytest.approx(found.soft[found.target], abs=1e-4)
        assert found.soft[found.target] == max(found.soft.values())
        assert sum(found.soft.values()) == pytest.approx(1)
        assert 2 * found.notes["valid"] >= len(votes)
