"""An endpoint with the latency of a real one, in a process of its own, that keeps the time of those who ask it."""

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from aiohttp import web

LATENCY = 0.2
"""Seconds between a request and its reply."""
_COMPLETION = {
    "id": "1",
    "object": "chat.completion",
    "created": 0,
    "model": "teacher",
    "choices": [
        {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": '{"label": "sport"}'}}
    ],
    "usage": {"prompt_tokens": 100, "completion_tokens": 5, "total_tokens": 105},
}


@contextmanager
def slow_endpoint() -> Iterator[str]:
    """Run the endpoint, and give its address up to ``/v1``."""
    command = [sys.executable, "-m", "benchmarks.slow_endpoint"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None, "the address comes by it"
        try:
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


class _Endpoint:
    """Answers every question alike; a request without messages (a peer asks so for its rate limits) does not count."""

    def __init__(self) -> None:
        self._reply = json.dumps(_COMPLETION).encode()
        self._answered = self._in_flight = self._most_in_flight = 0
        self._first: float | None = None
        self._last: float | None = None

    async def answer(self, request: web.Request) -> web.Response:
        """A valid chat completion, after the latency."""
        arrived = time.monotonic()
        if (await request.json())["messages"]:
            self._first = self._first or arrived
            self._in_flight += 1
            self._most_in_flight = max(self._most_in_flight, self._in_flight)
            await asyncio.sleep(LATENCY)
            self._in_flight -= 1
            self._answered += 1
            self._last = time.monotonic()
        return web.Response(body=self._reply, content_type="application/json")

    async def stats(self, request: web.Request) -> web.Response:
        """How many questions were answered, the seconds from the first's arrival to the last's reply, and the crowd."""
        seconds = (self._last or 0.0) - (self._first or 0.0)
        return web.json_response(
            {"answered": self._answered, "seconds": seconds, "most_in_flight": self._most_in_flight}
        )


async def _serve() -> None:
    endpoint = _Endpoint()
    app = web.Application()
    app.router.add_post("/v1/chat/completions", endpoint.answer)
    app.router.add_get("/stats", endpoint.stats)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, backlog=1024).start()
    print(f"http://127.0.0.1:{runner.addresses[0][1]}/v1", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_serve())
