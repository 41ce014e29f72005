import pytest
import sacrebleu

from understudy.errors import DataError, ParseError
from understudy.tasks.text2text import TextToText

TASK = TextToText(instruction="Translate the text into English.", key="translation")


def test_both_scores_are_sacrebleus() -> None:
    gold = ["The cat sat on the mat.", "It rained all day, again."]
    answers = ["The cat is on the mat.", "It rained the whole day again."]
    scores = TASK.tally(gold, answers).scores()
    assert 100 * scores["bleu"] == pytest.approx(sacrebleu.corpus_bleu(answers, [gold]).score)
    assert 100 * scores["chrf"] == pytest.approx(sacrebleu.corpus_chrf(answers, [gold]).score)


def test_a_text_without_an_answer_counts_as_an_empty_one() -> None:
    gold = ["The cat sat on the mat.", "It rained all day, again."]
    assert TASK.tally(gold, [gold[0], None]).scores() == TASK.tally(gold, [gold[0], ""]).scores()


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
