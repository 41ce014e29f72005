"""The output of a batch, line by line; OpenAI and vLLM differ in how they say that a request failed."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from understudy.errors import DataError
from understudy.teacher.cost.spending import NO_TOKENS, Tokens, usage_tokens
from understudy.teacher.endpoint.response import Redactor
from understudy.teacher.replies.recordings import completion, refusal
from understudy.teacher.replies.store import Reply

_LONGEST_LINE = 2**24
"""Bytes in a line of output; no honest reply comes near."""
FAILURE, REFUSAL, ANSWER = range(3)
"""What a line may bring, in the order in which one counts before another."""


class Outcome(NamedTuple):
    """What one line of output says.

    Attributes:
        custom_id: The request it is for.
        reply: The reply, or a refusal for good; None where there is neither.
        failure: Why there is no reply.
    """

    custom_id: str
    reply: Reply | None
    failure: str

    @property
    def worth(self) -> int:
        """Which of several lines for one request counts: an answer before a refusal, that before a failure."""
        if self.reply is None:
            return FAILURE
        return REFUSAL if self.reply.completion is None else ANSWER

    @property
    def tokens(self) -> Tokens | None:
        """What it took, which is nothing without an answer; None where an answer does not tell."""
        completion = None if self.reply is None else self.reply.completion
        return NO_TOKENS if completion is None else usage_tokens(completion)


def output_lines(path: Path) -> Iterator[tuple[int, int, bytes]]:
    """Every line that is not blank, with its number from 1 and its offset in bytes; of overlong ones the beginning."""
    number = offset = 0
    try:
        with path.open("rb") as file:
            while line := file.readline(_LONGEST_LINE):
                number += 1
                if line.strip():
                    yield number, offset, line
                while line and not line.endswith(b"\n"):
                    line = file.readline(_LONGEST_LINE)
                offset = file.tell()
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}); expected the output of a batch") from None


def check_output(path: Path) -> None:
    """See to it that something in a file is output; it may be empty, as that of errors often is.

    Raises:
        DataError: It cannot be read, or all that stands in it is something else.
    """
    first = ""
    for number, _, line in output_lines(path):
        try:
            outcome(line)
        except DataError as error:
            first = first or f"{path}:{number}: {error}"
        else:
            return
    if first:
        raise DataError(f"{first}, nor is any other in that file; expected what came back, whole")


def outcome_at(path: Path, offset: int) -> Outcome:
    """What the line at a place says."""
    with path.open("rb") as file:
        file.seek(offset)
        return outcome(file.readline(_LONGEST_LINE))


def outcome(line: bytes) -> Outcome:
    """What a line of output says.

    Raises:
        DataError: It is no such line.
    """
    try:
        record = json.loads(line.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        record = None
    if not isinstance(record, dict) or not isinstance(record.get("custom_id"), str):
        raise DataError("not a line of batch output (a JSON object with a custom_id)")
    if not (record.get("response") or record.get("error")):
        raise DataError("neither a response nor an error in it; expected the output of a batch, not its requests")
    plain = _as_openai(record)
    found = completion(plain)
    if found is not None:
        return Outcome(record["custom_id"], Reply(found), "")
    reason = shown(_failure(plain))
    refused = None if refusal(plain) is None else Reply(None, refused=f"the endpoint refused the request with {reason}")
    return Outcome(record["custom_id"], refused, reason)


def _as_openai(record: Mapping[str, Any]) -> dict[str, Any]:
    """A line of output in OpenAI's form.

    vLLM puts the error beside the response, wrapped or not, and may leave out the status. Where it has only a string
    to say, it has crashed over the request, and its 400 means nothing.
    """
    response = _mapping(record.get("response"))
    told = record.get("error") or _mapping(response.get("body")).get("error")
    if not told:
        return {"response": {"status_code": _status(response.get("status_code") or 200), "body": response.get("body")}}
    error = _mapping(_mapping(told).get("error")) or _mapping(told) or {"message": told}
    status = response.get("status_code") or error.get("code") if isinstance(told, dict) else None
    if error.get("code") == "content_filter":
        status = 400
    return {"response": {"status_code": _status(status), "body": {"error": error}}}


def _failure(record: Mapping[str, Any]) -> str:
    """What an output line in OpenAI's form says of a request that was not answered."""
    status, body = record["response"].get("status_code"), _mapping(record["response"].get("body"))
    error = _mapping(body.get("error"))
    said = error.get("message") or error.get("code") or "what came is not a chat completion"
    return f"{said}" if status is None else f"{status}: {said}"


def _status(value: Any) -> int | None:
    return value if isinstance(value, int) else None


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def shown(text: str) -> str:
    """Text from a file, fit for an error message."""
    return Redactor([]).clean(text)
