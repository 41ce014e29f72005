"""A task small enough to learn in a second, and what the torch students' tests do alike."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

from understudy.example import Example, Prediction, Source, Span
from understudy.tasks.classification import Classification
from understudy.tasks.ner import NER
from understudy.tasks.summarization import Summarization
from understudy.tasks.text2text import TextToText
from understudy.training.mixtures import Mixture

TASK = Classification(labels=["sport", "money", "science"])
_WORDS = {
    "sport": "goal match team coach player cup",
    "money": "bank shares price loan market rates",
    "science": "cell planet study virus atom fossil",
}
_FILLERS = "the a said on monday after new of"

STRANGE = [
    "",
    " \n\t ",
    "x" * 100_000,
    "goal " * 20_000,
    "🙂🏳️‍🌈👩‍👩‍👧‍👦" * 10,
    "المباراة انتهت بفوز الفريق",
    "\x00\ufffd\u202e\ud7ff",
    "比赛结束了",
    ".",
    "half a \ud83d character",
]


def examples(source: Source, count: int, shift: int = 0) -> list[Example]:
    """Sentences of two tell-tale words among fillers, the labels in turn."""
    made = []
    for index in range(count):
        label = list(_WORDS)[index % 3]
        telling, fillers = _WORDS[label].split(), _FILLERS.split()
        turn = index // 3 + shift
        words = [telling[turn % 6], *(fillers[(turn + k) % 8] for k in range(turn % 5)), telling[(turn + 2) % 6]]
        made.append(Example(id=f"{source}-{shift}-{index}", text=" ".join(words), target=label, source=source))
    return made


def mixture(name: str = "union") -> Mixture:
    return Mixture.named(name, examples("gold", 12), examples("annotated", 48, shift=4))


VALIDATION = examples("gold", 9, shift=60)
TEXTS = [example.text for example in examples("test", 15, shift=90)]
TARGETS = [example.target for example in examples("test", 15, shift=90)]


_PEOPLE = ["Ada", "Bert", "Cleo", "Dina", "Emil", "Fred"]
_PLACES = ["Rome", "Oslo", "Lima", "Kyiv", "Bern", "Cairo"]
NER_TASK = NER(types={"PER": "a person", "LOC": "a place"})


def marked(source: Source, count: int, shift: int = 0) -> list[Example]:
    """Texts of one or two short sentences in which people and places stand, some none."""
    made = []
    for index in range(count):
        turn = index + shift
        person, place = _PEOPLE[turn % 6] + " Smith" * (turn % 2), _PLACES[(turn * 5 + 1) % 6]
        parts: list[tuple[str, str]] = [("A note. ", ""), (person, "PER"), (" went to ", ""), (place, "LOC"), (".", "")]
        parts = parts[turn % 2 :] if turn % 7 else parts[:1]
        text, spans = "", []
        for part, type_ in parts:
            if type_:
                spans.append(Span(len(text), len(text) + len(part), type_))
            text += part
        made.append(Example(id=f"{source}-{shift}-{index}", text=text, target=tuple(spans), source=source))
    return made


SUMMARY_TASK = Summarization()
REWRITE_TASK = TextToText(instruction="Keep the sentence that matters.")


def summarized(source: Source, count: int, shift: int = 0) -> list[Example]:
    """Texts of three sentences whose summary is the one with the tell-tale words."""
    made: list[Example] = []
    for example in examples(source, count, shift):
        dull = ["On Monday it was said again.", "There was little new of it after."]
        sentences = [*dull[: len(made) % 3], f"The {example.text}.", *dull[len(made) % 3 :]]
        made.append(replace(example, text=" ".join(sentences), target=f"The {example.text}."))
    return made


def right(predictions: list[Prediction]) -> float:
    return sum(p.target == target for p, target in zip(predictions, TARGETS, strict=True)) / len(TARGETS)


def predicted_elsewhere(folder: Path) -> list[Prediction]:
    """What the saved student predicts for `TEXTS` in a process of its own."""
    code = (
        "import json, sys; from understudy.students.student import load; from tests.students.small import TEXTS; "
        "print(json.dumps([[p.target, p.confidence.hex()] for p in load(sys.argv[1]).predict(TEXTS)]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(folder)],
        check=True,
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    return [Prediction(target, float.fromhex(confidence)) for target, confidence in json.loads(done.stdout)]


def modules_after(statement: str) -> set[str]:
    """The top-level modules that a fresh interpreter holds after a statement."""
    code = f"import sys; {statement}; print(*{{name.split('.')[0] for name in sys.modules}})"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    return set(done.stdout.split())
