"""From scored sentences to an extract."""

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.students import small
from understudy.errors import ModelError
from understudy.students.extracts.documents import spoken
from understudy.students.extracts.selection import MOST, Selector, joint_of, judged_by
from understudy.tasks.summarization import Summarization
from understudy.tasks.text2text import TextToText
from understudy.training.mixtures import Mixture

DOCUMENT = ["It rained all day.", "Ada won the cup.", "Then Ada won the cup again.", "Bert came second.", "All left."]
SCORES = [0.0, 3.0, 2.0, 1.0, -1.0]
AS_WRITTEN: dict[str, Any] = {"sentences": 2, "words": 1_000, "joint": " ", "slope": 1.0, "bias": 0.0}


def selector(**changed: object) -> Selector:
    return Selector.from_json(AS_WRITTEN | changed)


def test_the_best_are_taken_in_the_documents_order() -> None:
    scores = [2.0, 0.0, 0.0, 0.0, 3.0]
    assert selector().take(DOCUMENT, scores)[0] == "It rained all day. All left."
    assert selector(joint="\n").take(DOCUMENT, scores)[0] == "It rained all day.\nAll left."


def test_what_repeats_three_words_is_passed_over() -> None:
    assert selector().take(DOCUMENT, SCORES)[0] == "Ada won the cup. Bert came second."


def test_equal_scores_go_by_place() -> None:
    assert selector().take(DOCUMENT, [0.0] * 5)[0] == "It rained all day. Ada won the cup."


@pytest.mark.parametrize(("words", "count"), [(1, 1), (5, 1), (7, 2), (12, 3)])
def test_the_length_comes_as_close_as_whole_sentences_can(words: int, count: int) -> None:
    taken = selector(sentences=9, words=words).take(["a b c d.", "e f g.", "h i j."], [3, 2, 1])[0]
    assert taken.count(".") == count


def test_the_first_sentence_is_taken_however_long_it_is() -> None:
    assert selector(words=1).take(["a b c d e f"], [0.0])[0] == "a b c d e f"


def test_confidence_is_the_mean_probability_of_what_is_taken() -> None:
    _, confidence = selector(slope=2.0, bias=-1.0).take(DOCUMENT, SCORES)
    assert confidence == pytest.approx(np.mean([1 / (1 + np.exp(1 - 2 * score)) for score in (3.0, 1.0)]))


def test_a_document_without_a_sentence_has_an_empty_extract() -> None:
    assert selector().take([], []) == ("", 1.0)


@given(st.lists(st.tuples(st.text(alphabet="ab ", min_size=1), st.floats(-1e6, 1e6)), max_size=8), st.integers(1, 40))
def test_an_extract_holds_only_sentences_of_the_document(pairs: list[tuple[str, float]], words: int) -> None:
    sentences, scores = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    text, confidence = selector(joint="\n", words=words, sentences=MOST).take(sentences, scores)
    assert (text != "") == bool(sentences)
    assert set(text.split("\n")) <= {*sentences, ""}
    assert confidence is not None
    assert 0 <= confidence <= 1


def test_the_learned_length_is_the_one_that_scores_highest() -> None:
    """Where the summaries are the two best sentences, two are taken."""
    documents = [[f"Thing {n} fell.", f"Ada {n} won.", f"Nothing {n} new here.", f"Bert {n} lost."] for n in range(9)]
    scores = [[0.0, 3.0, -1.0, 2.0]] * 9
    learned = Selector.learn(documents, scores, [f"{d[1]} {d[3]}" for d in documents], Summarization())
    assert [learned.take(*pair)[0] for pair in zip(documents, scores, strict=True)] == [
        f"{d[1]} {d[3]}" for d in documents
    ]
    longer = Selector.learn(documents, scores, [" ".join(d) for d in documents], Summarization())
    assert longer.take(documents[0], scores[0])[0] == " ".join(documents[0])


def test_confidence_is_learned_from_what_the_oracle_takes() -> None:
    rng = np.random.default_rng(0)
    documents = [[f"right {n}", f"wrong {n}"] for n in range(200)]
    scores = [list(rng.normal([1, -1], 1.0)) for _ in documents]
    learned = Selector.learn(documents, scores, [d[0] for d in documents], Summarization())
    assert learned.slope == pytest.approx(2.0, abs=0.5)  # what Gaussians two spreads apart ask for
    assert learned.bias == pytest.approx(0.0, abs=0.3)
    backwards = Selector.learn(documents, [[-a, -b] for a, b in scores], [d[0] for d in documents], Summarization())
    assert backwards.slope == 0.0


def test_where_sentences_of_the_text_are_no_answer_there_is_no_confidence() -> None:
    task = TextToText(instruction="Write the date as ISO 8601.")
    for documents in ([], [["On 3 May 2021."]] * 9):
        learned = Selector.learn(documents, [[1.0]] * len(documents), ["2021-05-03"] * len(documents), task)
        assert learned.take(["On 4 May."], [1.0]) == ("On 4 May.", None)
        assert learned.take([], []) == ("", None)
        assert Selector.from_json(json.loads(json.dumps(learned.to_json()))) == learned


def test_it_learns_from_nothing_and_from_documents_without_sentences() -> None:
    assert Selector.learn([], [], [], Summarization()).take(DOCUMENT, SCORES)[0].count(".") == 3
    assert Selector.learn([[]], [[]], ["a"], Summarization()).take(DOCUMENT, SCORES)[0]


def test_summaries_with_line_breaks_are_answered_with_line_breaks() -> None:
    assert joint_of(["One.\nTwo.", "Three.\nFour.", "Five. Six."]) == "\n"
    assert joint_of(["One.\nTwo.", "Three. Four.", "Five. Six.", "Seven", "\nEight\n"]) == " "
    assert joint_of([]) == " "


def test_lengths_are_judged_by_validation_and_then_by_gold() -> None:
    gold, distilled, validation = (
        small.summarized(*each) for each in (("gold", 3), ("annotated", 500), ("gold", 9, 60))
    )
    judged = judged_by(Mixture.named("union", gold, distilled), validation)
    assert judged[:12] == [*validation, *reversed(gold)]
    assert len(judged) == 200
    assert judged_by(Mixture.named("gold", gold, []), validation * 30) == validation * 30


def test_what_is_written_is_read_back() -> None:
    first = selector(joint="\n", slope=0.25)
    assert Selector.from_json(json.loads(json.dumps(first.to_json()))) == first
    assert first.to_json() == AS_WRITTEN | {"joint": "\n", "slope": 0.25}


@pytest.mark.parametrize(
    "harm",
    [
        {"sentences": 0},
        {"sentences": 1.5},
        {"sentences": "2"},
        {"sentences": True},
        {"words": -1},
        {"words": None},
        {"joint": "; rm"},
        {"slope": float("nan")},
        {"bias": float("inf")},
        {"more": 1},
    ],
)
def test_anything_else_is_a_model_error(harm: dict[str, Any]) -> None:
    with pytest.raises(ModelError, match="no rule for taking sentences"):
        Selector.from_json(AS_WRITTEN | harm)


@pytest.mark.parametrize("value", [None, [], {}, "text", 3])
def test_a_value_that_is_no_rule_is_a_model_error(value: object) -> None:
    with pytest.raises(ModelError):
        Selector.from_json(value)


def test_long_repetitive_documents_are_done_with_quickly() -> None:
    sentences = ["goal " * 100] * 500
    assert len(spoken(selector(sentences=6).take(sentences, [0.0] * 500)[0])) == 100
