"""The teacher: the large model as a predictor like any student, and as the annotator of the team's texts."""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import ExitStack
from dataclasses import dataclass, replace

from understudy.errors import TeacherError
from understudy.example import Example, Prediction, is_whole
from understudy.progress import Progress
from understudy.tasks.task import Task
from understudy.teacher.answer import Answer, read_answer
from understudy.teacher.asking import Asking
from understudy.teacher.client import Endpoint, RequestFailed
from understudy.teacher.replies import ReplyStore
from understudy.teacher.request import Body, content_key, correction, difference, request_body
from understudy.teacher.spending import Forecast, Tokens, estimated_reply_tokens, estimated_tokens

_AHEAD = 16
"""How many rows may be taken up, for each request that may be under way, before the oldest of them is done."""
_UNASKED = "no recorded reply, and no endpoint to ask"


@dataclass(frozen=True, slots=True)
class _Question:
    """A request that the store does not answer yet, and how things stand without its reply."""

    body: Body
    so_far: Answer | None = None

    def without(self, reason: str, *, unanswered: bool = False) -> Answer:
        """The answer where no reply comes to this request; unanswered where one may still come."""
        if self.so_far is None:
            return Answer(rejected=reason, unanswered=unanswered)
        if reason == _UNASKED:
            return self.so_far
        return replace(self.so_far, rejected=f"{self.so_far.rejected}; {reason}", unanswered=unanswered)


class Teacher:
    """A large model that answers the task, out of the reply store where it can and over the network where it must.

    Args:
        task: What is asked.
        model: The model's name at the endpoint; a part of every request.
        store: Where every reply is kept and looked for.
        endpoint: Where the model answers; None where only recorded replies count.
    """

    def __init__(self, *, task: Task, model: str, store: ReplyStore, endpoint: Endpoint | None) -> None:
        self.task = task
        self.model = model
        self.store = store
        self.endpoint = endpoint

    def forecast(self, examples: Iterable[Example]) -> Forecast:
        """What annotating these texts would take; nothing is sent and nothing is spent."""
        rows = cached = read = 0
        to_ask: set[bytes] = set()
        with self.store:
            for rows, example in enumerate(examples, start=1):  # noqa: B007 - the count is wanted after the loop
                state = self._recall(example.text)
                if isinstance(state, Answer):
                    cached += 1
                elif (key := bytes.fromhex(content_key(state.body))) not in to_ask:
                    to_ask.add(key)
                    read += estimated_tokens(state.body["messages"])
        written = len(to_ask) * estimated_reply_tokens(self.task.reply_schema.schema)
        return Forecast(rows, cached, len(to_ask), Tokens(read, written))

    def annotate(self, examples: Iterable[Example], progress: Progress, total: int) -> Iterator[Example]:
        """Each text with the teacher's answer, in the order they came in; a stream, whatever their number.

        A row that gets no valid answer has no target, and the reason under ``rejected`` in its meta; the raw reply,
        the tokens and the seconds it took stand there too, and ``unanswered`` where a reply may still come.

        Args:
            examples: The texts.
            progress: Told of every row.
            total: How many rows there will be, for the progress bar.

        Raises:
            TeacherError: The key is missing, the endpoint cannot be used, or not one row was answered.
        """
        if self.store.dropped:
            progress.say(f"{self.store.path}: passed over {self.store.dropped} record(s) torn by a crash")
        with progress.bar("teach", total) as bar:
            for annotated in self._annotated(examples):
                bar.advance()
                yield annotated

    def predict(self, texts: Sequence[str]) -> list[Prediction]:
        """The teacher's answer to each text, in order; None as target where it gave no valid one.

        Raises:
            TeacherError: As for `annotate`.
        """
        examples = (Example(id=str(index), text=text) for index, text in enumerate(texts))
        return [Prediction(annotated.target) for annotated in self._annotated(examples)]

    def _annotated(self, examples: Iterable[Example]) -> Iterator[Example]:
        replied = False
        first: tuple[Example, Answer] | None = None
        count = 0
        for count, (example, answer) in enumerate(self._in_order(examples), start=1):  # noqa: B007 - wanted below
            replied = replied or answer.reply is not None
            first = first or (example, answer)
            yield Example(
                id=example.id, text=example.text, target=answer.target, source="annotated", meta=answer.meta()
            )
        if first is not None and not replied:
            raise self._nothing_answered(count, *first)

    def _in_order(self, examples: Iterable[Example]) -> Iterator[tuple[Example, Answer]]:
        """Each example with its answer, in order, with a bounded number of them under way."""
        ahead = _AHEAD * self.endpoint.concurrency if self.endpoint else 0
        waiting: deque[tuple[Example, Future[Answer]]] = deque()
        with ExitStack() as stack:
            stack.enter_context(self.store)
            asking = stack.enter_context(Asking(self.endpoint, self.store)) if self.endpoint else None
            for taken in examples:
                waiting.append((taken, self._begin(taken.text, asking)))
                while waiting and (len(waiting) > ahead or waiting[0][1].done()):
                    example, answer = waiting.popleft()
                    yield example, answer.result()
            for example, answer in waiting:
                yield example, answer.result()

    def _begin(self, text: str, asking: Asking | None) -> "Future[Answer]":
        """The answer to a text: at once where the store settles it, else as soon as the endpoint has been asked."""
        state = self._recall(text)
        if isinstance(state, _Question) and asking is not None:
            return asking.submit(lambda: self._settle(text, asking))
        answer = state if isinstance(state, Answer) else state.without(_UNASKED)
        if asking is not None and answer.reply is not None:
            asking.answered = True
        settled: Future[Answer] = Future()
        settled.set_result(answer)
        return settled

    async def _settle(self, text: str, asking: Asking) -> Answer:
        """Ask, and ask once more where the reply is no answer; what the answer is, the store says."""
        state = self._recall(text)
        for _ in range(2):  # no more than that, even if the store should fail to give back what it was given
            if isinstance(state, Answer):
                return state
            try:
                await asking.fetch(state.body)
            except RequestFailed as error:
                settled = state.so_far is not None and error.refused  # it has replied, and will not say more
                return state.without(str(error), unanswered=not settled)
            state = self._recall(text)
        if isinstance(state, Answer):
            return state
        return state.without("the reply was lost from the store", unanswered=True)

    def _recall(self, text: str) -> Answer | _Question:
        """How things stand with a text by the store alone: an answer, or the question to ask next."""
        if not is_whole(text):
            return Answer(rejected="the text is not valid Unicode (it holds half a character)")
        body = request_body(self.task, self.model, text)
        reply = self.store.get(body)
        if reply is None:
            return _Question(body)
        first = read_answer(self.task, text, reply)
        if first.rejected is None:
            return first
        body = correction(body, first.reply or "", first.rejected)
        reply = self.store.get(body)
        if reply is None:
            return _Question(body, first)
        return first.corrected_by(read_answer(self.task, text, reply))

    def _nothing_answered(self, count: int, first: Example, answer: Answer) -> TeacherError:
        """Not one row was answered: say so once, with the likeliest cause, rather than reject them one by one."""
        if self.endpoint is not None:
            return TeacherError(f"the teacher answered none of the {count} texts; the first: {answer.rejected}")
        recorded = self.store.sample()
        hint = "no reply is recorded at all"
        if recorded is not None and is_whole(first.text):
            hint = difference(request_body(self.task, self.model, first.text), recorded)
        return TeacherError(
            f"the recorded replies answer none of the {count} requests, and there is no endpoint to ask: {hint}; "
            "correct the recipe, or give base_url"
        )
