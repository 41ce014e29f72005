from pathlib import Path

import pytest

from tests.data.entities.support import written
from understudy.data.entities.oddities import Oddities
from understudy.example import Span


@pytest.mark.parametrize(
    ("text", "start", "end", "odd"),
    [
        ("Ann Lee", 4, 7, False),
        ("Ann Lee", 5, 7, True),
        ("Ann Lee left", 4, 6, True),
        ("Ann Lee", 0, 2, True),
        ("Jean-Luc's", 0, 8, False),
        ("20km", 0, 2, True),
        ("Zoe\u0308 ran", 0, 3, True),
        ("東京都に住む", 0, 2, False),
        ("서울에서", 0, 2, False),
        ("กรุงเทพฯ", 0, 4, False),
    ],
)
def test_an_entity_that_begins_or_ends_inside_a_word_is_odd(text: str, start: int, end: int, odd: bool) -> None:
    file = Oddities(Path("a.jsonl"), "jsonl")
    file.look_at(text, [Span(start, end, "PER")])
    assert len(list(file.told())) == odd


def test_odd_entities_are_counted_and_the_first_is_shown_with_what_is_around_it() -> None:
    file = Oddities(Path("a.jsonl"), "jsonl")
    for text in ("x" * 50 + " Ann " + "y" * 50, "Bob"):
        file.look_at(text, [Span(1, 2, "PER")])
    [line] = file.told()
    assert line.startswith(f"a.jsonl: 2 entities begin or end inside a word, such as 'x' in '{'x' * 17}'; see")


def test_nothing_is_odd_in_columns_that_are_even(tmp_path: Path) -> None:
    path = written(tmp_path / "a.conll", "Ann B-PER\nran O\n")
    assert list(Oddities(path, "conll").told()) == []
    assert len(list(Oddities(written(path, "New York B-LOC\nx O\ny O\n"), "conll").told())) == 1
