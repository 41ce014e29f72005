"""Recordings: pairs of OpenAI Batch files, requests and replies, joined on ``custom_id`` and indexed by content.

OpenAI, vLLM's ``run-batch`` and others write them, and so do we (`batch.files`, whose requests are put as an endpoint
takes them and named by what was asked). Both files are streamed; a reply is found again by its offset.
"""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from understudy.data.disk_map import DiskMap
from understudy.errors import DataError
from understudy.teacher.request import Body, content_key

URL = "/v1/chat/completions"
"""Where a recorded request went, and a batch's requests go, as all sides spell it."""
_KEY = re.compile("[0-9a-f]{64}")
_REFUSALS = {400, 413, 422}
"""Statuses that the same request would get again."""

Line = tuple[int, int, dict[str, Any]]
"""A line of a recording: its number from 1, its offset in bytes, and the object in it."""


def recorded_replies(requests: Path, replies: Path) -> Iterator[tuple[bytes, int]]:
    """The content key of every request that the recording answers, and the offset of the answer in ``replies``.

    A request counts by its body, and by the content key that it is named by, if it is: what was exported to be sent has
    a limit for the reply, and perhaps no schema, and is what was asked all the same.

    A refusal for good is an answer too. Any other line with an error or another status than 200 is none and is passed
    over; so is a reply to a request that stands elsewhere, as when one output file serves several request files.

    Raises:
        DataError: A file is missing or broken (named with its line), or the two do not belong together.
    """
    joined = lines = 0
    with _keys(requests) as keys:
        for number, offset, record in _lines(replies):
            lines += 1
            custom_id = _custom_id(replies, number, record)
            key = keys.get(custom_id.encode("utf-8", "surrogatepass"))
            if key is not None:
                joined += 1
                if is_answer(record):
                    yield from ((each, offset) for each in {key, named_key(custom_id) or key})
    if lines and not joined:
        raise DataError(f"{replies}: none of its {lines} custom_ids is in {requests}; are they of the same recording?")


def first_request(requests: Path) -> Body | None:
    """The first request of a recording, as a sample to compare with; None where there is none."""
    return next((_body(requests, number, record) for number, _, record in _lines(requests)), None)


def named_key(custom_id: str) -> bytes | None:
    """The content key that a custom_id of ours spells out; None where it is somebody else's."""
    return bytes.fromhex(custom_id) if _KEY.fullmatch(custom_id) else None


def completion(record: Mapping[str, Any]) -> dict[str, Any] | None:
    """The chat completion in an output line; None where the line says that there was no answer."""
    response = record.get("response")
    if record.get("error") or not isinstance(response, dict) or response.get("status_code") != 200:
        return None
    body = response.get("body")
    return body if is_completion(body) else None


def refusal(record: Mapping[str, Any]) -> str | None:
    """Why the request in an output line was refused for good; None where it was not."""
    response = record.get("response")
    status = response.get("status_code") if isinstance(response, dict) else None
    if type(status) is not int or status not in _REFUSALS:
        return None
    body = record["response"].get("body")
    error = body.get("error") if isinstance(body, dict) else None
    message = error.get("message") if isinstance(error, dict) else None
    return message if isinstance(message, str) else "the endpoint refused the request"


def is_answer(record: Mapping[str, Any]) -> bool:
    """Whether an output line settles its request: by a completion, or by a refusal for good."""
    return completion(record) is not None or refusal(record) is not None


def is_completion(body: Any) -> bool:
    """Whether a JSON value has the shape of a chat completion: at least one choice, with a message."""
    if not isinstance(body, dict) or not isinstance(body.get("choices"), list) or not body["choices"]:
        return False
    choice = body["choices"][0]
    return isinstance(choice, dict) and isinstance(choice.get("message"), dict)


def _keys(requests: Path) -> DiskMap[bytes]:
    """The content key of every request by its custom_id."""
    keys = DiskMap[bytes]()
    for number, _, record in _lines(requests):
        custom_id = _custom_id(requests, number, record)
        try:
            key = content_key(_body(requests, number, record))
        except DataError as error:
            raise DataError(f"{requests}:{number}: {error}") from None
        if keys.setdefault(custom_id.encode("utf-8", "surrogatepass"), key) != key:
            raise DataError(f"{requests}:{number}: custom_id {custom_id!r} stands twice, with different requests")
    return keys


def _lines(path: Path) -> Iterator[Line]:
    offset = 0
    try:
        with path.open("rb") as lines:
            for number, line in enumerate(lines, start=1):
                if line.strip():
                    yield number, offset, _object(path, number, line)
                offset += len(line)
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}); check `replies:` in the recipe") from None


def _object(path: Path, number: int, line: bytes) -> dict[str, Any]:
    try:
        record = json.loads(line.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path}:{number}: not JSON ({error}); expected an OpenAI Batch line") from None
    if not isinstance(record, dict):
        raise DataError(f"{path}:{number}: a JSON {type(record).__name__}; expected an OpenAI Batch line")
    return record


def _custom_id(path: Path, number: int, record: Mapping[str, Any]) -> str:
    if not isinstance(record.get("custom_id"), str):
        raise DataError(f"{path}:{number}: no custom_id; expected an OpenAI Batch line")
    custom_id: str = record["custom_id"]
    return custom_id


def _body(path: Path, number: int, record: Mapping[str, Any]) -> Body:
    if not isinstance(record.get("body"), dict):
        raise DataError(f"{path}:{number}: no body; expected an OpenAI Batch request line")
    body: Body = record["body"]
    return body
