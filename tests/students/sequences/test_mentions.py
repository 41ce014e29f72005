import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.example import Span
from understudy.segments import words
from understudy.students.sequences.mentions import are_readable, found, render

NAMES = {"PER": "PER", "LOC": "LOC"}
TEXT = "Ada Smith left Rome. Later Ada came to U.S. soil; Rome was glad."


def spans_of(text: str, *mentions: tuple[str, int]) -> list[Span]:
    """People by their words, each with how many times these stand in the text before."""
    spans = []
    for mention, before in mentions:
        start = -1
        for _ in range(before + 1):
            start = text.index(mention, start + 1)
        spans.append(Span(start, start + len(mention), "PER"))
    return spans


def test_entities_are_written_in_their_order_and_nothing_has_a_word_of_its_own() -> None:
    spans = [Span(0, 9, "PER"), Span(15, 19, "LOC")]
    assert render(spans, TEXT, NAMES) == "Ada Smith | PER ; Rome | LOC"
    assert render(spans, TEXT, {"PER": "0", "LOC": "1"}) == "Ada Smith | 0 ; Rome | 1"
    assert render([], TEXT, NAMES) == "none"
    assert found("none", TEXT, NAMES) == []


def test_what_was_written_is_read_back() -> None:
    spans = [Span(0, 9, "PER"), Span(27, 30, "PER"), Span(39, 43, "LOC"), Span(50, 54, "LOC")]
    assert found("Ada Smith | PER ; Ada | PER ; U.S. | LOC ; Rome | LOC", TEXT, NAMES) == spans
    assert found("Ada Smith | 1 ; Rome | 0", TEXT, {"LOC": "0", "PER": "1"}) == [Span(0, 9, "PER"), Span(15, 19, "LOC")]


def test_case_spacing_and_accents_are_forgiven() -> None:
    assert found("ada smith|per;u . s .|loc", TEXT, NAMES) == [Span(0, 9, "PER"), Span(39, 43, "LOC")]
    assert found("zoe | per ; sao paulo | loc", "Zoë saw São Paulo", NAMES) == [Span(0, 3, "PER"), Span(8, 17, "LOC")]
    assert found("x _ y | per", "an x_y", NAMES) == [Span(3, 6, "PER")]


@pytest.mark.parametrize(
    "line",
    ["", ";", "|", "| PER", "Ada", "Ada | XYZ", "Paris | LOC", "Ad | PER", "Rome | LOC | ", "; ; |", "none | PER"],
)
def test_what_is_not_in_the_text_or_not_on_the_list_is_dropped(line: str) -> None:
    assert found(line, TEXT, NAMES) == []


def test_a_mention_is_looked_for_behind_the_one_before_it() -> None:
    assert found("Rome | LOC ; Ada | PER ; Rome | LOC ; Rome | LOC", TEXT, NAMES) == [
        Span(15, 19, "LOC"),
        Span(27, 30, "PER"),
        Span(50, 54, "LOC"),
    ]


@pytest.mark.parametrize(
    ("text", "mention", "line"),
    [
        ("In May, May met us.", ("May", 1), "May | none ; May | PER"),
        ("You may see May.", ("May", 0), "May | none ; May | PER"),
        ("ha ha ha", ("ha ha", 1), "ha ha | none ; ha ha | PER"),
        ("May met May.", ("May", 0), "May | PER"),
    ],
)
def test_the_right_one_of_several_places_is_found(text: str, mention: tuple[str, int], line: str) -> None:
    spans = spans_of(text, mention)
    assert render(spans, text, NAMES) == line
    assert found(line, text, NAMES) == spans


@pytest.mark.parametrize("mention", ["AT&T; Co", "A|B", "x ; y | z", ";", "|"])
def test_marks_of_the_line_may_stand_in_a_mention(mention: str) -> None:
    text = f"It was {mention} again."
    spans = spans_of(text, (mention, 0))
    assert found(render(spans, text, NAMES), text, NAMES) == spans


def test_types_go_by_names_that_can_be_told_apart() -> None:
    for names in (["PER", "LOC"], ["0", "1"], ["geo-political", "a thing"]):
        assert are_readable(names, names)
    for names in (["PER", "per"], ["A|B", "C"], ["PER; LOC", "LOC"], ["none", "PER"], ["e\u0301", "e"]):
        assert not are_readable(names, names)


def test_types_go_by_names_that_a_tokenizer_can_write() -> None:
    assert are_readable(["geo-political", "Événement"], ["geo - political", "evenement"])
    assert not are_readable(["geo-political", "thing"], ["geo", "thing"])


@given(line=st.text(alphabet="Ada Rome|;PERLOCnone\u00e9\U0001f642", max_size=60), text=st.text(max_size=60))
def test_whatever_is_written_the_spans_are_valid(line: str, text: str) -> None:
    spans = found(line, text, NAMES)
    assert all(0 <= span.start < span.end <= len(text) and span.type in NAMES for span in spans)
    assert all(before.end <= after.start for before, after in itertools.pairwise(spans))


@given(text=st.text(alphabet="abA CD;|.\u00df\u00e9\u6f22\u0301", max_size=40), data=st.data())
def test_spans_of_whole_words_survive_the_way_there_and_back(text: str, data: st.DataObject) -> None:
    bounds = words(text)
    edges = sorted(data.draw(st.sets(st.sampled_from(range(len(bounds) + 1))))) if bounds else []
    spans = [
        Span(bounds[first][0], bounds[last - 1][1], data.draw(st.sampled_from(["PER", "LOC"])))
        for first, last in zip(edges[::2], edges[1::2], strict=False)
    ]
    assert found(render(spans, text, NAMES), text, NAMES) == spans
