"""What is known of batches that were sent off, kept on the disk so that no process sends one twice."""

import uuid
from collections.abc import Iterable
from dataclasses import field
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from understudy.data.files import digest, read_json, write_json
from understudy.errors import DataError, TeacherError
from understudy.teacher.batch.files import exported
from understudy.teacher.cost.ledger import Reservation

# Names become a part of addresses and of file names, wherever they come from.
Identifier = Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_=.-]{0,199}$")]
"""A name that the API has given to a file or a batch."""

Stage = Literal["planned", "uploaded", "creating", "running", "ended", "fetched", "failed"]
"""How far a submission is; ``creating`` is noted before a batch is asked for, since the answer may get lost."""


@dataclass
class Submission:
    """One request file on its way.

    Attributes:
        file: The request file's name.
        digest: The SHA-256 of its content.
        requests: How many it holds.
        tag: Marks the batch at the API, so that it is found there where the answer that named it was lost.
        stage: How far it is.
        file_id: The uploaded file.
        batch_id: The batch made of it.
        output_file_id: The answers that came of it.
        error_file_id: The requests of it that failed.
        reason: Why there was no batch, where it failed.
    """

    file: Identifier
    digest: str
    requests: int
    tag: Identifier = field(default_factory=lambda: uuid.uuid4().hex)
    stage: Stage = "planned"
    file_id: Identifier | None = None
    batch_id: Identifier | None = None
    output_file_id: Identifier | None = None
    error_file_id: Identifier | None = None
    reason: str | None = None

    @property
    def results(self) -> dict[str, str]:
        """The files to fetch: what each is called here, and its name at the API."""
        named = {
            f"replies-{self.batch_id}.jsonl": self.output_file_id,
            f"errors-{self.batch_id}.jsonl": self.error_file_id,
        }
        return {name: file_id for name, file_id in named.items() if file_id is not None}

    @property
    def is_bound(self) -> bool:
        """Whether there may be a batch, which may be paid for."""
        return self.stage not in {"planned", "uploaded"}

    def start_over(self) -> None:
        """Let another batch be made of the uploaded file."""
        self.stage, self.tag, self.batch_id = "uploaded", uuid.uuid4().hex, None


@dataclass
class _State:
    """What stands in the file."""

    endpoint: str
    reservation: Reservation
    submissions: list[Submission]


class Submissions:
    """The submissions out of one folder, with its ``batches.json``.

    Args:
        folder: Where the request files lie.
        endpoint: The name of the endpoint that they go to.
        reservation: What is set aside for them; where there may be a batch already, what was set aside then stays.

    Attributes:
        under_way: Every submission that is not settled.

    Raises:
        DataError: The state cannot be read, or a file is another than the one that was sent under its name.
        TeacherError: The state is of another endpoint.
    """

    def __init__(self, folder: Path, endpoint: str, reservation: Reservation) -> None:
        self.folder = folder
        self.path = _state_file(folder)
        state = _read(self.path) if self.path.exists() else _State(endpoint, reservation, [])
        if state.endpoint != endpoint:
            raise TeacherError(
                f"{self.path}: its batches were sent to {state.endpoint}, not to {endpoint}; finish them there, or "
                "choose another folder"
            )
        self._state = state
        self.under_way = state.submissions
        if not any(sent.is_bound for sent in self.under_way):
            state.reservation = reservation
        self._take_up(exported(folder))

    def save(self) -> None:
        """Write down how far all are."""
        write_json(self.path, TypeAdapter(_State).dump_python(self._state))

    def fetched(self) -> list[Path]:
        """The output and error files that came of them."""
        return [self.folder / name for submission in self.under_way for name in submission.results]

    def _take_up(self, files: Iterable[Path]) -> None:
        """Add what was not sent yet, in place of what never became a batch and is no longer there."""
        digests = {path.name: digest(path) for path in files}
        self.under_way[:] = [sent for sent in self.under_way if sent.is_bound or digests.get(sent.file) == sent.digest]
        known = {submission.file: submission.digest for submission in self.under_way}
        for name, content in digests.items():
            if name not in known:
                self.under_way.append(Submission(name, content, _count_lines(self.folder / name)))
            elif known[name] != content:
                raise DataError(
                    f"{self.folder / name}: another file than the one that was sent under this name; export into "
                    f"another folder, or remove {self.path} to give up what was sent"
                )


def is_under_way(folder: Path) -> bool:
    """Whether a batch may have been made out of a folder whose replies are not in the store yet.

    Raises:
        DataError: The state cannot be read.
    """
    path = _state_file(folder)
    return path.exists() and any(submission.is_bound for submission in _read(path).submissions)


def reservation_of(folder: Path) -> Reservation | None:
    """What is set aside for the batches out of a folder; None where nothing is known of any.

    Raises:
        DataError: The state cannot be read.
    """
    path = _state_file(folder)
    return _read(path).reservation if path.exists() else None


def settle(folder: Path) -> None:
    """Forget what was under way, once what came of it is in the store."""
    _state_file(folder).unlink(missing_ok=True)


def _state_file(folder: Path) -> Path:
    return folder / "batches.json"


def _read(path: Path) -> _State:
    try:
        return TypeAdapter(_State).validate_python(read_json(path))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise DataError(
            f"{path}: {place}: {first['msg']}; expected it as it was written. Remove the file to give up what was sent"
        ) from None


def _count_lines(path: Path) -> int:
    with path.open("rb") as lines:
        return sum(1 for _ in lines)
