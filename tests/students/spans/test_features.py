"""What is seen of a word: the values of every kind of feature."""

from hypothesis import given
from hypothesis import strategies as st

from understudy.segments import words
from understudy.students.spans.features import KINDS, columns


def seen(*passages: str) -> dict[str, list[str]]:
    return dict(columns(passages))


def test_a_word_is_seen_as_it_stands_in_lower_case_and_as_a_shape() -> None:
    found = seen("McKay paid £120 to UNESCO")
    assert found["word+0"] == ["McKay", "paid", "£", "120", "to", "UNESCO"]
    assert found["lower+0"] == ["mckay", "paid", "£", "000", "to", "unesco"]
    assert found["shape+0"] == ["XxXx+", "x+", "£", "d+", "x+", "X+"]


def test_prefixes_and_suffixes_are_as_long_as_the_word_allows() -> None:
    found = seen("Ada slept")
    assert [found[f"prefix{length}"] for length in range(1, 5)] == [
        *(["A", "s"], ["Ad", "sl"], ["Ada", "sle"], ["Ada", "slep"])
    ]
    assert found["suffix4"] == ["Ada", "lept"]
    assert found["ending+1"] == ["ept", ""]


def test_neighbours_are_seen_up_to_the_edge_of_the_passage_and_never_beyond() -> None:
    found = seen("Ada met Bo", "Oslo slept")
    assert found["lower-1"] == ["", "ada", "met", "", "oslo"]
    assert found["lower+2"] == ["bo", "", "", "", ""]
    assert found["lower-1+0"] == [" ada", "ada met", "met bo", " oslo", "oslo slept"]
    assert found["shape-1+0+1"][1] == "Xx+ x+ Xx"


def test_the_place_of_a_word_and_the_space_around_it_are_seen() -> None:
    found = seen("One two three four-five", "Alone", "A b", "A b c")
    places = ["first", "second", "middle", "middle", "middle", "last"]
    assert found["place"] == [*places, "first", "first", "second", "first", "second", "last"]
    assert found["gaps"][:6] == ["__", "__", "__", "_.", "..", "._"]


def test_headlines_and_titles_are_told_from_sentences() -> None:
    found = seen("OSLO WINS 2-1", "The Mayor of Oslo", "Ada met a man", "1996 - 08", "北京")
    first = [found["case"][place] for place in (0, 5, 9, 13, 16)]
    assert first == ["upper", "title", "plain", "plain", "plain"]
    assert found["shape and case"][0] == "X+ upper"


def test_a_word_without_end_is_cut() -> None:
    found = seen("x" * 100_000)
    assert len(found["word+0"][0]) == 64
    assert found["shape+0"] == ["x+"]


@given(st.lists(st.text(max_size=40), max_size=4))
def test_every_kind_has_a_value_for_every_word(passages: list[str]) -> None:
    found = list(columns(passages))
    assert tuple(kind for kind, _ in found) == KINDS
    assert len(set(KINDS)) == len(KINDS)
    assert {len(column) for _, column in found} == {sum(len(words(passage)) for passage in passages)}


@given(st.text(max_size=40), st.text(max_size=40))
def test_what_is_seen_of_a_passage_does_not_depend_on_others(passage: str, other: str) -> None:
    count = len(words(passage))
    for (_, alone), (_, behind) in zip(columns([passage]), columns([other, passage]), strict=True):
        assert behind[len(behind) - count :] == alone
