"""An interview: any number of questions put to the teacher, out of the reply store where it can answer, in order."""

import asyncio
import re
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Generic, NamedTuple, TypeVar

from understudy.data.disk_map import DiskMap
from understudy.errors import TeacherError
from understudy.teacher.answer import Answer, Question, read_answer
from understudy.teacher.asking import Asking
from understudy.teacher.channel import Channel, RequestFailed
from understudy.teacher.cost.ledger import BudgetReached
from understudy.teacher.cost.spending import Forecast, Tokens
from understudy.teacher.cost.tokens import TokenCount, estimated_tokens
from understudy.teacher.replies.store import Reply, ReplyStore
from understudy.teacher.request import Body, content_key, correction, difference

K = TypeVar("K")
T = TypeVar("T")

_AHEAD = 16
"""How many questions may be taken up, for each request that may be under way, before the oldest item is done."""
_USELESS = 20
"""So many replies without a single valid one, and there is no sense in paying for more."""
_OF_ONE_QUESTION = 2
"""Replies: the first, and one to its correction."""
_LOOK = 0.02
"""Seconds after which to see again whether anything speaks for the teacher."""
_SHOWN = 200
UNASKED = "no recorded reply, and no endpoint to ask"


@dataclass(frozen=True, slots=True)
class Open(Generic[T]):
    """A question that the store does not answer yet.

    Attributes:
        body: The request to be sent next: the question's own, or a correction of the reply that it got.
        key: The request's content key.
        so_far: What the reply was worth, where there was one.
    """

    body: Body
    key: bytes
    so_far: Answer[T] | None = None

    def after(self, question: Question[T], reply: Reply) -> "Answer[T] | Open[T]":
        """How things stand once the request was replied to: what is no answer is asked for once more."""
        answer = read_answer(question, reply)
        if self.so_far is not None:
            return self.so_far.corrected_by(answer)
        if answer.rejected is None or reply.completion is None:
            return answer
        body = correction(question.body, answer.reply or "", answer.rejected)
        return Open(body, content_key(body), answer)

    def without(self, reason: str, *, unanswered: bool = False) -> Answer[T]:
        """The answer where no reply comes to this request; unanswered where one may still come."""
        if self.so_far is None:
            return Answer(rejected=reason, unanswered=unanswered)
        if reason == UNASKED:
            return self.so_far
        return replace(self.so_far, rejected=f"{self.so_far.rejected}; {reason}", unanswered=unanswered)


class Interview:
    """Puts questions to the teacher; every reply is kept before it is looked at, and none is asked for twice.

    Args:
        store: Where replies are kept and looked for.
        connect: Makes a channel to the teacher; None where only recorded replies count.
        parallel: How many requests may be under way at a time.

    Attributes:
        reused: How many questions the store settled.
        budget_reached: How the budget ended the asking; None where it did not.
    """

    def __init__(self, store: ReplyStore, connect: Callable[[], Channel] | None, parallel: int = 1) -> None:
        self.store = store
        self.connect = connect
        self.parallel = parallel
        self.reused = 0
        self.budget_reached: str | None = None

    def answers(self, asked: Iterable[tuple[K, Sequence[Question[T]]]]) -> Iterator[tuple[K, list[Answer[T]]]]:
        """The answers to each item's questions, in the order they came in; a stream, whatever their number.

        A reply that is no answer is asked for once more, with the reason. Where the budget ends, what follows is
        unanswered.

        Raises:
            TeacherError: The key is missing, the endpoint cannot be used, what it says is of no use, or not one request
                was answered, or none of several validly.
        """
        silence: _Silence[T] | None = _Silence()
        use = _Use()
        for (item, questions), answers in self._in_order(asked, use):
            silence = silence and silence.after(questions, answers)
            yield item, answers
        if silence is not None and silence.requests and self.budget_reached is None:
            raise TeacherError(self._told(silence))
        if use.disproven and self.budget_reached is None:
            raise use.verdict()

    def forecast(self, asked: Iterable[tuple[K, Sequence[Question[T]]]], count: TokenCount, written: int) -> Forecast:
        """What asking would take; nothing is sent and nothing is spent.

        Args:
            asked: Each item with its questions.
            count: Counts the tokens of a request.
            written: About how many tokens a reply has.
        """
        items = cached = to_ask = read = 0
        for _, bodies in self.outstanding(asked):
            items += 1
            cached += not bodies
            to_ask += len(bodies)
            read += sum(count(body["messages"]) for body in bodies)
        return Forecast(items, cached, to_ask, Tokens(read, to_ask * written), estimated=count is estimated_tokens)

    def _in_order(
        self, asked: Iterable[tuple[K, Sequence[Question[T]]]], use: "_Use"
    ) -> Iterator[tuple[tuple[K, Sequence[Question[T]]], list[Answer[T]]]]:
        """Each item and its questions with the answers, a bounded number of questions under way."""
        taken_up = 0
        waiting: deque[tuple[tuple[K, Sequence[Question[T]]], list[Future[Answer[T]]]]] = deque()
        with ExitStack() as stack:
            stack.enter_context(self.store)
            asking = stack.enter_context(Asking(self.connect, self.store)) if self.connect else None
            ahead = _AHEAD * self.parallel if asking else 0
            for item, questions in asked:
                waiting.append(((item, questions), [self._begin(question, asking, use) for question in questions]))
                taken_up += max(1, len(questions))
                while waiting and (taken_up > ahead or all(answer.done() for answer in waiting[0][1])):
                    use.looked_ahead |= taken_up > ahead
                    done, begun = waiting.popleft()
                    taken_up -= max(1, len(begun))
                    yield done, [answer.result() for answer in begun]
            use.looked_ahead = True
            for done, begun in waiting:
                yield done, [answer.result() for answer in begun]

    def _told(self, silence: "_Silence[T]") -> str:
        """Not one request was answered: say so once, with the likeliest cause."""
        said = f"none of the {silence.requests:,} requests"
        if self.connect is not None:
            return f"the teacher answered {said}; the first: {silence.reason}"
        recorded = self.store.sample()
        body = silence.body
        hint = "no reply is recorded at all" if recorded is None or body is None else difference(body, recorded)
        return (
            f"the recorded replies answer {said}, and there is no endpoint to ask: {hint}; correct the recipe, or give "
            "base_url"
        )

    def outstanding(self, asked: Iterable[tuple[K, Sequence[Question[T]]]]) -> Iterator[tuple[K, list[Body]]]:
        """The requests that would be sent next for each item, every request only once; nothing is sent."""
        with self.store, DiskMap[int]() as seen:
            for place, (item, questions) in enumerate(asked):
                states = [self.recall(question) for question in questions]
                still_open = [state for state in states if isinstance(state, Open)]
                yield item, [state.body for state in still_open if seen.setdefault(state.key, place) == place]

    def recall(self, question: Question[T]) -> Answer[T] | Open[T]:
        """How things stand with a question by the store alone."""
        state: Answer[T] | Open[T] = Open(question.body, content_key(question.body))
        while isinstance(state, Open):
            reply = self.store.find(state.key)
            if reply is None:
                break
            state = state.after(question, reply)
        return state

    def _begin(self, question: Question[T], asking: Asking | None, use: "_Use") -> "Future[Answer[T]]":
        """The answer to a question: at once where the store settles it, else as soon as the teacher was asked."""
        state = self.recall(question)
        use.hear(state, fresh=False)
        if isinstance(state, Open) and asking is not None:
            return asking.submit(partial(self._settle, question, state, asking, use))
        self.reused += isinstance(state, Answer)
        answer = state if isinstance(state, Answer) else state.without(UNASKED)
        if asking is not None and answer.reply is not None:
            asking.answered = True
        settled: Future[Answer[T]] = Future()
        settled.set_result(answer)
        return settled

    async def _settle(self, question: Question[T], state: Open[T], asking: Asking, use: "_Use") -> Answer[T]:
        """Ask, and ask once more where the reply is no answer."""
        found: Answer[T] | Open[T] = state
        while use.suspected and not use.looked_ahead:  # what the store has further on may speak for the teacher
            await asyncio.sleep(_LOOK)
        if use.hopeless:
            raise asking.stop(use.verdict())
        while isinstance(found, Open):
            try:
                reply = await asking.fetch(found.key, found.body, first=found.so_far is not None)
            except BudgetReached as error:
                self.budget_reached = str(error)
                return found.without(str(error), unanswered=True)
            except RequestFailed as error:
                if not (error.refused and (found.so_far is not None or asking.answered)):
                    return found.without(str(error), unanswered=True)
                reply = Reply(None, refused=str(error))  # as the store will give it
            found = found.after(question, reply)
            use.hear(found)
            if use.hopeless:
                asking.stop(use.verdict())
        return found


@dataclass(frozen=True, slots=True)
class _Silence(Generic[T]):
    """The teacher as long as it has not replied to anything.

    Attributes:
        requests: To how many requests.
        body: The first of them.
        reason: What became of that.
    """

    requests: int = 0
    body: Body | None = None
    reason: str | None = None

    def after(self, questions: Sequence[Question[T]], answers: Sequence[Answer[T]]) -> "_Silence[T] | None":
        """The silence after some more questions; None where it is broken."""
        if any(answer.reply is not None for answer in answers):
            return None
        if not questions or self.body is not None:
            return replace(self, requests=self.requests + len(questions))
        return _Silence(len(questions), questions[0].body, answers[0].rejected)


class _Flaw(NamedTuple):
    """What replies may have in common that makes all of them useless, and what helps."""

    told_by: re.Pattern[str]
    they_are: str
    help: str


_FLAWS = (
    _Flaw(
        re.compile("truncated"),
        "cut off at the token limit",
        "Raise teacher.max_tokens, then `understudy replies prune --truncated`",
    ),
    _Flaw(
        re.compile("Markdown|not JSON|(before|after) the JSON object|before its thoughts"),
        "not the JSON object alone",
        "Set teacher.structure to json_schema or json_object if the server can hold replies to it (and its reasoning "
        "parser, if the model thinks aloud), then `understudy replies prune --model NAME`; or give another prompt",
    ),
    _Flaw(re.compile("refused"), "refusals", "Give another prompt, or ask another model"),
    _Flaw(re.compile(""), "no answer to the task", "Correct the prompt or the labels, or ask a more capable model"),
)


class _Use:
    """Whether it is of any use to go on asking: not, once so many replies have come and not one was valid.

    Attributes:
        proven: Whether an answer was valid, fresh or stored.
        looked_ahead: Whether the store was looked through as far ahead as questions are taken up.
    """

    def __init__(self) -> None:
        self.proven = False
        self.looked_ahead = False
        self._corrected = False
        self._flaws = Counter[_Flaw]()
        self._last: Answer[Any] = Answer()

    @property
    def suspected(self) -> bool:
        """Whether a reply was useless, and none valid so far."""
        return not self.proven and self._flaws.total() > 0

    @property
    def disproven(self) -> bool:
        """Whether, now that all was asked, no reply is valid; one text with its correction says nothing of others."""
        return not self.proven and self._flaws.total() > _OF_ONE_QUESTION

    @property
    def hopeless(self) -> bool:
        """Whether enough useless replies are known, corrected ones among them, and nothing stored speaks against it."""
        enough = self._corrected and self._flaws.total() >= _USELESS
        return enough and self.looked_ahead and not self.proven

    def hear(self, state: Answer[T] | Open[T], *, fresh: bool = True) -> None:
        """Take into account how things stand with a question after a reply, or by all that the store has of it."""
        answer = state.so_far if isinstance(state, Open) else state
        if answer is None or answer.reply is None:
            return
        self.proven |= answer.rejected is None
        if answer.rejected is not None and not self.proven:
            self._corrected |= isinstance(state, Answer)
            flaw = next(flaw for flaw in _FLAWS if flaw.told_by.search(answer.rejected))
            self._flaws[flaw] += 1 if fresh else answer.replies
            self._last = answer

    def verdict(self) -> TeacherError:
        """What the replies have in common, and what helps."""
        [(flaw, count)] = self._flaws.most_common(1)
        total = self._flaws.total()
        return TeacherError(
            f"not one of the teacher's {total:,} replies is a valid answer, and {count:,} of them are {flaw.they_are}; "
            f"the last is {self._last.rejected}: {(self._last.reply or '')[:_SHOWN]!r}. {flaw.help}"
        )
