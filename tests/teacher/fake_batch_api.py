"""A real HTTP server on localhost that speaks the Batch API, with faults before and after what it does."""

import json
from collections import Counter, defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from tests.teacher.fake_endpoint import Act, FakeEndpoint

Line = dict[str, Any]


@dataclass(frozen=True)
class Fault:
    """How one call goes wrong: instead of having its effect, or after it, so that only the answer is lost."""

    act: Act
    after: bool = False


@dataclass
class FakeBatch:
    """What the server knows of one batch; `plan` is what its status will be at each look, the last one to stay."""

    id: str
    lines: list[Line]
    metadata: dict[str, str]
    plan: deque[str]
    status: str = "validating"
    files: dict[str, str] = field(default_factory=dict)
    errors: list[dict[str, Any]] = field(default_factory=list)


def completion(content: str) -> dict[str, Any]:
    message = {"role": "assistant", "content": content}
    return {"object": "chat.completion", "choices": [{"index": 0, "finish_reason": "stop", "message": message}]}


def answered(custom_id: str, content: str = '{"label": "sport"}') -> Line:
    response = {"status_code": 200, "request_id": "r", "body": completion(content)}
    return {"id": f"batch_req_{custom_id}", "custom_id": custom_id, "response": response, "error": None}


def refused(custom_id: str, status: int = 400, message: str = "too long") -> Line:
    body = {"error": {"message": message, "type": "invalid_request_error", "param": None, "code": None}}
    response = {"status_code": status, "request_id": "r", "body": body}
    return {"id": f"batch_req_{custom_id}", "custom_id": custom_id, "response": response, "error": None}


def expired(custom_id: str) -> Line:
    error = {"code": "batch_expired", "message": "This request could not be executed before it expired."}
    return {"id": f"batch_req_{custom_id}", "custom_id": custom_id, "response": None, "error": error}


class FakeBatchApi(FakeEndpoint):
    """Answers each request line with what `reply` makes of it; a line with a 200 goes to the output file.

    `faults[call]` are met first (None: that time all is well), where call is upload, create, list, look, content or
    cancel; `queue` is how many
    requests may be enqueued; `plans` are the batches' fates, in the order of their creation; `ids` are names to give
    instead of its own.
    """

    def __init__(
        self,
        reply: Callable[[Line], Line] = lambda line: answered(line["custom_id"]),
        *,
        plans: list[list[str]] | None = None,
        queue: int | None = None,
        page: int = 100,
    ) -> None:
        super().__init__()
        self.reply = reply
        self.plans = deque(plans or [])
        self.queue = queue
        self.page = page
        self.faults: dict[str, deque[Fault | None]] = defaultdict(deque)
        self.ids: dict[str, str] = {}
        self.files: dict[str, bytes] = {}
        self.batches: list[FakeBatch] = []
        self.calls = Counter[str]()

    def sent(self) -> list[str]:
        """The custom_ids of all batches that were made."""
        return [line["custom_id"] for batch in self.batches for line in batch.lines]

    async def _start(self) -> web.AppRunner:
        app = web.Application(client_max_size=2**28)
        for method, path, call, does in (
            ("POST", "files", "upload", self._upload),
            ("GET", "files/{id}/content", "content", self._content),
            ("POST", "batches", "create", self._create),
            ("GET", "batches", "list", self._list),
            ("GET", "batches/{id}", "look", self._look),
            ("POST", "batches/{id}/cancel", "cancel", self._cancel),
        ):
            app.router.add_route(method, f"/v1/{path}", self._faulty(call, does))
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.base_url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
        return runner

    def _faulty(self, call: str, does: Callable[[web.Request], Any]) -> Callable[[web.Request], Any]:
        async def handler(request: web.Request) -> web.StreamResponse:
            self.calls[call] += 1
            self.headers.append(dict(request.headers))
            fault = self.faults[call].popleft() if self.faults[call] else None
            response: web.StreamResponse | None = None
            if fault is None or fault.after:
                response = await does(request)
            else:
                await request.read()
            if fault is None:
                assert response is not None
                return response
            if fault.act.reset and call == "content" and isinstance(response, web.Response):
                return await self._half(request, response)
            if fault.act.reset and request.transport is not None:
                request.transport.abort()
            return web.Response(status=fault.act.status, body=fault.act.body, headers=fault.act.headers)

        return handler

    async def _half(self, request: web.Request, whole: web.Response) -> web.StreamResponse:
        """Half of a file, and then a break."""
        assert isinstance(whole.body, bytes)
        half = web.StreamResponse(headers={"Content-Length": str(len(whole.body))})
        await half.prepare(request)
        await half.write(whole.body[: len(whole.body) // 2])
        assert request.transport is not None
        request.transport.close()
        return half

    async def _upload(self, request: web.Request) -> web.Response:
        form = await request.post()
        assert form["purpose"] == "batch"
        uploaded = form["file"]
        assert isinstance(uploaded, web.FileField)
        file_id = self.ids.get("file", f"file-{len(self.files)}")
        self.files[file_id] = uploaded.file.read()
        return web.json_response({"id": file_id, "object": "file", "purpose": "batch"})

    async def _content(self, request: web.Request) -> web.Response:
        return web.Response(body=self.files[request.match_info["id"]])

    async def _create(self, request: web.Request) -> web.Response:
        wanted = await request.json()
        assert (wanted["endpoint"], wanted["completion_window"]) == ("/v1/chat/completions", "24h")
        lines = [json.loads(line) for line in self.files[wanted["input_file_id"]].splitlines()]
        plan = deque(self.plans.popleft() if self.plans else ["in_progress", "completed"])
        batch = FakeBatch(
            self.ids.get("batch", f"batch_{len(self.batches)}"), lines, wanted.get("metadata") or {}, plan
        )
        enqueued = sum(len(other.lines) for other in self.batches if other.status in {"validating", "in_progress"})
        if self.queue is not None and enqueued + len(lines) > self.queue:
            batch.plan = deque(["failed"])
            batch.errors = [{"code": "token_limit_exceeded", "message": "Enqueued token limit reached for m."}]
            batch.lines = []
        self.batches.append(batch)
        return web.json_response(self._described(batch))

    async def _list(self, request: web.Request) -> web.Response:
        latest = self.batches[::-1]
        after = request.query.get("after")
        start = 0 if after is None else [batch.id for batch in latest].index(after) + 1
        shown = latest[start : start + self.page]
        return web.json_response(
            {"data": [self._described(batch) for batch in shown], "has_more": start + self.page < len(latest)}
        )

    async def _look(self, request: web.Request) -> web.Response:
        batch = self._batch(request)
        batch.status = batch.plan.popleft() if len(batch.plan) > 1 else batch.plan[0]
        if batch.status in {"completed", "expired", "cancelled"} and not batch.files:
            self._finish(batch)
        return web.json_response(self._described(batch))

    async def _cancel(self, request: web.Request) -> web.Response:
        batch = self._batch(request)
        batch.status, batch.plan = "cancelling", deque(["cancelled"])
        return web.json_response(self._described(batch))

    def _batch(self, request: web.Request) -> FakeBatch:
        return next(batch for batch in self.batches if batch.id == request.match_info["id"])

    def _finish(self, batch: FakeBatch) -> None:
        replies = [self.reply(line) for line in batch.lines]
        if batch.status == "expired":  # the first half was done in time
            done = -(-len(replies) // 2)
            replies = replies[:done] + [expired(line["custom_id"]) for line in batch.lines[done:]]
        for kind, wanted in (("output", True), ("error", False)):
            lines = [line for line in replies if ((line["response"] or {}).get("status_code") == 200) is wanted]
            if lines:
                name = self.ids.get(kind, f"file-{batch.id}-{kind}")
                self.files[name] = "".join(json.dumps(line) + "\n" for line in lines).encode()
                batch.files[kind] = name

    def _described(self, batch: FakeBatch) -> dict[str, Any]:
        return {
            "id": batch.id,
            "object": "batch",
            "status": batch.status,
            "metadata": batch.metadata,
            "output_file_id": batch.files.get("output"),
            "error_file_id": batch.files.get("error"),
            "request_counts": {
                "total": len(batch.lines),
                "completed": len(batch.lines) if batch.files else 0,
                "failed": 0,
            },
            "errors": {"object": "list", "data": batch.errors} if batch.errors else None,
        }
