"""vLLM needs a GPU, so what is tested here is how its interface is used, against a stand-in with its signatures."""

import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from understudy.errors import MissingExtra, ModelError
from understudy.teacher.channel import RequestFailed
from understudy.teacher.local.completion import Completion
from understudy.teacher.local.vllm import VllmModel
from understudy.teacher.request import Body

SCHEMA = {"type": "object", "properties": {"label": {"enum": ["sport"]}}}
FORMAT = {"type": "json_schema", "json_schema": {"name": "label", "strict": True, "schema": SCHEMA}}
END, WINDOW = 9, 20


@dataclass
class Logprob:
    logprob: float
    rank: int | None = None
    decoded_token: str | None = None


@dataclass
class CompletionOutput:
    index: int
    text: str
    token_ids: list[int]
    cumulative_logprob: float | None
    logprobs: list[dict[int, Logprob]] | None
    finish_reason: str | None = None
    stop_reason: int | str | None = None


@dataclass
class RequestOutput:
    request_id: str
    prompt: str | None
    prompt_token_ids: list[int] | None
    outputs: list[CompletionOutput]
    finished: bool = True


@dataclass
class StructuredOutputsParams:
    json: str | dict[str, Any] | None = None
    regex: str | None = None


@dataclass
class GuidedDecodingParams:
    json: str | dict[str, Any] | None = None
    regex: str | None = None


@dataclass
class SamplingParams:
    n: int = 1
    temperature: float = 1.0
    seed: int | None = None
    max_tokens: int | None = 16
    logprobs: int | None = None
    structured_outputs: StructuredOutputsParams | None = None
    guided_decoding: GuidedDecodingParams | None = None


class LLM:
    """The engine: it writes the last message's first word, one letter a token."""

    started: list["LLM"]

    def __init__(self, model: str, *, tokenizer: str | None = None, trust_remote_code: bool = False) -> None:
        if model == "no/such":
            raise OSError("no/such is not a local folder\nand not a model")
        self.model = model
        self.calls: list[tuple[int, list[SamplingParams]]] = []
        self._left_behind: list[RequestOutput] = []
        LLM.started.append(self)

    def chat(
        self,
        messages: list[list[dict[str, str]]],
        sampling_params: list[SamplingParams] | None = None,
        use_tqdm: bool = True,
        chat_template_kwargs: dict[str, Any] | None = None,
    ) -> list[RequestOutput]:
        assert not use_tqdm
        assert sampling_params is not None
        self.calls.append((len(messages), sampling_params))
        for chat, params in zip(messages, sampling_params, strict=True):
            if len(chat[-1]["content"]) > WINDOW:
                raise ValueError("the prompt is longer than the maximum model length")
            self._left_behind.append(self._output(chat[-1]["content"], params))
        outputs, self._left_behind = self._left_behind, []
        return outputs

    def _output(self, content: str, params: SamplingParams) -> RequestOutput:
        word = content.split(maxsplit=1)[0]
        assert params.max_tokens is not None
        ended = len(word) < params.max_tokens
        said = word[: params.max_tokens]
        ids = [*map(ord, said), *([END] if ended else [])]
        tables = None if params.logprobs is None else [self._table(token, params.logprobs) for token in ids]
        written = CompletionOutput(0, said, ids, None, tables, "stop" if ended else "length")
        return RequestOutput("0", None, [1] * len(content), [written])

    @staticmethod
    def _table(token: int, wanted: int) -> dict[int, Logprob]:
        """The chosen token comes first, here as the third in rank; then the likeliest."""
        others = {rank: Logprob(-float(rank), rank, f"<{rank}>") for rank in range(1, wanted + 1) if rank != 3}
        return {token: Logprob(-3.0, 3, chr(token)), **others}


@pytest.fixture(autouse=True)
def vllm(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    package, sampling = ModuleType("vllm"), ModuleType("vllm.sampling_params")
    LLM.started = []
    package.LLM = LLM  # type: ignore[attr-defined]
    sampling.SamplingParams = SamplingParams  # type: ignore[attr-defined]
    sampling.StructuredOutputsParams = StructuredOutputsParams  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "vllm", package)
    monkeypatch.setitem(sys.modules, "vllm.sampling_params", sampling)
    return sampling


def chat(text: str, **wishes: Any) -> Body:
    return {"model": "m", "messages": [{"role": "user", "content": text}], **wishes}


def generated(*bodies: Body, max_tokens: int = 512) -> list[Completion | RequestFailed]:
    return VllmModel(model="some/model", max_tokens=max_tokens).load(threading.Event())(bodies)


def sampling(*bodies: Body) -> list[SamplingParams]:
    generated(*bodies)
    [(_, params)] = LLM.started[-1].calls
    return params


def test_a_batch_is_one_call_and_the_replies_come_in_order() -> None:
    found = generated(chat("goal by head"), chat("vote"))
    assert found == [
        Completion(text="goal", ended=True, prompt_tokens=12, completion_tokens=5),
        Completion(text="vote", ended=True, prompt_tokens=4, completion_tokens=5),
    ]
    [engine] = LLM.started
    assert engine.model == "some/model"
    assert [count for count, _ in engine.calls] == [2]


def test_a_reply_at_its_limit_is_cut_off() -> None:
    [default, own] = generated(chat("goalkeeper"), chat("goalkeeper", max_tokens=6), max_tokens=3)
    assert default == Completion(text="goa", ended=False, prompt_tokens=10, completion_tokens=3)
    assert own == Completion(text="goalke", ended=False, prompt_tokens=10, completion_tokens=6)


def test_requests_say_how_they_are_drawn() -> None:
    greedy, first, second, other = sampling(
        chat("a"), *(chat("a", temperature=0.7, seed=seed) for seed in (1, 2)), chat("b", temperature=0.7, seed=1)
    )
    assert greedy.temperature == 0.0
    assert first.temperature == 0.7
    assert len({first.seed, second.seed, other.seed}) == 3
    assert sampling(chat("a", temperature=0.7, seed=1))[0].seed == first.seed


def test_a_json_schema_is_enforced_under_either_of_its_names(vllm: ModuleType) -> None:
    structured, free = sampling(chat("a", response_format=FORMAT), chat("a", response_format={"type": "json_object"}))
    assert structured.structured_outputs == StructuredOutputsParams(json=SCHEMA)
    assert free.structured_outputs is None
    del vllm.StructuredOutputsParams
    assert sampling(chat("a", response_format=FORMAT)) == sampling(chat("a"))
    vllm.GuidedDecodingParams = GuidedDecodingParams  # type: ignore[attr-defined]
    [guided] = sampling(chat("a", response_format=FORMAT))
    assert guided.guided_decoding == GuidedDecodingParams(json=SCHEMA)


def test_logprobs_are_those_of_the_reply_without_its_end() -> None:
    plain, rich, cut = generated(
        chat("ab", logprobs=True), chat("ab", logprobs=True, top_logprobs=2), chat("abc", logprobs=True, max_tokens=2)
    )
    assert isinstance(plain, Completion)
    assert plain.choices
    assert [(choice.token, choice.logprob, choice.alternatives) for choice in plain.choices] == [
        ("a", -3.0, []),
        ("b", -3.0, []),
    ]
    assert isinstance(rich, Completion)
    assert rich.choices
    assert [choice.alternatives for choice in rich.choices] == [[("<1>", -1.0), ("<2>", -2.0)]] * 2
    assert isinstance(cut, Completion)
    assert cut.choices
    assert [choice.token for choice in cut.choices] == ["a", "b"]


def test_a_prompt_that_is_too_long_fails_alone() -> None:
    first, failed, last = generated(chat("goal"), chat("x" * (WINDOW + 1)), chat("vote"))
    assert isinstance(failed, RequestFailed)
    assert failed.refused
    assert "longer than the maximum model length" in str(failed)
    assert isinstance(first, Completion)
    assert isinstance(last, Completion)
    assert (first.text, last.text) == ("goal", "vote")


def test_a_model_that_vllm_cannot_run_is_told_in_one_line() -> None:
    with pytest.raises(ModelError, match="no/such: vLLM cannot run it") as caught:
        VllmModel(model="no/such").load(threading.Event())
    assert "\n" not in str(caught.value)


def test_without_vllm_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "vllm", None)
    for use in (VllmModel(model="m").check, lambda: VllmModel(model="m").load(threading.Event())):
        with pytest.raises(MissingExtra, match=r"vllm:NAME needs .* pip install 'understudy\[vllm\]'"):
            use()


def test_the_name_is_the_hubs_or_a_fingerprint_of_the_folder(tmp_path: Path) -> None:
    assert VllmModel(model="some/model").name == "vllm:some/model"
    (tmp_path / "model.safetensors").write_bytes(b"weights")
    model = VllmModel(model=str(tmp_path))
    assert model.name.startswith("vllm:")
    assert len(model.name) == len("vllm:") + 12
    (tmp_path / "model.safetensors").unlink()
    assert VllmModel(model=str(tmp_path)).name != model.name  # the files are read once for each model, not each reply
