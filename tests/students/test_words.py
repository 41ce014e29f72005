import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.errors import ModelError
from understudy.students.words import PADDING, UNKNOWN, Vocabulary, split


def test_words_and_punctuation_in_lower_case() -> None:
    text = "The Öresund Home-Index rose 1.9%!"
    assert split(text) == ["the", "öresund", "home", "-", "index", "rose", "1", ".", "9", "%", "!"]
    assert split("one two three", longest=2) == ["one", "two"]


def test_the_most_frequent_words_are_known_and_ties_go_by_the_alphabet() -> None:
    vocabulary = Vocabulary.of(["b a c", "c b", "d"], size=3)
    assert vocabulary.words == ["b", "c", "a"]
    assert vocabulary.encode("A d B", longest=9) == [4, UNKNOWN, 2]
    assert len(vocabulary) == 5


@given(st.lists(st.text(), min_size=1), st.integers(0, 20))
def test_every_number_has_a_vector(texts: list[str], size: int) -> None:
    vocabulary = Vocabulary.of(texts[1:], size)
    numbers = [number for text in texts for number in vocabulary.encode(text, longest=50)]
    assert all(PADDING < number < len(vocabulary) for number in numbers)
    assert Vocabulary.from_json(vocabulary.words).words == vocabulary.words


@pytest.mark.parametrize("value", [None, {"a": 2}, ["a", 2], ["a", "a"]])
def test_what_is_not_a_list_of_words_is_refused(value: object) -> None:
    with pytest.raises(ModelError):
        Vocabulary.from_json(value)
