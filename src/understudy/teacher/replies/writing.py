"""Recordings of what a large model has answered elsewhere: old labels, as if they had been asked for here."""

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from understudy.data.files import json_line, replacing
from understudy.errors import DataError
from understudy.teacher.replies.recordings import URL
from understudy.teacher.request import Body

REQUESTS, REPLIES = "requests.jsonl", "replies.jsonl"


class Exchange(NamedTuple):
    """A request and the text of its reply, under a name that no other exchange of the recording has."""

    name: str
    body: Body
    reply: str


def write_recording(folder: Path, exchanges: Iterable[Exchange]) -> int:
    """Write a pair of OpenAI Batch files into a folder; returns how many exchanges they hold.

    Raises:
        DataError: There is a recording in that folder already, or it cannot be written to.
    """
    for path in (folder / REQUESTS, folder / REPLIES):
        if path.exists():
            raise DataError(f"{path}: exists already; choose another folder, or remove the recording first")
    count = 0
    with replacing(folder / REQUESTS) as requests, replacing(folder / REPLIES) as replies:
        for name, body, reply in exchanges:
            requests.write(json_line({"custom_id": name, "method": "POST", "url": URL, "body": body}))
            replies.write(json_line(_answered(name, body, reply)))
            count += 1
    return count


def _answered(name: str, body: Body, reply: str) -> dict[str, object]:
    message = {"role": "assistant", "content": reply}
    completion = {"model": body["model"], "choices": [{"index": 0, "finish_reason": "stop", "message": message}]}
    return {"custom_id": name, "response": {"status_code": 200, "body": completion}, "error": None}
