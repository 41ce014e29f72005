"""A real HTTP server on localhost that speaks /v1/chat/completions as it is told to: the one seam for fakes."""

import asyncio
import json
import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from aiohttp import web


@dataclass(frozen=True)
class Act:
    """What the server does with one request: answer, dawdle, or break off."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    delay: float = 0.0
    reset: bool = False
    drip: float | None = None
    """Seconds between the bytes of the body, which then comes byte by byte."""
    torn: int | None = None
    """After how many bytes of the body the connection breaks off."""


def answers(content: str | None, *, finish: str = "stop", usage: tuple[int, int] | None = None, **message: Any) -> Act:
    completion: dict[str, Any] = {
        "object": "chat.completion",
        "choices": [
            {"index": 0, "finish_reason": finish, "message": {"role": "assistant", "content": content, **message}}
        ],
    }
    if usage is not None:
        completion["usage"] = {"prompt_tokens": usage[0], "completion_tokens": usage[1], "total_tokens": sum(usage)}
    return Act(body=json.dumps(completion).encode())


def label(name: str) -> Act:
    return answers(json.dumps({"label": name}), usage=(100, 5))


def fails(status: int, message: str = "no", **headers: str) -> Act:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Act(status=status, body=json.dumps({"error": {"message": message}}).encode(), headers=named)


class FakeEndpoint:
    """Does the acts in `script` first, one for each request, and then whatever `respond` says to the request's text.

    Use as a context manager; `requests` holds every body that came, `headers` the headers with it.
    """

    def __init__(
        self, *script: Act, respond: Callable[[str], Act] = lambda text: label("sport"), port: int = 0
    ) -> None:
        self.port = port
        self.script = deque(script)
        self.respond = respond
        self.requests: list[dict[str, Any]] = []
        self.headers: list[Mapping[str, str]] = []
        self.under_way = self.most_under_way = 0
        self.base_url = ""
        self._ready = threading.Event()
        self._over = asyncio.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def texts(self) -> list[str]:
        return [request["messages"][-1]["content"] for request in self.requests]

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._ready.wait(60)
        return self

    def __exit__(self, *exception: object) -> None:
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join()

    def _serve(self) -> None:
        asyncio.run(self._until_over())  # which breaks off whatever is still being answered

    async def _until_over(self) -> None:
        self._loop = asyncio.get_running_loop()
        runner = await self._start()
        self._ready.set()
        await self._over.wait()
        await runner.cleanup()

    async def _start(self) -> web.AppRunner:
        app = web.Application(client_max_size=2**26)
        app.router.add_post("/v1/chat/completions", self._answer)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", self.port).start()
        self.base_url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
        return runner

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        self.requests.append(body)
        self.headers.append(dict(request.headers))
        act = self.script.popleft() if self.script else self.respond(body["messages"][-1]["content"])
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        try:
            await asyncio.sleep(act.delay)
        finally:
            self.under_way -= 1
        if act.reset and request.transport is not None:
            request.transport.abort()
        headers = {"Content-Type": "application/json", **act.headers}
        if act.drip is not None or act.torn is not None:
            return await self._trickle(request, act, headers)
        return web.Response(status=act.status, body=act.body, headers=headers)

    async def _trickle(self, request: web.Request, act: Act, headers: Mapping[str, str]) -> web.StreamResponse:
        response = web.StreamResponse(status=act.status, headers=headers)
        response.content_length = len(act.body)
        await response.prepare(request)
        for byte in act.body[: act.torn]:
            await response.write(bytes([byte]))
            await asyncio.sleep(act.drip or 0)
        if act.torn is not None and request.transport is not None:
            request.transport.abort()
        return response
