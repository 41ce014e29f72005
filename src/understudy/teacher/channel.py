"""The seam to whoever answers: an endpoint over HTTP, or a model in this process."""

import re
from typing import Protocol

from understudy.errors import TeacherError
from understudy.teacher.replies.store import Reply
from understudy.teacher.request import Body

_OF_THE_TEXT = re.compile(
    r"content.?(filter|policy|management)|usage polic|safety|moderat|flagged|context.length|too long|larger than",
    re.IGNORECASE,
)


class RequestFailed(TeacherError):
    """One request will not be answered, though others may be.

    Attributes:
        refused: It was understood and refused (a 4xx), rather than failing to be answered.
    """

    def __init__(self, message: str, *, refused: bool = False) -> None:
        super().__init__(message)
        self.refused = refused


def is_of_the_text(refusal: str) -> bool:
    """Whether a refusal is about the very text, going by how it reads, so that it would only come again."""
    return _OF_THE_TEXT.search(refusal) is not None


class Channel(Protocol):
    """Answers requests; to be made anywhere, and to be opened, used and closed within one event loop."""

    @property
    def name(self) -> str:
        """Who answers, as a part of the key under which a reply is kept: an address, or a model's fingerprint."""

    @property
    def parallel(self) -> int:
        """How many requests may usefully be under way at a time."""

    async def open(self) -> None:
        """Get ready to answer."""

    async def ask(self, body: Body) -> Reply:
        """The reply to one request.

        Raises:
            RequestFailed: This request will not be answered.
            TeacherError: No request will be.
        """

    def hurry(self) -> None:
        """Begin nothing further; what is under way may end."""

    async def close(self) -> None:
        """Let go of whatever is held."""
