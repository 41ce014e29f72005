"""Generation with a transformers model: a batch of requests in, what came of each out."""

import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from understudy.teacher.channel import RequestFailed
from understudy.teacher.local.completion import Choice, Completion, Wishes
from understudy.teacher.local.prompts import ChatPrompts
from understudy.teacher.request import Body

_NO_MEMORY = "the GPU has not enough memory for it, even by itself"
_BROKEN_OFF = "broken off: the run was stopped"


@dataclass(frozen=True, slots=True)
class _Row:
    """A request as the model reads it; `limit` is how many tokens it may write."""

    prompt: list[int]
    wishes: Wishes
    limit: int


class Generator:
    """Answers batches of requests; each row of a batch has its own limit, its own temperature and its own draws.

    What a request is answered depends on the batch that it is in only through rounding: greedy replies and drawn ones
    are the same again wherever no two tokens are as good as equal.

    Args:
        model: A causal language model of transformers, in evaluation mode, on its device.
        prompts: Its chat template and tokenizer.
        window: The most tokens that it reads and writes together.
        max_tokens: How many it may write where a request does not say.
        stopped: Once this is set, the batch under way is broken off.
    """

    def __init__(
        self, model: Any, prompts: ChatPrompts, *, window: int, max_tokens: int, stopped: threading.Event
    ) -> None:
        self.model = model
        self.prompts = prompts
        self.window = window
        self.max_tokens = max_tokens
        self._stopped = stopped
        self._ends = _ends(model.generation_config.eos_token_id, prompts.tokenizer.eos_token_id)
        self._together: int | None = None
        self._simplify()

    def __call__(self, bodies: Sequence[Body]) -> list[Completion | RequestFailed]:
        """What came of each request, in order."""
        rows = [self._row(body) for body in bodies]
        completions = iter(self._written([row for row in rows if isinstance(row, _Row)]))
        return [next(completions) if isinstance(row, _Row) else row for row in rows]

    def _simplify(self) -> None:
        """Leave nothing of the folder's own settings for generation but where a reply ends: requests say the rest."""
        from transformers import GenerationConfig

        padding = next(iter(self._ends), 0)  # masked in the prompt, cut off behind the reply: any token will do
        self.model.generation_config = GenerationConfig(eos_token_id=sorted(self._ends) or None, pad_token_id=padding)

    def _row(self, body: Body) -> _Row | RequestFailed:
        try:
            prompt = self.prompts.encode(body["messages"])
        except RequestFailed as error:
            return error
        room = self.window - len(prompt)
        if room < 1:
            reason = f"the prompt has {len(prompt)} tokens; the model reads and writes {self.window} at the most"
            return RequestFailed(reason, refused=True)
        if max(prompt) >= self.model.get_input_embeddings().num_embeddings:  # on a GPU this would be the end of it
            return RequestFailed("the prompt holds a token of the tokenizer that the model does not know", refused=True)
        wishes = Wishes.of(body, self.max_tokens)
        return _Row(prompt, wishes, min(wishes.max_tokens, room))

    def _written(self, rows: Sequence[_Row]) -> list[Completion | RequestFailed]:
        """Every row's outcome, in batches as large as the memory allows: one that does not fit is halved."""
        outcomes: list[Completion | RequestFailed] = []
        while len(outcomes) < len(rows):
            batch = rows[len(outcomes) :][: self._together]
            if self._stopped.is_set():
                return [*outcomes, *(RequestFailed(_BROKEN_OFF) for _ in rows[len(outcomes) :])]
            completions = self._attempt(batch)
            if completions is not None:
                outcomes += completions
            elif len(batch) > 1:
                self._together = len(batch) // 2
            else:
                outcomes.append(RequestFailed(_NO_MEMORY, refused=True))
        return outcomes

    def _attempt(self, rows: Sequence[_Row]) -> list[Completion | RequestFailed] | None:
        """What came of some rows together; None where they do not fit into the GPU's memory."""
        try:
            return self._generate(rows)
        except torch.OutOfMemoryError:
            pass
        torch.cuda.empty_cache()  # only here, where the exception no longer holds on to what was computed
        return None

    @torch.inference_mode()
    def _generate(self, rows: Sequence[_Row]) -> list[Completion | RequestFailed]:
        width = max(len(row.prompt) for row in rows)
        tokens, mask = (tensor.to(self.model.device) for tensor in _padded([row.prompt for row in rows]))
        chooser = _Chooser(rows, width, self._stopped, self.model.device)
        sequences = self.model.generate(
            input_ids=tokens,
            attention_mask=mask,
            max_new_tokens=max(row.limit for row in rows),
            do_sample=False,  # the likeliest token by the chooser's scores, in which its draws are contained
            logits_processor=[chooser.scores],
            stopping_criteria=[chooser.full],
        )
        if self._stopped.is_set():
            return [RequestFailed(_BROKEN_OFF) for _ in rows]
        written = sequences[:, width:].tolist()
        return [self._completion(row, written[index], chooser.noted(index)) for index, row in enumerate(rows)]

    def _completion(self, row: _Row, written: list[int], noted: "Iterable[_Noted]") -> Completion:
        written = written[: row.limit]
        end = next((place for place, token in enumerate(written) if token in self._ends), None)
        said = written[:end]
        wanted = row.wishes.alternatives
        return Completion(
            text=self.prompts.text(said),
            ended=end is not None,
            prompt_tokens=len(row.prompt),
            completion_tokens=len(said) + (end is not None),
            choices=None if wanted is None else list(self._choices(said, noted, wanted)),
        )

    def _choices(self, said: Sequence[int], noted: "Iterable[_Noted]", wanted: int) -> Iterable[Choice]:
        before: int | None = None
        for token, note in zip(said, noted, strict=False):  # the steps go on until the longest reply is done
            likeliest = list(zip(note.tokens, note.logprobs, strict=True))[:wanted]
            alternatives = [(self.prompts.piece(other, before), logprob) for other, logprob in likeliest]
            yield Choice(self.prompts.piece(token, before), note.logprob, alternatives)
            before = token


@dataclass(frozen=True, slots=True)
class _Noted:
    """What a row's distribution was at one step: the chosen token's log-probability, and the likeliest tokens'."""

    logprob: float
    tokens: list[int]
    logprobs: list[float]


class _Chooser:
    """Decides each row's next token, notes how likely it was, and ends each row at its own limit.

    A draw from a softmax is the maximum of the logits with Gumbel noise added (Gumbel 1954), so that rows
    which draw and rows which do not share a batch, and each row's noise comes from its own request.
    """

    def __init__(self, rows: Sequence[_Row], width: int, stopped: threading.Event, device: torch.device) -> None:
        self._width = width
        self._stopped = stopped
        self._limits = torch.tensor([row.limit for row in rows], device=device)
        self._most = max((row.wishes.alternatives for row in rows if row.wishes.alternatives is not None), default=None)
        self._temperatures = {
            index: row.wishes.temperature for index, row in enumerate(rows) if row.wishes.temperature > 0
        }
        self._sources = {
            index: torch.Generator(device).manual_seed(rows[index].wishes.seed) for index in self._temperatures
        }
        self._steps: list[tuple[Tensor, Tensor, Tensor]] = []

    def scores(self, _: Tensor, logits: Tensor) -> Tensor:
        """Scores of which the highest is the token to take, shape (rows, vocabulary)."""
        scores = logits.clone()
        for index, temperature in self._temperatures.items():
            noise = torch.empty_like(logits[index]).exponential_(generator=self._sources[index])
            scores[index] = logits[index] / temperature - noise.clamp_min_(torch.finfo(noise.dtype).tiny).log_()
        if self._most is not None:
            self._note(logits, scores.argmax(dim=-1, keepdim=True))
        return scores

    def full(self, tokens: Tensor, *_: Any, **__: Any) -> Tensor:
        """Which rows may write no more, shape (rows,)."""
        return (tokens.shape[1] - self._width >= self._limits) | self._stopped.is_set()

    def noted(self, index: int) -> Iterable[_Noted]:
        """What was noted of a row, step by step; nothing where no row of the batch wanted it."""
        for taken, logprobs, tokens in self._steps:
            yield _Noted(taken[index].item(), tokens[index].tolist(), logprobs[index].tolist())

    def _note(self, logits: Tensor, chosen: Tensor) -> None:
        logprobs = logits.log_softmax(dim=-1)
        likeliest = logprobs.topk(min(self._most or 0, logits.shape[-1]))
        taken = logprobs.gather(-1, chosen).squeeze(-1)
        self._steps.append((taken.cpu(), likeliest.values.cpu(), likeliest.indices.cpu()))


def _padded(prompts: Sequence[Sequence[int]]) -> tuple[Tensor, Tensor]:
    """Tokens and attention mask of some prompts, padded on the left, each of shape (prompts, longest)."""
    width = max(map(len, prompts))
    tokens = torch.tensor([[0] * (width - len(prompt)) + list(prompt) for prompt in prompts])
    mask = torch.tensor([[0] * (width - len(prompt)) + [1] * len(prompt) for prompt in prompts])
    return tokens, mask


def _ends(*named: int | list[int] | None) -> frozenset[int]:
    """The tokens that end a reply, as the model and the tokenizer name them."""
    ends: set[int] = set()
    for name in named:
        ends.update([name] if isinstance(name, int) else name or [])
    return frozenset(ends)
