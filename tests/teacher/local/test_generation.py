import json
import math
import threading
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

from tests.teacher.tiny_llama import WINDOW, chat, completions, loaded, write_tiny_llama
from understudy.teacher.channel import RequestFailed
from understudy.teacher.local.completion import Completion
from understudy.teacher.local.generation import Generator
from understudy.teacher.local.model import LocalModel
from understudy.teacher.replies.recordings import is_completion

TEXTS = ["goal", "the match is over and the cup is won", "shares fell", "a new planet", "the vote", "x", "market " * 9]


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_llama(tmp_path_factory.mktemp("tiny-llama"))


@pytest.fixture(scope="module")
def generate(tiny: Path) -> Generator:
    return loaded(tiny, max_tokens=24)


def by_hand(generate: Generator, text: str, steps: int) -> tuple[list[int], list[Any]]:
    """Greedy generation the plain way: the whole of what there is through the model for every next token."""
    import torch

    tokens = generate.prompts.encode([{"role": "user", "content": text}])
    start, logprobs = len(tokens), []
    while len(tokens) < start + steps:
        with torch.inference_mode():
            logits = generate.model(torch.tensor([tokens])).logits[0, -1]
        logprobs.append(logits.log_softmax(dim=-1))
        tokens = [*tokens, int(logits.argmax())]
        if tokens[-1] == 0:
            break
    return tokens[start:], logprobs


def test_a_batch_is_answered_as_its_requests_are_one_by_one(generate: Generator) -> None:
    bodies = [chat(text, temperature=temperature) for text in TEXTS for temperature in (0.0, 0.7, 1.5)]
    together = completions(generate, *bodies)
    assert together == [completion for body in bodies for completion in completions(generate, body)]
    assert together[::-1] == completions(generate, *reversed(bodies))
    assert len({completion.text for completion in together}) > len(TEXTS)


def test_a_greedy_reply_is_what_the_model_says_by_itself(generate: Generator) -> None:
    for text, completion in zip(TEXTS, completions(generate, *map(chat, TEXTS)), strict=True):
        written, _ = by_hand(generate, text, steps=24)
        assert completion.text == generate.prompts.tokenizer.decode(written, skip_special_tokens=True)
        assert completion.completion_tokens == len(written)
        assert completion.prompt_tokens == len(generate.prompts.encode([{"role": "user", "content": text}]))
        assert completion.ended == (written[-1] == 0)


def test_a_reply_ends_at_the_end_token_or_at_its_own_limit(generate: Generator) -> None:
    bodies = [chat(text, max_tokens=limit, temperature=2.0) for text in TEXTS for limit in range(1, 40, 6)]
    found = completions(generate, *bodies)
    assert {completion.ended for completion in found} == {True, False}
    for body, completion in zip(bodies, found, strict=True):
        assert "<|end|>" not in completion.text
        assert 1 <= completion.completion_tokens <= body["max_tokens"]
        assert completion.ended or completion.completion_tokens == body["max_tokens"]


def test_a_reply_is_a_chat_completion_as_endpoints_send_it(generate: Generator) -> None:
    [completion] = completions(generate, chat("goal", max_tokens=3))
    sent = completion.to_json("local:0123")
    assert is_completion(sent)
    assert json.loads(json.dumps(sent, allow_nan=False)) == sent
    assert sent["model"] == "local:0123"
    assert sent["choices"][0]["message"] == {"role": "assistant", "content": completion.text}
    assert sent["choices"][0]["finish_reason"] == "length"
    assert sent["choices"][0]["logprobs"] is None
    assert sent["usage"] == {
        "prompt_tokens": completion.prompt_tokens,
        "completion_tokens": 3,
        "total_tokens": completion.prompt_tokens + 3,
    }


def test_a_response_format_is_passed_over(generate: Generator) -> None:
    assert completions(generate, chat("goal", response_format={"type": "json_object"})) == completions(
        generate, chat("goal")
    )


def test_draws_follow_from_the_seed_and_the_text(generate: Generator) -> None:
    def drawn(text: str, seed: int | None) -> str:
        return completions(generate, chat(text, temperature=1.0, seed=seed))[0].text

    assert drawn("goal", 1) == drawn("goal", 1)
    assert drawn("goal", None) == drawn("goal", None)
    assert len({drawn("goal", seed) for seed in range(8)}) > 4
    assert drawn("goal", 1) != drawn("vote", 1)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
def test_tokens_are_drawn_as_often_as_they_are_likely(generate: Generator, temperature: float) -> None:
    import torch

    _, [logprobs] = by_hand(generate, "goal", steps=1)
    expected = (logprobs / temperature).softmax(dim=-1)
    mean = float((expected * logprobs).sum())
    deviation = math.sqrt(float((expected * (logprobs - mean) ** 2).sum()))
    count = 2_000
    bodies = [chat("goal", temperature=temperature, seed=seed, max_tokens=1, logprobs=True) for seed in range(count)]
    found = [completion.choices[0].logprob for completion in completions(generate, *bodies) if completion.choices]
    found += [float(logprobs[0])] * (count - len(found))  # the end token was drawn, and is no part of the text
    assert abs(torch.tensor(found).mean() - mean) < 4 * deviation / math.sqrt(count)
    likeliest = float(expected.max())
    share = sum(math.isclose(one, float(logprobs.max()), abs_tol=1e-4) for one in found) / count
    assert abs(share - likeliest) < 4 * math.sqrt(likeliest * (1 - likeliest) / count)


def test_logprobs_are_those_of_the_model_before_temperature(generate: Generator) -> None:
    text = TEXTS[1]
    written, expected = by_hand(generate, text, steps=24)
    wishes = {"logprobs": True, "top_logprobs": 5}
    found, *_ = completions(generate, chat(text, **wishes), chat("x", **wishes, temperature=2.0), chat("goal"))
    assert found.choices is not None
    assert len(found.choices) == sum(token != 0 for token in written)
    for choice, token, logprobs in zip(found.choices, written, expected, strict=False):
        assert choice.logprob == pytest.approx(float(logprobs[token]), abs=1e-4)
        top = logprobs.topk(5).values.tolist()
        assert [logprob for _, logprob in choice.alternatives] == pytest.approx(top, abs=1e-4)
        assert choice.alternatives[0] == (choice.token, choice.logprob)
    everything = completions(generate, chat(text, logprobs=True, top_logprobs=10_000))[0].choices
    assert everything is not None
    for choice in everything:
        assert math.fsum(math.exp(logprob) for _, logprob in choice.alternatives) == pytest.approx(1.0, abs=1e-4)


def test_logprobs_are_told_in_the_format_of_openai(generate: Generator) -> None:
    [plain, rich] = completions(generate, chat("goal", logprobs=True), chat("goal", logprobs=True, top_logprobs=2))
    entries = rich.to_json("m")["choices"][0]["logprobs"]["content"]
    for entry in entries:
        assert set(entry) == {"token", "logprob", "bytes", "top_logprobs"}
        assert [set(other) for other in entry["top_logprobs"]] == [{"token", "logprob", "bytes"}] * 2
        for likelihood in [entry, *entry["top_logprobs"]]:
            half = "\ufffd" in likelihood["token"]
            assert likelihood["bytes"] == (None if half else list(likelihood["token"].encode()))
    assert all(entry["top_logprobs"] == [] for entry in plain.to_json("m")["choices"][0]["logprobs"]["content"])


def test_a_reply_of_no_tokens_has_logprobs_of_none() -> None:
    empty = Completion(text="", ended=True, prompt_tokens=3, completion_tokens=1, choices=[])
    assert empty.to_json("m")["choices"][0]["logprobs"] == {"content": []}


def test_a_prompt_as_long_as_the_window_is_refused_and_the_others_are_answered(generate: Generator) -> None:
    too_long = chat("x" * WINDOW)
    failed, answered = generate([too_long, chat("goal")])
    assert isinstance(answered, Completion)
    assert isinstance(failed, RequestFailed)
    assert failed.refused
    assert str(failed) == f"the prompt has {WINDOW + 3} tokens; the model reads and writes {WINDOW} at the most"


def test_a_reply_does_not_outgrow_the_window(generate: Generator) -> None:
    body = chat("x" * (WINDOW - 3 - 4), max_tokens=50, temperature=0.0)
    [completion] = completions(generate, body)
    assert completion.prompt_tokens == WINDOW - 4
    assert completion.completion_tokens <= 4


def test_half_a_character_is_refused(generate: Generator) -> None:
    [outcome] = generate([chat("\ud800")])
    assert isinstance(outcome, RequestFailed)
    assert outcome.refused


def test_too_little_memory_halves_the_batch_and_goes_on(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    generate = loaded(tiny, max_tokens=8)
    bodies = [chat(text) for text in TEXTS]
    expected = completions(generate, *bodies)
    whole, sizes = generate.model.generate, list[int]()

    def cramped(**inputs: Any) -> Any:
        sizes.append(len(inputs["input_ids"]))
        if sizes[-1] > 2 or inputs["input_ids"].shape[1] > 60:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return whole(**inputs)

    monkeypatch.setattr(generate.model, "generate", cramped)
    assert completions(generate, *bodies) == expected
    assert sizes == [7, 3, 1, 1, 1, 1, 1, 1, 1]
    failed, answered = generate([chat("x" * 100), chat("goal")])
    assert isinstance(answered, Completion)
    assert isinstance(failed, RequestFailed)
    assert failed.refused
    assert "not enough memory" in str(failed)


def test_a_run_that_is_stopped_breaks_a_batch_off(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stopped = threading.Event()
    generate = loaded(tiny, stopped, max_tokens=100)
    whole, steps = generate.model.forward, list[None]()

    def counted(*given: Any, **named: Any) -> Any:
        steps.append(None)
        if len(steps) == 3:
            stopped.set()
        return whole(*given, **named)

    monkeypatch.setattr(generate.model, "forward", counted)
    bodies = [chat(text) for text in TEXTS]
    for _ in range(2):  # the second time nothing is begun
        outcomes = generate(bodies)
        assert [type(outcome) for outcome in outcomes] == [RequestFailed] * len(bodies)
        assert len(steps) == 3


@pytest.mark.gpu
def test_a_gpu_says_what_the_processor_says(tiny: Path, generate: Generator) -> None:
    on_gpu = LocalModel(path=tiny, device="cuda", max_tokens=8).load(threading.Event())
    bodies = [chat(text, logprobs=True) for text in TEXTS]
    for found, expected in zip(completions(on_gpu, *bodies), completions(generate, *bodies), strict=True):
        assert found.choices
        assert expected.choices
        assert found.choices[0].token == expected.choices[0].token
        assert found.choices[0].logprob == pytest.approx(expected.choices[0].logprob, abs=0.01)
    drawn = [chat(text, temperature=1.0, seed=1) for text in TEXTS]
    assert completions(on_gpu, *drawn) == completions(on_gpu, *drawn)
