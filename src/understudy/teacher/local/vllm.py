"""A teacher run by vLLM in this process, where that is installed."""

import threading
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from understudy.errors import ModelError
from understudy.extras import need
from understudy.teacher.channel import RequestFailed
from understudy.teacher.local.completion import Choice, Completion, Generate, Wishes
from understudy.teacher.local.model import fingerprint
from understudy.teacher.request import Body

_PURPOSE = "a teacher of vllm:NAME"


class VllmModel:
    """A chat model run by vLLM (Kwon et al. 2023), which batches by itself; JSON schemas are enforced.

    This was tested against vLLM's interface only, not against vLLM.

    Args:
        model: A folder in the hub's layout, or a name on the hub.
        batch_size: How many requests are handed to vLLM together.
        max_tokens: How many tokens a reply may have where the request does not say.
    """

    def __init__(self, *, model: str, batch_size: int = 256, max_tokens: int = 512) -> None:
        self.model = model
        self.batch_size = batch_size
        self.max_tokens = max_tokens

    @cached_property
    def name(self) -> str:
        """``vllm:`` and the name on the hub, or a fingerprint of the folder's files; each is read once."""
        folder = Path(self.model)
        return f"vllm:{fingerprint(folder) if folder.is_dir() else self.model}"

    def check(self) -> None:
        """Make sure that vLLM is installed.

        Raises:
            MissingExtra: It is not.
        """
        need("vllm", _PURPOSE)

    def load(self, stopped: threading.Event) -> Generate:
        """Start the engine.

        Args:
            stopped: Not looked at: vLLM does not break off what it has begun.

        Raises:
            MissingExtra: vLLM is not installed.
            ModelError: It cannot run this model.
        """
        vllm = need("vllm", _PURPOSE)
        try:
            engine = vllm.LLM(model=self.model)
        except Exception as error:  # no such model, too little memory, no GPU
            raise ModelError(f"{self.model}: vLLM cannot run it ({' '.join(str(error).split())})") from error
        return lambda bodies: self._answers(engine, bodies)

    def _answers(self, engine: Any, bodies: Sequence[Body]) -> list[Completion | RequestFailed]:
        wishes = [Wishes.of(body, self.max_tokens) for body in bodies]
        try:
            outputs = engine.chat(
                messages=[list(body["messages"]) for body in bodies],
                sampling_params=[_sampling(body, wish) for body, wish in zip(bodies, wishes, strict=True)],
                use_tqdm=False,
                chat_template_kwargs={"enable_thinking": False},
            )
        except ValueError as error:  # a prompt that is too long fails all that came with it
            if len(bodies) == 1:
                return [RequestFailed(f"vLLM refuses it ({error})", refused=True)]
            return [outcome for body in bodies for outcome in self._answers(engine, [body])]
        own = outputs[-len(bodies) :]  # what a failed call may have left behind comes first
        return [_completion(output, wish) for output, wish in zip(own, wishes, strict=True)]


def _sampling(body: Body, wishes: Wishes) -> Any:
    sampling = need("vllm.sampling_params", _PURPOSE)
    return sampling.SamplingParams(
        max_tokens=wishes.max_tokens,
        temperature=wishes.temperature,
        seed=wishes.seed,
        logprobs=wishes.alternatives,
        **_form(sampling, body),
    )


def _form(sampling: Any, body: Body) -> dict[str, Any]:
    """What holds a reply to the request's JSON schema; vLLM has renamed it, and an unknown vLLM may have neither."""
    schema = body.get("response_format", {}).get("json_schema", {}).get("schema")
    names = {"structured_outputs": "StructuredOutputsParams", "guided_decoding": "GuidedDecodingParams"}
    offered = {argument: getattr(sampling, name) for argument, name in names.items() if hasattr(sampling, name)}
    if schema is None or not offered:
        return {}
    argument, params = next(iter(offered.items()))
    return {argument: params(json=schema)}


def _completion(output: Any, wishes: Wishes) -> Completion:
    [written] = output.outputs
    ended = written.finish_reason == "stop"
    said = written.token_ids[:-1] if ended else written.token_ids
    return Completion(
        text=written.text,
        ended=ended,
        prompt_tokens=len(output.prompt_token_ids),
        completion_tokens=len(written.token_ids),
        choices=None if wishes.alternatives is None else _choices(said, written.logprobs, wishes.alternatives),
    )


def _choices(said: Sequence[int], steps: Any, wanted: int) -> list[Choice]:
    """The tokens of a reply, from vLLM's table of likely tokens at each step, which holds the chosen one too."""
    choices = []
    for token, table in zip(said, steps, strict=False):
        ranked = sorted(table.values(), key=lambda entry: entry.rank)[:wanted]
        alternatives = [(entry.decoded_token, entry.logprob) for entry in ranked]
        choices.append(Choice(table[token].decoded_token, table[token].logprob, alternatives))
    return choices
