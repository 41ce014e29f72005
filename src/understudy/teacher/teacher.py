"""The teacher: the large model as a predictor like any student, and as the annotator of the team's texts."""

import functools
from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from understudy.example import Example, Prediction, Target, is_whole
from understudy.progress import Progress
from understudy.tasks.task import Task, labels_of
from understudy.teacher.annotation.logprobs import label_distribution
from understudy.teacher.annotation.shots import Shots, prepared, with_shots
from understudy.teacher.annotation.votes import combine
from understudy.teacher.answer import Answer, Question
from understudy.teacher.cost.spending import Forecast, estimated_reply_tokens
from understudy.teacher.cost.tokens import TokenCount, estimated_tokens
from understudy.teacher.interview import Interview
from understudy.teacher.request import Sampling, request_body

_NOT_WHOLE: Answer[Target] = Answer(rejected="the text is not valid Unicode (it holds half a character)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """How the teacher is asked about a text.

    Attributes:
        votes: How often; of several answers the one that most agree on counts.
        temperature: The sampling temperature; None leaves it to the endpoint.
        soft: Where soft labels come from: the shares of the votes, the log-probabilities, or nowhere.
        shots: What chooses the examples that it is shown; None shows none.
    """

    votes: int = 1
    temperature: float | None = None
    soft: Literal["votes", "logprobs"] | None = None
    shots: Shots | None = None

    def samplings(self) -> list[Sampling]:
        """How each vote is drawn; the votes differ in their seed."""
        seeds = [None] if self.votes == 1 else list(range(self.votes))
        return [Sampling(self.temperature, seed, self.soft == "logprobs") for seed in seeds]


class Teacher:
    """A large model that answers the task, out of the reply store where it can and over its channel where it must.

    Args:
        task: What is asked.
        model: The model's name at its endpoint; a part of every request.
        interview: Puts the questions.
        manner: How they are put.
        count: Counts the tokens of a request, for forecasts.
    """

    def __init__(
        self,
        *,
        task: Task,
        model: str,
        interview: Interview,
        manner: Manner | None = None,
        count: TokenCount = estimated_tokens,
    ) -> None:
        self.task = task
        self.model = model
        self.interview = interview
        self.manner = manner or Manner()
        self.count = count

    def forecast(self, examples: Iterable[Example]) -> Forecast:
        """What annotating these texts would take; nothing is sent and nothing is spent."""
        written = estimated_reply_tokens(self.task.reply_schema.schema)
        return self.interview.forecast(self.questions(examples), self.count, written)

    def annotate(self, examples: Iterable[Example], progress: Progress, total: int) -> Generator[Example, None, None]:
        """Each text with the teacher's answer, in the order they came in; a stream, whatever their number.

        A row that gets no valid answer has no target, and the reason under ``rejected`` in its meta; the raw reply,
        the tokens and the seconds it took stand there too, and ``unanswered`` where a reply may still come.

        Args:
            examples: The texts.
            progress: Told of every row.
            total: How many rows there will be, for the progress bar.

        Raises:
            TeacherError: The key is missing, the teacher cannot be used, or not one row was answered.
        """
        store = self.interview.store
        if store.dropped:
            progress.say(f"{store.path}: passed over {store.dropped} record(s) torn by a crash")
        before = self.interview.reused
        with progress.bar("teach", total) as bar:
            for annotated in self._annotated(examples):
                bar.advance()
                yield annotated
        if self.interview.connect is not None and self.interview.reused > before:
            progress.say(f"{self.interview.reused - before:,} answers were in {store.path} already.")

    def predict(self, texts: Sequence[str]) -> list[Prediction]:
        """The teacher's answer to each text, in order; None as target where it gave no valid one.

        Raises:
            TeacherError: As for `annotate`.
        """
        examples = (Example(id=str(index), text=text) for index, text in enumerate(texts))
        return [Prediction(annotated.target) for annotated in self._annotated(examples)]

    def questions(self, examples: Iterable[Example]) -> Iterator[tuple[Example, list[Question[Target]]]]:
        """What is asked about each text: one question for each vote, and none where the text cannot be sent."""
        shots = self.manner.shots
        for example in examples if shots is None else prepared(examples, shots):
            yield example, self._asked(example.text) if is_whole(example.text) else []

    def _annotated(self, examples: Iterable[Example]) -> Iterator[Example]:
        for example, answers in self.interview.answers(self.questions(examples)):
            answer = self._agreed(answers) if answers else _NOT_WHOLE
            yield Example(
                id=example.id,
                text=example.text,
                target=answer.target,
                soft=answer.soft,
                source="annotated",
                meta=answer.meta(),
            )

    def _asked(self, text: str) -> list[Question[Target]]:
        """The questions about one text."""
        shots = [] if self.manner.shots is None else self.manner.shots.for_text(text)
        messages = with_shots(self.task.messages(text), shots, self.task)
        parse = functools.partial(_parse, self.task, text)
        return [
            Question(request_body(self.model, messages, self.task.reply_schema, sampling), parse)
            for sampling in self.manner.samplings()
        ]

    def _agreed(self, answers: Sequence[Answer[Target]]) -> Answer[Target]:
        """What the answers to one text come to, with soft labels where they are wanted and to be had."""
        if self.manner.soft == "logprobs":
            answers = [self._softened(answer) for answer in answers]
        answer = answers[0] if len(answers) == 1 else combine(self.task, answers)
        return answer if self.manner.soft is not None else replace(answer, soft=None)

    def _softened(self, answer: Answer[Target]) -> Answer[Target]:
        """The answer with the probabilities that the teacher gave to the labels, where it gave any."""
        labels = labels_of(self.task)
        if answer.target is None or not labels:
            return answer
        return replace(answer, soft=label_distribution(answer.choice, list(labels)))


def _parse(task: Task, text: str, reply: str) -> Target:
    return task.parse(reply, text)
