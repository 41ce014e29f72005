import asyncio
import threading
import time
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any, TypeVar

import pytest

from understudy.errors import ModelError, TeacherError
from understudy.teacher.channel import Channel, RequestFailed
from understudy.teacher.local.channel import LocalChannel
from understudy.teacher.local.completion import Choice, Completion, Generate
from understudy.teacher.replies.store import Reply
from understudy.teacher.request import Body

T = TypeVar("T")


class Parrot:
    """A model that says what it was told, in capitals; it notes its batches, and can be held up."""

    name = "local:parrot"
    batch_size = 4

    def __init__(self) -> None:
        self.batches: list[list[str]] = []
        self.threads: set[threading.Thread] = set()
        self.begun = threading.Event()
        self.held_up = threading.Event()
        self.held_up.set()
        self.stopped: threading.Event | None = None

    def load(self, stopped: threading.Event) -> Generate:
        self.threads.add(threading.current_thread())
        self.stopped = stopped
        return self._generate

    def _generate(self, bodies: Sequence[Body]) -> list[Completion | RequestFailed]:
        self.threads.add(threading.current_thread())
        texts = [body["messages"][0]["content"] for body in bodies]
        self.batches.append(texts)
        self.begun.set()
        while not self.held_up.wait(0.01):
            if self.stopped is not None and self.stopped.is_set():
                return [RequestFailed("broken off") for _ in bodies]
        return [self._said(text) for text in texts]

    def _said(self, text: str) -> Completion | RequestFailed:
        if text == "refuse":
            return RequestFailed("too long", refused=True)
        if text == "break":
            raise RuntimeError("device-side assert")
        return Completion(text=text.upper(), ended=True, prompt_tokens=len(text), completion_tokens=1)


def chat(text: str) -> Body:
    return {"model": "m", "messages": [{"role": "user", "content": text}]}


def said(reply: Reply) -> Any:
    assert reply.completion is not None
    return reply.completion["choices"][0]["message"]["content"]


def run(parrot: Parrot, work: Callable[[LocalChannel], Coroutine[Any, Any, T]]) -> T:
    async def opened() -> T:
        channel = LocalChannel(parrot)
        await channel.open()
        try:
            return await work(channel)
        finally:
            await channel.close()

    return asyncio.run(asyncio.wait_for(opened(), 20))


async def outcomes(channel: Channel, texts: Sequence[str]) -> list[Reply | BaseException]:
    return await asyncio.gather(*(channel.ask(chat(text)) for text in texts), return_exceptions=True)


async def begun(parrot: Parrot) -> None:
    await asyncio.to_thread(parrot.begun.wait, 5)


def test_every_request_gets_its_own_reply() -> None:
    parrot = Parrot()
    texts = [f"{'very ' * (index % 5)}long {index}" for index in range(30)]
    replies = run(parrot, lambda channel: outcomes(channel, texts))
    assert [said(reply) for reply in replies if isinstance(reply, Reply)] == [text.upper() for text in texts]
    assert isinstance(replies[3], Reply)
    assert replies[3].seconds is not None
    assert replies[3].completion is not None
    assert replies[3].completion["model"] == "local:parrot"
    assert replies[3].completion["usage"]["prompt_tokens"] == len(texts[3])
    assert sorted(text for batch in parrot.batches for text in batch) == sorted(texts)


def test_requests_are_gathered_into_batches_of_about_one_length() -> None:
    parrot = Parrot()
    short, long = [f"short {index}" for index in range(4)], [f"{'long ' * 50}{index}" for index in range(4)]
    mixed = [text for pair in zip(short, long, strict=True) for text in pair]
    run(parrot, lambda channel: outcomes(channel, mixed))
    assert parrot.batches == [short, long]


def test_the_longest_waiting_is_always_in_the_next_batch() -> None:
    parrot = Parrot()
    odd = "odd one out " * 100
    run(parrot, lambda channel: outcomes(channel, ["a", odd, *(f"a{index}" for index in range(20))]))
    assert odd in parrot.batches[1]


def test_a_request_that_comes_alone_is_answered_at_once() -> None:
    async def one_by_one(channel: LocalChannel) -> list[Any]:
        return [said(await channel.ask(chat(text))) for text in ("a", "b", "c")]

    start = time.monotonic()
    assert run(Parrot(), one_by_one) == ["A", "B", "C"]
    assert time.monotonic() - start < 2


def test_the_model_has_one_thread_and_the_loop_stays_free() -> None:
    parrot = Parrot()
    parrot.held_up.clear()

    async def work(channel: LocalChannel) -> Reply:
        asked = asyncio.create_task(channel.ask(chat("goal")))
        await begun(parrot)
        assert not asked.done()
        parrot.held_up.set()
        return await asked

    assert said(run(parrot, work)) == "GOAL"
    assert len(parrot.threads) == 1
    assert threading.current_thread() not in parrot.threads


def test_a_request_that_the_model_refuses_fails_alone() -> None:
    first, refused, last = run(Parrot(), lambda channel: outcomes(channel, ["a", "refuse", "b"]))
    assert isinstance(refused, RequestFailed)
    assert refused.refused
    assert isinstance(first, Reply)
    assert isinstance(last, Reply)


def test_a_model_that_fails_leaves_nobody_waiting() -> None:
    failed = run(Parrot(), lambda channel: outcomes(channel, ["a", "break"]))
    for failure in failed:
        assert type(failure) is TeacherError
        assert "the model in this process failed (RuntimeError: device-side assert)" in str(failure)
    assert len({id(failure) for failure in failed}) == 2


def test_a_model_that_loses_replies_leaves_nobody_waiting() -> None:
    class Forgetful(Parrot):
        def _generate(self, bodies: Sequence[Body]) -> list[Completion | RequestFailed]:
            return super()._generate(bodies)[:-1]

    kept, lost = run(Forgetful(), lambda channel: outcomes(channel, ["a", "b"]))
    assert isinstance(kept, Reply)
    assert type(lost) is TeacherError


def test_a_model_whose_reply_cannot_be_written_leaves_nobody_waiting() -> None:
    class Odd(Parrot):
        def _said(self, text: str) -> Completion | RequestFailed:
            token = Choice(None, 0.0, [])  # type: ignore[arg-type]
            return Completion(text=text, ended=True, prompt_tokens=1, completion_tokens=1, choices=[token])

    [failed] = run(Odd(), lambda channel: outcomes(channel, ["a"]))
    assert type(failed) is TeacherError


def test_a_model_that_cannot_be_loaded_is_told_when_the_channel_is_opened() -> None:
    class Broken(Parrot):
        def load(self, stopped: threading.Event) -> Generate:
            raise ModelError("no such folder")

    with pytest.raises(ModelError, match="no such folder"):
        run(Broken(), lambda channel: outcomes(channel, ["a"]))


def test_in_a_hurry_nothing_is_begun_and_what_is_under_way_ends() -> None:
    parrot = Parrot()
    parrot.held_up.clear()

    async def work(channel: LocalChannel) -> list[Reply | BaseException]:
        asked = asyncio.create_task(outcomes(channel, [f"a{index}" for index in range(6)]))
        await begun(parrot)
        channel.hurry()
        with pytest.raises(RequestFailed, match="not asked"):
            await channel.ask(chat("late"))
        parrot.held_up.set()
        return await asked

    found = run(parrot, work)
    assert [type(outcome) for outcome in found] == [Reply] * 4 + [RequestFailed] * 2
    assert parrot.batches == [["a0", "a1", "a2", "a3"]]


def test_closing_breaks_off_what_is_under_way() -> None:
    parrot = Parrot()
    parrot.held_up.clear()

    async def work(channel: LocalChannel) -> list[Reply | BaseException]:
        asked = asyncio.create_task(outcomes(channel, ["a", "b"]))
        await begun(parrot)
        await channel.close()
        return await asked

    assert [str(outcome) for outcome in run(parrot, work)] == ["broken off"] * 2
    assert not any(thread.is_alive() for thread in parrot.threads)


def test_nobody_works_where_nobody_waits() -> None:
    async def work(channel: LocalChannel) -> set[Any]:
        await channel.ask(chat("a"))
        await asyncio.sleep(0.05)
        return asyncio.all_tasks() - {asyncio.current_task()}

    tasks = run(Parrot(), work)
    assert [task for task in tasks if "_work" in repr(task)] == []


def test_a_request_that_is_given_up_is_not_answered_for_nothing() -> None:
    parrot = Parrot()
    parrot.held_up.clear()

    async def work(channel: LocalChannel) -> None:
        first = asyncio.create_task(channel.ask(chat("first")))
        await begun(parrot)
        given_up, kept = (asyncio.create_task(channel.ask(chat(text))) for text in ("given up", "kept"))
        await asyncio.sleep(0)
        given_up.cancel()
        first.cancel()
        parrot.held_up.set()
        assert said(await kept) == "KEPT"

    run(parrot, work)
    assert parrot.batches == [["first"], ["kept"]]


def test_a_channel_says_who_answers_and_how_much_to_ask_ahead() -> None:
    channel: Channel = LocalChannel(Parrot())
    assert channel.name == "local:parrot"
    assert channel.parallel > Parrot.batch_size


def test_a_real_model_answers_through_it(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    pytest.importorskip("transformers")
    from tests.teacher.tiny_llama import write_tiny_llama
    from understudy.teacher.local.model import LocalModel

    model = LocalModel(path=write_tiny_llama(tmp_path / "model"), batch_size=3, max_tokens=5, device="cpu")

    async def work() -> list[Reply | BaseException]:
        channel = LocalChannel(model)
        await channel.open()
        try:
            return await outcomes(channel, [*(f"goal {index}" for index in range(10)), "x" * 1_000])
        finally:
            await channel.close()

    *replies, failed = asyncio.run(work())
    assert isinstance(failed, RequestFailed)
    for reply in replies:
        assert isinstance(reply, Reply)
        assert reply.completion is not None
        assert reply.completion["model"] == model.name
        assert 1 <= reply.completion["usage"]["completion_tokens"] <= 5
