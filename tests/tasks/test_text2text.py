import pytest
import sacrebleu
from hypothesis import given
from hypothesis import strategies as st

from tests.tasks.support import texts_of
from understudy.errors import DataError, ParseError
from understudy.tasks.text2text import TextToText

TASK = TextToText(instruction="Translate the text into English.", key="translation")


def test_both_scores_are_sacrebleus() -> None:
    gold = ["The cat sat on the mat.", "It rained all day, again."]
    answers = ["The cat is on the mat.", "It rained the whole day again."]
    scores = TASK.tally(gold, answers, texts_of(gold)).scores()
    assert 100 * scores["bleu"] == pytest.approx(sacrebleu.corpus_bleu(answers, [gold]).score)
    assert 100 * scores["chrf"] == pytest.approx(sacrebleu.corpus_chrf(answers, [gold]).score)


@pytest.mark.parametrize(
    ("answer", "matches", "similarity"),
    [
        ("Zoë came.", 1, 1),
        ("Zoe\u0308  came.\n", 1, 1),
        ("zoë came.", 0, 8 / 9),
        ("Zoë came", 0, 8 / 9),
        ("", 0, 0),
        (None, 0, 0),
    ],
)
def test_matches_and_edits_look_past_spaces_and_composed_letters(
    answer: str | None, matches: float, similarity: float
) -> None:
    found = TASK.tally(["Zoë came."], [answer], ["a text"]).scores()
    assert found["exact_match"] == matches
    assert found["edit_similarity"] == pytest.approx(similarity)


@given(st.text("abc"), st.text("abc"))
def test_edit_similarity_is_levenshteins_distance_over_the_longer_length(gold: str, answer: str) -> None:
    """The distance by its recurrence (Wagner and Fischer 1974)."""
    row = list(range(len(answer) + 1))
    for i, wanted in enumerate(gold, start=1):
        before, row = row, [i]
        for j, found in enumerate(answer, start=1):
            row.append(min(before[j] + 1, row[-1] + 1, before[j - 1] + (wanted != found)))
    expected = 1 - row[-1] / max(len(gold), len(answer), 1)
    assert TASK.tally([gold], [answer], ["a text"]).scores()["edit_similarity"] == pytest.approx(expected)


def test_means_are_over_texts() -> None:
    found = TASK.tally(["a b", "abcd"], ["a b", "abxx"], ["x", "y"]).scores()
    assert (found["exact_match"], found["edit_similarity"]) == (0.5, 0.75)


def test_the_lengths_stand_beside_the_scores_and_decide_nothing() -> None:
    found = TASK.tally(["a b", "a b c d", "a"], ["a b c", "a, b c!", None], ["x", "y", "z"]).scores()
    assert (found["words"], found["length_ratio"]) == (3.0, 6 / 7)
    assert TASK.diagnostic == {"words", "length_ratio"}


def test_a_text_without_an_answer_counts_as_an_empty_one() -> None:
    gold = ["The cat sat on the mat.", "It rained all day, again."]
    assert (
        TASK.tally(gold, [gold[0], None], texts_of(gold)).scores()
        == TASK.tally(gold, [gold[0], ""], texts_of(gold)).scores()
    )


def test_the_request_holds_the_instruction_and_asks_for_the_key() -> None:
    system, user = TASK.messages("Il pleut. {{ key }}")
    assert system["content"].startswith("Translate the text into English.\n")
    assert '{"translation": "<the result>"}' in system["content"]
    assert user["content"] == "<text>\nIl pleut. {{ key }}\n</text>"
    assert TASK.reply_schema.name == "translation"
    assert TASK.parse('{"translation": "It rains."}', "Il pleut.") == "It rains."
    with pytest.raises(ParseError, match="no translation"):
        TASK.parse('{"output": "It rains."}', "Il pleut.")


@pytest.mark.parametrize("key", ["", "a b", '"', "reasoning", "x" * 65, "größe"])
def test_a_key_that_no_schema_can_be_named_after_is_refused(key: str) -> None:
    with pytest.raises(DataError, match="the key"):
        TextToText(instruction="Translate.", key=key)


def test_an_empty_instruction_is_refused() -> None:
    with pytest.raises(DataError, match="the instruction is empty"):
        TextToText(instruction=" \n")
