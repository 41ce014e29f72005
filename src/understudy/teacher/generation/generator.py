"""Generation: the teacher writes training texts, each for a target that it is given (Ding et al. 2024)."""

from collections import abc
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

from understudy.data.disk_map import DiskMap
from understudy.data.load import text_key
from understudy.errors import ParseError
from understudy.example import Example, Target, is_whole
from understudy.progress import Progress
from understudy.tasks.free_text import parse_text
from understudy.tasks.prompt import PromptSetting, render, reply_schema
from understudy.tasks.reply import read_object
from understudy.tasks.task import Message, ReplySchema, Task
from understudy.teacher.answer import Answer, Question
from understudy.teacher.cost.spending import CHARACTERS_A_TOKEN, Forecast
from understudy.teacher.cost.tokens import TokenCount, estimated_tokens
from understudy.teacher.generation.briefs import Brief
from understudy.teacher.interview import Interview, Open
from understudy.teacher.request import Body, Sampling, content_key, request_body

_OPEN_PROMPT = "generate-from-attributes.v1"
"""The prompt for texts whose target is not given."""
_TEXTS_FORM = '{"texts": [...]}'
_AGAIN = 1.0
"""The temperature of a question that is put again: at an endpoint's own, another seed may well bring the same text."""
_TOKENS_A_TEXT = 200
"""For forecasts: about 150 words."""
_USUAL = "text " * (_TOKENS_A_TEXT * CHARACTERS_A_TOKEN // 5)
"""What stands for a text that is not written yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Writing:
    """How the teacher is asked to write.

    Attributes:
        description: What the texts are like, in the user's words.
        texts: How many it writes in one reply.
        prompt: A released prompt's name, or the prompt itself; None takes the task's own.
        temperature: The sampling temperature; None leaves it to the endpoint, but for questions put more than once.
    """

    description: str = ""
    texts: int = 1
    prompt: PromptSetting | None = None
    temperature: float | None = None


class Written(NamedTuple):
    """A text, and its target; None where the brief gave none."""

    text: str
    target: Target | None


class Request(NamedTuple):
    """One request for texts: which one it is, from 1, and what it asks for."""

    number: int
    brief: Brief


class Generator:
    """A large model that writes texts for a task, out of the reply store where it can.

    Args:
        task: What the texts are for.
        model: The model's name at its endpoint; a part of every request.
        interview: Puts the questions.
        briefs: Gives what each request asks for: the same each time that it is called.
        writing: How the teacher is asked.
        count: Counts the tokens of a request, for forecasts.
    """

    def __init__(
        self,
        *,
        task: Task,
        model: str,
        interview: Interview,
        briefs: Callable[[], Iterable[Brief]],
        writing: Writing | None = None,
        count: TokenCount = estimated_tokens,
    ) -> None:
        self.task = task
        self.model = model
        self.interview = interview
        self.briefs = briefs
        self.writing = writing or Writing()
        self.count = count

    @property
    def total(self) -> int:
        """How many requests there are."""
        return sum(1 for _ in self.briefs())

    def forecast(self) -> Forecast:
        """What the texts would take; nothing is sent and nothing is spent."""
        return self.interview.forecast(self.questions(), self.count, self.writing.texts * _TOKENS_A_TEXT)

    def generate(self, progress: Progress) -> abc.Generator[Example, None, None]:
        """The texts with their targets, in the order of the briefs; a stream, whatever their number.

        A request that gets no valid reply becomes one row: its text is what was asked, and why there is no other
        stands under ``rejected`` in its meta, with the raw reply, and ``unanswered`` where one may still come.

        Args:
            progress: Told of every request.

        Raises:
            TeacherError: The key is missing, the teacher cannot be used, or not one request was answered.
        """
        with progress.bar("generate", self.total) as bar:
            for request, [answer] in self.interview.answers(self.questions()):
                bar.advance()
                yield from self._examples(request, answer)

    def expected(self) -> Iterator[Example]:
        """The rows as far as replies in the store settle them, and texts of the usual length for all others."""
        for request, [question] in self.questions():
            state = self.interview.recall(question)
            if isinstance(state, Open):
                texts = [f"{request.number}-{place} {_USUAL}" for place in range(self.writing.texts)]
                state = Answer(target=[Written(text, None) for text in texts])
            yield from self._examples(request, state)

    def questions(self) -> Iterator[tuple[Request, list[Question[list[Written]]]]]:
        """What is asked: one question for each brief; where two are alike, the second has a seed to tell it apart."""
        with DiskMap[int]() as asked:
            for request in map(Request._make, enumerate(self.briefs(), start=1)):
                body = self._body(request.brief)
                key = content_key(body)
                times = asked.get(key) or 0
                asked.put(key, times + 1)
                yield request, [Question(self._again(body, times), partial(self._parse, request.brief))]

    def _examples(self, request: Request, answer: Answer[list[Written]]) -> Iterator[Example]:
        """The texts of one reply; what the reply was and took stands with the first of them."""
        name, about = f"generated-{request.number}", _about(request.brief)
        meta = {**about, **answer.meta()}
        if answer.target is None:
            asked = self._messages(request.brief)[-1]["content"]
            yield Example(id=name, text=asked, source="generated", meta=meta)
        for place, (text, target) in enumerate(answer.target or [], start=1):
            own = name if self.writing.texts == 1 else f"{name}-{place}"
            yield Example(id=own, text=text, target=target, source="generated", meta=meta)
            meta = {**about, "written_with": f"{name}-1"}

    def _body(self, brief: Brief) -> Body:
        sampling = Sampling(self.writing.temperature)
        return request_body(self.model, self._messages(brief), self._reply_schema(brief), sampling)

    def _again(self, body: Body, times: int) -> Body:
        """The request as it is put after it was put so many times."""
        if not times:
            return body
        temperature = _AGAIN if self.writing.temperature is None else self.writing.temperature
        return {**body, **Sampling(temperature, seed=times).fields()}

    def _messages(self, brief: Brief) -> list[Message]:
        described = {} if brief.target is None else self.task.describe(brief.target, brief.text)
        return render(
            self._prompt(brief),
            **described,
            description=self.writing.description,
            attributes=brief.attributes,
            count=self.writing.texts,
        )

    def _reply_schema(self, brief: Brief) -> ReplySchema:
        """An object whose key ``text`` is a text, or ``texts`` a list of so many."""
        count, text = self.writing.texts, {"type": "string"}
        if count == 1:
            return reply_schema(self._prompt(brief), "text", text)
        texts = {"type": "array", "items": text, "minItems": count, "maxItems": count}
        return reply_schema(self._prompt(brief), "texts", texts)

    def _prompt(self, brief: Brief) -> PromptSetting:
        return self.writing.prompt or (_OPEN_PROMPT if brief.target is None else self.task.generation_prompt)

    def _parse(self, brief: Brief, reply: str) -> list[Written]:
        """The texts in a reply, each read back for the target that it was written for: names must stand in it."""
        texts = [parse_text(reply, "text")] if self.writing.texts == 1 else parse_texts(reply, self.writing.texts)
        if brief.target is None:
            return [Written(text, None) for text in texts]
        answer = self.task.render(brief.target, brief.text)
        return [Written(text, self.task.parse(answer, text)) for text in texts]


def parse_texts(reply: str, count: int) -> list[str]:
    """The texts in a reply such as ``{"texts": ["...", "..."]}``.

    Args:
        reply: The reply as it came.
        count: How many there must be.

    Raises:
        ParseError: The reply is not such an object, there are more or fewer, one is empty or holds half a character,
            or two differ at most in case and white space.
    """
    texts = read_object(reply, ["texts"], _TEXTS_FORM)["texts"]
    if not isinstance(texts, list) or not all(isinstance(text, str) and text.strip() for text in texts):
        raise ParseError(f"the texts are no list of texts, or one of them is empty; expected {_TEXTS_FORM}")
    if len(texts) != count:
        raise ParseError(f"{len(texts)} text(s); expected {count}")
    if not all(map(is_whole, texts)):
        raise ParseError("a text holds half a character (a lone surrogate); expected whole Unicode text")
    if len(set(map(text_key, texts))) < count:
        raise ParseError(f"two of the texts are the same; expected {count} different ones")
    return texts


def _about(brief: Brief) -> dict[str, object]:
    """What a person would want to know of a brief, without what is absent."""
    about = {"attributes": dict(brief.attributes), "target_of": brief.origin}
    return {name: value for name, value in about.items() if value}
