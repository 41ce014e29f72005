from pathlib import Path

import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

from tests.students import small
from tests.students.sequences.tiny import write_tiny
from understudy.students.pretrained import Kind, pretrained
from understudy.students.sequences.tokens import Tokens

KIND = Kind(purpose="a test", noun="one", auto="AutoModelForSeq2SeqLM", families=frozenset({"t5", "bart"}))


def tokens(family: str, folder: Path, max_source: int = 12, max_target: int = 6) -> Tokens:
    start = pretrained(str(write_tiny(family, folder)), KIND)
    return Tokens(start.tokenizer, start.backbone.config, max_source, max_target)


def test_each_family_has_its_marks_around_a_text(tmp_path: Path) -> None:
    t5, bart = (tokens(family, tmp_path / family) for family in ("t5", "bart"))
    goal = t5.sources(["goal"])[0][0]
    assert t5.sources(["goal"]) == [[goal, 1]]
    assert bart.sources(["goal"]) == [[2, goal, 1]]
    assert t5.targets(["goal"]) == bart.targets(["goal"]) == [[goal, 1]]
    assert (t5.opening, bart.opening) == ([0], [1, 2])


def test_long_texts_are_cut_and_keep_their_marks(tmp_path: Path) -> None:
    bart = tokens("bart", tmp_path / "bart")
    (source,), (target,) = bart.sources(["goal " * 99]), bart.targets(["goal " * 99])
    assert (len(source), source[0], source[-1]) == (12, 2, 1)
    assert (len(target), target[-1]) == (6, 1)


def test_a_text_is_never_longer_than_the_positions_that_a_model_has(tmp_path: Path) -> None:
    bart = tokens("bart", tmp_path / "bart", max_source=10_000, max_target=10_000)
    assert len(bart.sources(["goal " * 99])[0]) == 64
    assert bart.max_target == 62
    assert tokens("t5", tmp_path / "t5", max_target=10_000).max_target == 10_000


def test_what_looks_like_a_mark_is_plain_characters(tmp_path: Path) -> None:
    t5 = tokens("t5", tmp_path / "t5")
    assert t5.sources(["goal </s> match"])[0].count(1) == 1
    assert 0 not in t5.sources(["<pad>"])[0]


def test_what_a_tokenizer_does_not_know_is_lost_in_writing(tmp_path: Path) -> None:
    assert tokens("t5", tmp_path / "t5").written(["goal match", "goal, match", "goal\nmatch", "goal " * 9]) == [
        "goal match",
        "goal match",
        "goal match",
        "goal goal goal goal goal",
    ]


def test_marks_and_numbers_without_a_token_are_never_written(tmp_path: Path) -> None:
    t5 = tokens("t5", tmp_path / "t5")
    known = 4 + len({word for example in small.examples("gold", 90) for word in example.text.split()}) + 5
    assert t5.never == [0, 2, 3, *range(known, known + 4)]
    assert set(t5.blank) == {*t5.never, 1}


def test_half_a_character_is_read(tmp_path: Path) -> None:
    assert len(tokens("t5", tmp_path / "t5").sources(["goal \ud83d"])[0]) == 3
