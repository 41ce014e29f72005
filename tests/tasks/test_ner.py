import json
import time
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from seqeval.metrics import classification_report
from seqeval.scheme import IOB2

from tests.tasks.support import texts_of
from understudy.errors import DataError, ParseError
from understudy.example import Span, target_to_json
from understudy.tasks.ner import NER

TYPES = ["PER", "LOC"]
TASK = NER(types=TYPES)
TEXT = "Ann Lee met Bob in Rome, near Romeo."
ANN, BOB, ROME = Span(0, 7, "PER"), Span(12, 15, "PER"), Span(19, 23, "LOC")

Spans = tuple[Span, ...]


@st.composite
def _spans(draw: st.DrawFn) -> Spans:
    """Spans over a text of 40 characters, none over another."""
    cuts = sorted(draw(st.sets(st.integers(0, 40), max_size=8)))
    return tuple(Span(start, end, draw(st.sampled_from(TYPES))) for start, end in pairwise(cuts) if draw(st.booleans()))


_pairs = st.lists(st.tuples(_spans(), st.none() | _spans()), min_size=1, max_size=8)


def scores(gold: list[Spans], predicted: list[Spans | None]) -> list[float]:
    found = TASK.tally(gold, predicted, texts_of(gold)).scores()
    return [found[name] for name in ("precision", "recall", "f1")]


def reply(*mentions: tuple[str, str]) -> str:
    return json.dumps({"entities": [{"text": text, "type": type_} for text, type_ in mentions]})


def test_mentions_become_spans() -> None:
    assert TASK.parse(reply(("Ann Lee", "PER"), ("Bob", "PER"), ("Rome", "LOC")), TEXT) == (ANN, BOB, ROME)
    assert TASK.parse(reply(), TEXT) == ()


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ("Ann Lee (PER)", "not JSON"),
        ("{}", "no entities"),
        ('{"entities": null}', "the entities are no list"),
        ('{"entities": {"PER": ["Ann Lee"]}}', "the entities are no list"),
        ('{"entities": ["Ann Lee"]}', "an entity is no object"),
        ('{"entities": [{"text": "Bob"}]}', "no type in an entity"),
        ('{"entities": [{"text": "Bob", "label": "PER"}]}', "no type in an entity"),
        ('{"entities": [{"text": "Bob", "type": "PER", "start": 12}]}', "unknown key 'start' in an entity"),
        ('{"entities": [{"text": 3, "type": "PER"}]}', "an entity's text or type is no text"),
        ('{"entities": [{"text": "Bob", "type": ["PER"]}]}', "an entity's text or type is no text"),
        (reply(("Bob", "PERS")), "'Bob': unknown type 'PERS'; did you mean 'PER'?"),
        (reply(("Lee Ann", "PER")), "'Lee Ann' does not stand in the text; the closest passage is 'Ann Lee'"),
        (reply(("Bob", "PER"), ("Bob", "PER")), "'Bob' is listed more often than it stands in the text"),
        (reply(("Ann Lee", "PER"), ("Lee", "PER")), "'Lee' is listed more often .* or overlaps another"),
    ],
)
def test_a_reply_that_is_not_an_answer_is_refused(answer: str, reason: str) -> None:
    with pytest.raises(ParseError, match=reason):
        TASK.parse(answer, TEXT)


def test_a_span_that_is_rendered_is_the_passage_itself() -> None:
    assert json.loads(TASK.render((ANN, ROME), TEXT)) == {
        "entities": [{"text": "Ann Lee", "type": "PER"}, {"text": "Rome", "type": "LOC"}]
    }


def test_a_cell_is_read_sorted() -> None:
    assert TASK.read([{**ROME._asdict(), "text": "Rome"}, ANN._asdict()], TEXT) == (ANN, ROME)
    assert TASK.read([], TEXT) == ()


@given(_spans())
def test_what_is_written_to_a_file_is_read_back(spans: Spans) -> None:
    assert TASK.read(target_to_json(spans), "x" * 40) == spans


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (None, "no spans"),
        ("Ann Lee", "no spans"),
        ({"start": 0, "end": 7, "type": "PER"}, "no spans"),
        ([None], "not a span"),
        (["Ann Lee"], "not a span"),
        ([[0, 7, "PER"]], "not a span"),
        ([{"start": 0, "end": 7}], "not a span"),
        ([{"start": "0", "end": 7, "type": "PER"}], "expected two whole numbers"),
        ([{"start": 0.0, "end": 7, "type": "PER"}], "expected two whole numbers"),
        ([{"start": False, "end": 7, "type": "PER"}], "expected two whole numbers"),
        ([{"start": 0, "end": 7, "type": None}], "a type as text"),
        ([{"start": 0, "end": 7, "type": "per"}], "unknown type 'per'"),
        ([{"start": 0, "end": 37, "type": "PER"}], "span 0 to 37 is empty or outside a text of 36 characters"),
        ([{"start": -3, "end": 3, "type": "PER"}], "empty or outside"),
        ([{"start": 3, "end": 3, "type": "PER"}], "empty or outside"),
        ([{"start": 7, "end": 3, "type": "PER"}], "empty or outside"),
        ([{"start": 0, "end": 8, "type": "PER"}], r"'Ann Lee ' \(0 to 8\) is edged with spaces"),
        ([ANN._asdict(), {"start": 4, "end": 7, "type": "PER"}], r"'Lee' \(4 to 7\) overlaps 'Ann Lee' \(0 to 7\)"),
        ([ANN._asdict(), ANN._asdict()], "overlaps"),
    ],
)
def test_a_cell_that_holds_no_spans_is_refused(value: Any, reason: str) -> None:
    with pytest.raises(DataError, match=reason):
        TASK.read(value, TEXT)


@pytest.mark.parametrize(
    ("types", "reason"), [([], "0 type"), (["PER", "PER"], "stands twice"), (["PER", ""], "empty")]
)
def test_types_that_cannot_be_marked_are_refused(types: list[str], reason: str) -> None:
    with pytest.raises(DataError, match=reason):
        NER(types=types)


def test_one_type_is_enough() -> None:
    assert NER(types={"PER": "people"}).types == {"PER": "people"}


@pytest.mark.parametrize(
    ("predicted", "expected"),
    [
        ((ANN, BOB, ROME), [1, 1, 1]),
        ((ANN,), [1, 1 / 3, 1 / 2]),
        ((ANN, Span(19, 23, "PER")), [1 / 2, 1 / 3, 2 / 5]),
        ((Span(0, 3, "PER"), BOB, ROME, Span(30, 35, "PER")), [2 / 4, 2 / 3, 4 / 7]),
        ((), [0, 0, 0]),
        (None, [0, 0, 0]),
    ],
)
def test_only_a_span_with_right_bounds_and_type_counts(predicted: Spans | None, expected: list[float]) -> None:
    assert scores([(ANN, BOB, ROME)], [predicted]) == pytest.approx(expected)


def test_scores_are_over_all_texts_together() -> None:
    assert scores([(ANN, BOB, ROME), (), (BOB,)], [(ANN,), (BOB,), (BOB,)]) == pytest.approx([2 / 3, 2 / 4, 4 / 7])
    assert scores([()], [()]) == [0, 0, 0]


@given(_pairs, st.integers(0, 99))
def test_a_resample_scores_as_if_its_texts_were_repeated(pairs: list[tuple[Spans, Spans | None]], seed: int) -> None:
    gold, predicted = [g for g, _ in pairs], [p for _, p in pairs]
    drawn = np.random.default_rng(seed).integers(len(pairs), size=len(pairs))
    tally = TASK.tally(gold, predicted, texts_of(gold))
    resampled = tally.metrics(np.bincount(drawn, minlength=len(pairs)).astype(float) @ tally.items)
    repeated = TASK.tally(
        [gold[i] for i in drawn], [predicted[i] for i in drawn], texts_of([gold[i] for i in drawn])
    ).scores()
    assert {name: float(value) for name, value in resampled.items()} == pytest.approx(repeated)


def tokens_as_spans(tags: list[str]) -> Spans:
    """The entities in the tags of a text whose tokens are two characters long; a stray ``I-`` begins none."""
    spans: list[Span] = []
    for place, tag in enumerate(tags):
        prefix, _, type_ = tag.partition("-")
        if prefix == "B":
            spans.append(Span(2 * place, 2 * place + 1, type_))
        elif prefix == "I" and spans and spans[-1].type == type_ and spans[-1].end == 2 * place - 1:
            spans[-1] = spans[-1]._replace(end=2 * place + 1)
    return tuple(spans)


_tags = st.sampled_from(["O", "B-PER", "I-PER", "B-LOC", "I-LOC"])
_tagged = st.lists(
    st.integers(1, 8).flatmap(lambda size: st.tuples(*[st.lists(_tags, min_size=size, max_size=size)] * 2)),
    min_size=1,
    max_size=6,
)


@given(_tagged)
def test_every_score_is_that_of_seqeval_in_strict_mode(tagged: list[tuple[list[str], list[str]]]) -> None:
    truth, answers = [truth for truth, _ in tagged], [answer for _, answer in tagged]
    gold, predicted = [tokens_as_spans(tags) for tags in truth], [tokens_as_spans(tags) for tags in answers]
    assume(any(gold) or any(predicted))
    peer = classification_report(truth, answers, mode="strict", scheme=IOB2, output_dict=True, zero_division=0)
    found = TASK.tally(gold, predicted, texts_of(gold)).scores()
    micro, macro = peer["micro avg"], peer["macro avg"]
    assert scores(gold, list(predicted)) == pytest.approx([micro["precision"], micro["recall"], micro["f1-score"]])
    assert found["macro_f1"] == pytest.approx(macro["f1-score"])
    for type_, scored in TASK.details(gold, predicted, texts_of(gold))["per_class"].items():
        theirs = peer.get(type_, dict.fromkeys(("precision", "recall", "f1-score", "support"), 0))
        ours = [scored[name] for name in ("precision", "recall", "f1", "support")]
        assert ours == pytest.approx([theirs[name] for name in ("precision", "recall", "f1-score", "support")])


def matches(correct: int, partial: int, type_: int, missed: int, spurious: int) -> dict[str, int]:
    return {"correct": correct, "partial": partial, "type": type_, "missed": missed, "spurious": spurious}


def test_the_details_tell_what_became_of_every_span() -> None:
    gold = [(ANN, BOB, ROME), (Span(0, 5, "LOC"), Span(6, 9, "LOC"))]
    predicted = [(Span(4, 7, "PER"), Span(12, 15, "LOC"), ROME, Span(30, 35, "PER")), (Span(6, 9, "LOC"),)]
    third = pytest.approx(2 / 3)
    assert TASK.details(gold, predicted, texts_of(gold)) == {
        "per_class": {
            "PER": {"precision": 0.0, "recall": 0.0, "f1": 0.0, "support": 2, "matches": matches(0, 1, 1, 0, 1)},
            "LOC": {"precision": third, "recall": third, "f1": third, "support": 3, "matches": matches(2, 0, 0, 1, 0)},
        },
        "matches": matches(2, 1, 1, 1, 1),
    }


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        ((Span(0, 3, "PER"),), matches(0, 1, 0, 0, 0)),
        ((Span(6, 12, "PER"),), matches(0, 1, 0, 0, 0)),
        ((Span(0, 3, "LOC"), Span(4, 7, "PER")), matches(0, 1, 0, 0, 0)),
        ((Span(0, 3, "LOC"),), matches(0, 0, 1, 0, 0)),
        ((Span(0, 7, "LOC"),), matches(0, 0, 1, 0, 0)),
        ((Span(7, 9, "PER"),), matches(0, 0, 0, 1, 1)),
        (None, matches(0, 0, 0, 1, 0)),
    ],
)
def test_an_answer_that_overlaps_a_span_is_partly_right_or_of_the_wrong_type(
    answer: Spans | None, outcome: dict[str, int]
) -> None:
    assert TASK.details([(ANN,)], [answer], texts_of([ANN]))["matches"] == outcome


@given(_pairs)
def test_every_gold_span_is_counted_once(pairs: list[tuple[Spans, Spans | None]]) -> None:
    gold, predicted = [g for g, _ in pairs], [p for _, p in pairs]
    details = TASK.details(gold, predicted, texts_of(gold))
    for scored in details["per_class"].values():
        found = scored["matches"]
        assert sum(found.values()) - found["spurious"] == scored["support"]
        assert found["correct"] == pytest.approx(scored["support"] * scored["recall"])
        assert details["matches"].keys() == found.keys()
    untouched = [
        not any(span.start < other.end and other.start < span.end for other in g) for g, p in pairs for span in p or ()
    ]
    assert details["matches"]["spurious"] == sum(untouched)


def test_a_text_of_very_many_spans_takes_bounded_time() -> None:
    spans = tuple(Span(3 * place, 3 * place + 2, "PER") for place in range(20_000))
    began = time.process_time()
    assert TASK.details([spans], [spans], texts_of([spans]))["matches"] == matches(20_000, 0, 0, 0, 0)
    assert time.process_time() - began < 5


@pytest.mark.parametrize(
    ("answers", "agreed", "agreement"),
    [
        ([(ANN, ROME), (ANN,), (ANN, ROME)], (ANN, ROME), (1 + 2 / 3 + 1) / 3),
        ([(ANN,), (BOB,)], (), 0.0),
        ([(), (), (ANN,)], (), 2 / 3),
        ([(ANN,), (Span(0, 7, "LOC"),), (ANN, BOB)], (ANN,), (1 + 0 + 2 / 3) / 3),
    ],
)
def test_votes_agree_on_the_spans_that_more_than_half_hold(
    answers: list[Spans], agreed: Spans, agreement: float
) -> None:
    found, agree = TASK.consensus(answers)
    assert found == agreed
    assert agree == pytest.approx(agreement)


@given(st.lists(_spans(), min_size=1, max_size=6))
def test_a_consensus_is_an_answer_itself(answers: list[Spans]) -> None:
    agreed, _ = TASK.consensus(answers)
    assert TASK.read(target_to_json(agreed), "x" * 40) == agreed
