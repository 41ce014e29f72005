import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.tasks.grounding import names, novel_bigrams, supported_names

ARTICLE = 'The mayor of St. Paul, Ann Lee-Smith, paid 1,080 euros for "Boeing" shares. Paris said nothing in 2.5 years.'


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        ("Yesterday the mayor Ann Lee met Bob.", ["Ann Lee", "Bob"]),
        ("Ann Lee was there. Bob Jones left.", ["Lee", "Jones"]),
        ("We went to Paris, London and New York City.", ["Paris", "London", "New York City"]),
        ("The Boeing 747 Max cost 1,080.50 euros in 2024.", ["Boeing", "Max", "747", "1,080.50", "2024"]),
        ("12 people died.", ["12"]),
        ("Il a vu Élodie à Zürich.", ["Élodie", "Zürich"]),
        ("Όταν ο Όμηρος ήρθε.", ["Όμηρος"]),
        ("東京で2020年に開催された。", ["2020"]),
        ("nothing has a name here.", []),
        ("", []),
    ],
)
def test_names_are_capitalised_runs_and_numbers_but_no_sentences_first_word(answer: str, found: list[str]) -> None:
    assert list(names(answer)) == found


@pytest.mark.parametrize(
    ("answer", "supported", "named"),
    [
        ("The mayor Ann Lee paid 1080 euros.", 2, 2),
        ("It was ANN LEE who paid.", 1, 1),
        ("It was Lee Ann who paid.", 0, 1),
        ("They bought Boeing's shares in Paul and in Paula.", 2, 3),
        ("After 2.5 years, or 5 or 2 years.", 1, 3),
        ("It said nothing.", 0, 0),
    ],
)
def test_a_name_is_supported_where_its_words_stand_in_the_article(answer: str, supported: int, named: int) -> None:
    assert supported_names(answer, ARTICLE) == (supported, named)


@given(st.text(st.sampled_from("aBé .,1-'’\n京")))
def test_every_name_of_a_text_stands_in_that_text(text: str) -> None:
    supported, named = supported_names(text, text)
    assert supported == named == len(list(names(text)))


@given(st.text(), st.text())
def test_no_text_is_too_odd_to_be_looked_at(answer: str, source: str) -> None:
    supported, named = supported_names(answer, source)
    assert 0 <= supported <= named


def test_novel_bigrams_are_those_that_the_source_does_not_have() -> None:
    assert novel_bigrams(["a", "b", "c", "a", "b"], ["x", "a", "b", "x", "c", "a"]) == (1, 4)
    assert novel_bigrams(["a"], ["b"]) == (0, 0)


def test_long_texts_take_bounded_time() -> None:
    began = time.process_time()
    assert supported_names("The " + "Name 1,0" * 5_000, "a Name 1,0 " * 20_000)[0] > 0
    assert time.process_time() - began < 5
