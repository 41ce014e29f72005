"""The texts behind the scores: where student and teacher disagree, what they wrote, what was rejected."""

import hashlib
import heapq
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from understudy import words
from understudy.data.clean import kind_of_rejection
from understudy.data.files import read_examples, read_rows
from understudy.errors import DataError

_MOST_DISAGREEMENTS = 20
_MOST_REJECTED = 3
_SAMPLES = 6
_MOST_REASONS = 12
_LONGEST = 4_000
_EXCERPT = 160
_WRITTEN = 600
"""So much of an answer is seen at once where reading it is the point."""
_BAND_EDGES = (0.0, 0.5, 0.7, 0.9)


@dataclass(frozen=True, slots=True)
class Passage:
    """A text as a page shows it: its beginning, and the whole for who wants to read on."""

    start: str
    whole: str

    @classmethod
    def of(cls, text: str, seen: int = _EXCERPT) -> "Passage":
        """Cut at a word after about so many characters, and where a text is very long, for good."""
        whole = text if len(text) <= _LONGEST else f"{text[:_LONGEST]} …"
        if len(text) <= seen:
            return cls(text, whole)
        return cls(f"{text[:seen].rsplit(' ', 1)[0]}\u00a0…", whole)


@dataclass(frozen=True, slots=True)
class Disagreement:
    """A test text to which student and teacher gave different answers, and who of them was right."""

    id: str
    passage: Passage
    gold: str
    teacher: str
    student: str
    confidence: float | None
    right: str


@dataclass(slots=True)
class Band:
    """The student's answers of about the same confidence, from ``low`` up to ``high``."""

    low: float
    high: float
    answers: int = 0
    right: int = 0
    confidence: float = 0.0

    def add(self, confidence: float, right: bool) -> None:
        """Count one more answer."""
        self.answers += 1
        self.right += right
        self.confidence += confidence


@dataclass(slots=True)
class Answers:
    """How the chosen student and the teacher did on each test text, in the first seed.

    Attributes:
        both: Texts with an answer of student and teacher, so that they can be held against each other.
        right: How often who was right where they disagreed: ``student``, ``teacher`` or ``neither``.
        examples: Disagreements, those first where the student was surest.
        bands: The student's answers by confidence; those with no confidence are left out.
    """

    tested: int = 0
    both: int = 0
    student_right: int = 0
    teacher_right: int = 0
    right: dict[str, int] = field(default_factory=lambda: {"teacher": 0, "student": 0, "neither": 0})
    examples: list[Disagreement] = field(default_factory=list)
    bands: list[Band] = field(
        default_factory=lambda: [
            Band(low, high) for low, high in zip(_BAND_EDGES, (*_BAND_EDGES[1:], 1.0), strict=True)
        ]
    )

    @property
    def disagreements(self) -> int:
        """On how many texts they gave different answers."""
        return sum(self.right.values())


def read_answers(path: Path, arm: str) -> Answers | None:
    """What one arm's student and the teacher answered on the test set; None where nothing of the arm is recorded.

    Raises:
        DataError: A line is not a row of predictions; the file and line are named.
    """
    found = Answers()
    disagreements: list[tuple[float, int, Disagreement]] = []
    for number, row in read_rows(path) if path.exists() else ():
        with _naming(path, number):
            disagreement = _tally(found, row, arm)
        if disagreement:
            heapq.heappush(disagreements, (disagreement.confidence or 0.0, -number, disagreement))
            if len(disagreements) > _MOST_DISAGREEMENTS:
                heapq.heappop(disagreements)
    found.examples = [disagreement for *_, disagreement in sorted(disagreements, reverse=True)]
    return found if found.tested else None


def _tally(found: Answers, row: Mapping[str, Any], arm: str) -> Disagreement | None:
    student, teacher, gold = row["predictions"].get(arm), row.get("teacher"), row["gold"]
    if student is None:
        return None
    correct = student["target"] == gold
    found.tested += 1
    found.student_right += correct
    if student.get("confidence") is not None:
        _count_confidence(found.bands, float(student["confidence"]), correct)
    if teacher is None:
        return None
    found.both += 1
    found.teacher_right += teacher["target"] == gold
    if student["target"] == teacher["target"]:
        return None
    right = "student" if correct else "teacher" if teacher["target"] == gold else "neither"
    found.right[right] += 1
    return _disagreement(row, student, right)


def _count_confidence(bands: list[Band], confidence: float, correct: bool) -> None:
    band = next(band for band in reversed(bands) if confidence >= band.low or band is bands[0])
    band.add(confidence, correct)


def _disagreement(row: Mapping[str, Any], student: Mapping[str, Any], right: str) -> Disagreement:
    text = str(row["text"])
    return Disagreement(
        id=str(row["id"]),
        passage=Passage.of(text),
        gold=words.target(row["gold"], text),
        teacher=words.target(row["teacher"]["target"], text),
        student=words.target(student["target"], text),
        confidence=student.get("confidence"),
        right=right,
    )


@dataclass(frozen=True, slots=True)
class Sample:
    """A test text with what a person, the teacher and the student wrote of it."""

    id: str
    passage: Passage
    gold: Passage
    teacher: Passage
    student: Passage


def read_samples(path: Path, arm: str) -> list[Sample]:
    """A few test texts, drawn by chance but always the same, with the answers of the teacher and of one arm.

    Raises:
        DataError: A line is not a row of predictions; the file and line are named.
    """
    drawn: list[tuple[str, int, Sample]] = []
    for number, row in read_rows(path) if path.exists() else ():
        with _naming(path, number):
            sample = _sample(row, arm)
        if sample:
            heapq.heappush(drawn, (_draw(sample.id), number, sample))
            if len(drawn) > _SAMPLES:
                heapq.heappop(drawn)
    return [sample for *_, sample in sorted(drawn, key=lambda each: each[1])]


def _sample(row: Mapping[str, Any], arm: str) -> Sample | None:
    student, teacher, text = row["predictions"].get(arm), row.get("teacher"), str(row["text"])
    if student is None or teacher is None:
        return None
    answers = (row["gold"], teacher["target"], student["target"])
    gold, taught, said = (Passage.of(words.target(answer, text), _WRITTEN) for answer in answers)
    return Sample(str(row["id"]), Passage.of(text), gold, taught, said)


def _draw(id_: str) -> str:
    """A number that has nothing to do with a text's place."""
    return hashlib.sha256(id_.encode("utf-8", "replace")).hexdigest()


@contextmanager
def _naming(path: Path, number: int) -> Iterator[None]:
    """Name the line of whatever is wrong with a row of predictions."""
    try:
        yield
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise DataError(f"{path}:{number}: not a row of predictions ({error!r}); run the recipe again") from None


@dataclass(frozen=True, slots=True)
class Rejected:
    """A rejected example: its text, the whole reason where it says more than its kind, and the teacher's raw reply."""

    passage: Passage
    why: str
    reply: str


@dataclass(frozen=True, slots=True)
class Reason:
    """A kind of reason to reject examples, how many, and the first few of them."""

    reason: str
    count: int
    examples: list[Rejected]


def read_rejected(path: Path, counted: Mapping[str, int] | None) -> list[Reason]:
    """The rejected examples by the kind of reason, the most frequent first.

    Args:
        path: The rejected examples of a run; none where the file is missing.
        counted: Counts by reason from the scores; where None, the file's own rows are counted.

    Raises:
        DataError: A line is not an example record.
    """
    counts: dict[str, int] = {}
    examples: dict[str, list[Rejected]] = {}
    for example in read_examples(path) if path.exists() else ():
        reason = kind_of_rejection(example)
        counts[reason] = counts.get(reason, 0) + 1
        shown = examples.setdefault(reason, [])
        if len(shown) < _MOST_REJECTED:
            why = str(example.meta.get("rejected", reason))[: 2 * _EXCERPT]
            reply = str(example.meta.get("reply") or "")[:_EXCERPT]
            shown.append(Rejected(Passage.of(example.text), "" if why == reason else why, reply))
    return list(_most_frequent(counts if counted is None else counted, examples))


def _most_frequent(counts: Mapping[str, int], examples: Mapping[str, list[Rejected]]) -> Iterator[Reason]:
    ranked = sorted(counts, key=lambda reason: (-counts[reason], reason))
    for reason in ranked[:_MOST_REASONS]:
        yield Reason(reason, counts[reason], examples.get(reason, []))
    if rest := sum(counts[reason] for reason in ranked[_MOST_REASONS:]):
        yield Reason("other reasons", rest, [])
