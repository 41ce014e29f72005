from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.data.entities.support import marked
from understudy.data.entities.marked import MarkedText
from understudy.data.entities.tags import BARE, Scheme, Survey, spans_of, tagged
from understudy.errors import DataError
from understudy.example import Span

SCHEMES: tuple[Scheme, ...] = ("bio2", "iob1", "bioes")


def found(tags: str, bare: bool = False) -> list[tuple[int, int, str]]:
    """The entities as the numbers of their first and last tokens."""
    listed = tags.split()
    spans = spans_of(["x"] * len(listed), listed, bare)
    return [(span.start // 2, (span.end - 1) // 2, span.type) for span in spans]


def scheme(*sentences: str) -> str:
    survey = Survey()
    for number, sentence in enumerate(sentences):
        survey.add(sentence.split(), 10 * number + 1)
    return survey.scheme()


@pytest.mark.parametrize(
    ("tags", "entities"),
    [
        ("O O", []),
        ("B-A I-A O B-A", [(0, 1, "A"), (3, 3, "A")]),
        ("B-A B-A I-A", [(0, 0, "A"), (1, 2, "A")]),
        ("I-A I-A B-A I-B", [(0, 1, "A"), (2, 2, "A"), (3, 3, "B")]),
        ("S-A B-A I-A E-A S-A", [(0, 0, "A"), (1, 3, "A"), (4, 4, "A")]),
        ("U-A B-A L-A U-A", [(0, 0, "A"), (1, 2, "A"), (3, 3, "A")]),
        ("B-A M-A M-A E-A", [(0, 3, "A")]),
        ("B-creative-work I-creative-work", [(0, 1, "creative-work")]),
        # Illegal in every scheme, and read as conlleval reads it.
        ("O I-A I-B", [(1, 1, "A"), (2, 2, "B")]),
        ("B-A I-B I-A", [(0, 0, "A"), (1, 1, "B"), (2, 2, "A")]),
        ("E-A I-A", [(0, 0, "A"), (1, 1, "A")]),
        ("B-A S-A I-A", [(0, 0, "A"), (1, 1, "A"), (2, 2, "A")]),
    ],
)
def test_tags_are_read_as_conlleval_reads_them(tags: str, entities: list[tuple[int, int, str]]) -> None:
    assert found(tags) == entities


def test_a_bare_tag_is_the_type_itself() -> None:
    assert found("A A O B-side", bare=True) == [(0, 1, "A"), (3, 3, "B-side")]


@pytest.mark.parametrize(
    ("sentences", "name"),
    [
        (["B-A I-A O"], "BIO2"),
        (["B-A", "B-B"], "BIO2"),
        (["I-A I-A O I-B"], "IO"),
        (["O O"], "IO"),
        ([], "IO"),
        (["I-A I-A B-A", "I-A"], "IOB1"),
        (["I-A O", "B-A I-A"], "BIO"),
        (["B-A I-A E-A S-A"], "BIOES"),
        (["S-A", "B-A I-A"], "BIOES"),
        (["B-A L-A O U-A"], "BILOU"),
        (["B-A M-A E-A S-A"], "BMES"),
        (["A O", "location-other A"], BARE),
    ],
)
def test_the_scheme_is_found_out_over_the_whole_file(sentences: list[str], name: str) -> None:
    assert scheme(*sentences) == name


@pytest.mark.parametrize(
    ("sentences", "reason"),
    [
        (["B-A O", "O PER"], "^12: 'PER' is no tag; expected O, and tags such as B-PER"),
        (["O B-", "B-A"], "^2: 'B-' is no tag"),
        (["dog cat"], "^1: 'dog' is no tag"),
        ([f"{number}" for number in range(1_001)], "more than 1,000 tags"),
    ],
)
def test_what_are_no_tags_is_told_with_the_line(sentences: list[str], reason: str) -> None:
    with pytest.raises(DataError, match=reason):
        scheme(*sentences)


def test_a_word_is_cut_where_an_entity_ends_within_it() -> None:
    tokens = list(tagged("anti-EU Swiss-based", (Span(5, 7, "ORG"), Span(8, 13, "LOC")), "bio2"))
    assert tokens == [
        ("anti", "O"),
        ("-", "O"),
        ("EU", "B-ORG"),
        ("Swiss", "B-LOC"),
        ("-", "O"),
        ("based", "O"),
    ]
    assert [token for token, _ in tagged("Iranian", (Span(0, 4, "LOC"),), "bio2")] == ["Iran", "ian"]


def test_tokens_of_columns_are_kept_but_where_an_entity_ends_within_one() -> None:
    text, spans = "U.S. 1996-08-30 anti-EU\n'S", (Span(0, 4, "LOC"), Span(21, 23, "ORG"))
    tokens = list(tagged(text, spans, "bio2", tokenised=True))
    assert tokens == [("U.S.", "B-LOC"), ("1996-08-30", "O"), ("anti-", "O"), ("EU", "B-ORG"), ("'S", "O")]


def test_each_scheme_writes_its_own_letters() -> None:
    spans = (Span(0, 3, "A"), Span(4, 5, "A"), Span(6, 7, "B"))
    letters = {scheme: " ".join(tag for _, tag in tagged("x y z w", spans, scheme)) for scheme in SCHEMES}
    assert letters == {
        "bio2": "B-A I-A B-A B-B",
        "iob1": "I-A I-A B-A I-B",
        "bioes": "B-A E-A S-A S-B",
    }


@given(marked(), st.sampled_from(SCHEMES))
def test_what_is_written_as_tags_is_read_back(text: MarkedText, scheme: Scheme) -> None:
    tokens, tags = zip(*tagged(text.text, text.spans, scheme), strict=True)
    back = spans_of(tokens, tags, bare=False)
    joined = " ".join(tokens)
    assert [(without_space(joined[start:end]), type_) for start, end, type_ in back] == [
        (without_space(text.text[start:end]), type_) for start, end, type_ in text.spans
    ]
    assert without_space(joined) == without_space(text.text)


@given(st.lists(st.sampled_from(["O", "B-A", "I-A", "E-B", "S-A", "L-B", "U-A", "M-B", "I-B"])))
def test_any_tags_give_entities_in_order_none_over_another(tags: list[str]) -> None:
    spans = spans_of(["xy"] * len(tags), tags, bare=False)
    assert all(before.end < after.start for before, after in pairwise(spans))
    assert sum(len(range(span.start, span.end, 3)) for span in spans) == sum(tag != "O" for tag in tags)


def without_space(text: str) -> str:
    return "".join(text.split())
