from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

from tests.students.sequences.tiny import FROM_HUB, FROM_SCRATCH, one_thread, write_tiny
from understudy.errors import ModelError
from understudy.example import Example, Span
from understudy.progress import Silent
from understudy.students.sequences import learning
from understudy.students.t5 import T5
from understudy.tasks.ner import NER
from understudy.training.mixtures import Mixture


def lines(monkeypatch: pytest.MonkeyPatch, examples: list[Example], types: list[str], **settings: Any) -> set[str]:
    """What is learned to be written."""
    seen: list[str] = []
    tensors = learning.tensors

    def spied(tokens: Any, pairs: list[learning.Pair], rows: int | None = None) -> Any:
        seen.extend(pair.target for pair in pairs)
        return tensors(tokens, pairs, rows)

    monkeypatch.setattr(learning, "tensors", spied)
    with one_thread():
        student = T5(**{**FROM_SCRATCH, **settings})
        student.fit(Mixture.named("gold", examples, []), [], NER(types=types), Silent())
    return set(seen)


def named(types: list[str], text: str = "Ada left Rome") -> list[Example]:
    """Texts whose first word is of the first type, and whose last is of the second."""
    spans = (Span(0, 3, types[0]), Span(len(text) - 4, len(text), types[1]))
    return [Example(id=str(number), text=text, target=spans, source="gold") for number in range(4)]


def test_types_go_by_their_names(monkeypatch: pytest.MonkeyPatch) -> None:
    assert lines(monkeypatch, named(["PER", "LOC"]), ["PER", "LOC"]) == {"Ada | PER ; Rome | LOC"}


@pytest.mark.parametrize("types", [["PER", "per"], ["a|b", "c"], ["none", "LOC"]])
def test_types_that_could_not_be_read_back_go_by_numbers(types: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    assert lines(monkeypatch, named(types), types) == {"Ada | 0 ; Rome | 1"}


def test_types_that_the_tokenizer_does_not_know_go_by_numbers(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    tiny = {**FROM_HUB, "model": str(write_tiny("t5", tmp_path / "t5"))}
    assert lines(monkeypatch, named(["PER", "LOC"]), ["PER", "LOC"], **tiny) == {"Ada | 0 ; Rome | 1"}
    assert lines(monkeypatch, named(["sport", "money"]), ["sport", "money"], **tiny) == {"Ada | sport ; Rome | money"}
    with pytest.raises(ModelError, match="cannot write the types"):
        lines(monkeypatch, named(["PER", "LOC"]), ["PER", "LOC", "ORG"], **tiny)


def test_what_is_marked_inside_a_word_is_learned_as_the_word(monkeypatch: pytest.MonkeyPatch) -> None:
    examples = [replace(example, target=(Span(1, 3, "PER"),)) for example in named(["PER", "LOC"])]
    assert lines(monkeypatch, examples, ["PER", "LOC"]) == {"Ada | PER"}
