import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.data.clean.support import reasons, rows
from tests.newswire import NEWSWIRE
from tests.newswire import rows as newswire_rows
from understudy.data.clean.degenerate import reject_degenerate

ARTICLE = str(newswire_rows(NEWSWIRE / "gold.jsonl")[0]["text"])


@pytest.mark.parametrize(
    "text",
    [
        "aaaaaaaa",
        "no no no no no no",
        "The cat sat. " * 5,
        "哈哈哈哈哈哈",
        f"{ARTICLE}\n" * 3,
        "line\nline\nline\nline\n",
    ],
)
def test_a_text_that_says_the_same_again_and_again_is_rejected(text: str) -> None:
    assert reasons(reject_degenerate(rows([text]))) == ["repeats itself"]


@pytest.mark.parametrize(
    "text", ["", " \n\t", "12.5 % 3,400 17:30", "*** --- ***", "\x00\x01\x02", "1. a 2. 3. 4. 5. 6."]
)
def test_a_text_with_hardly_a_letter_is_rejected(text: str) -> None:
    assert reasons(reject_degenerate(rows([text]))) == ["hardly a letter"]


@pytest.mark.parametrize(
    "text",
    [
        "ok",
        "A",
        "yes yes",
        "Is it 20:15 or 20:45?",
        "मुझे अपना खाता बंद करना है।",
        "東京で新しい駅が開業した。",
        "ฉันต้องการปิดบัญชีของฉัน",
    ],
)
def test_short_texts_and_other_scripts_are_texts(text: str) -> None:
    assert reasons(reject_degenerate(rows([text], "generated"))) == [None]


@pytest.mark.parametrize(
    "text",
    [
        "As an AI language model, I do not have opinions.",
        "I’m sorry, but I can't assist with that request.",
        "I cannot help with that.",
        "Sure! Here is a ticket about a lost card:\n\nI lost my card.",
        "Certainly, here's an example.",
        "“Here's the ticket:\n\nI lost my card.”",
        "Here is the article that you asked for:\nThe mayor spoke.",
    ],
)
def test_a_generated_text_that_talks_about_itself_is_rejected_and_anyone_elses_is_not(text: str) -> None:
    assert reasons(reject_degenerate(rows([text], "generated"))) == ["not a text but about it"]
    assert reasons(reject_degenerate(rows([text], "annotated"))) == [None]


@pytest.mark.parametrize(
    "text",
    [
        "I'm sorry, but I can't log in to my account.",
        "Sure enough, the bridge is closed again.",
        "Here is where the river turns: south of the mill.",
        "As an airline pilot, I see this every day.",
        "As an AI researcher, I read the new rules with care.",
        "Sure, I can come on Tuesday.",
        "Unfortunately, I cannot find my card.",
    ],
)
def test_a_generated_text_that_only_begins_alike_stays(text: str) -> None:
    assert reasons(reject_degenerate(rows([text], "generated"))) == [None]


def test_a_generated_text_that_breaks_off_in_the_middle_of_a_sentence_is_rejected() -> None:
    start, _, end = ARTICLE.rpartition(". ")
    torso = f"{start}. {' '.join(end.split()[:5])} and the"
    assert reasons(reject_degenerate(rows([torso], "generated"))) == ["cut off"]
    assert reasons(reject_degenerate(rows([torso], "annotated"))) == [None]


@pytest.mark.parametrize(
    "end", ["", " Kind regards, Anna Smith", " (reported by our staff)", " “All is well.”", " thanks"]
)
def test_a_generated_text_may_end_in_a_greeting_a_quotation_or_a_bracket(end: str) -> None:
    assert reasons(reject_degenerate(rows([ARTICLE + end], "generated"))) == [None]


def test_nothing_of_the_newswire_is_rejected_even_if_it_were_generated() -> None:
    texts = [str(row["text"]) for name in ("gold", "pool", "test") for row in newswire_rows(NEWSWIRE / f"{name}.jsonl")]
    assert set(reasons(reject_degenerate(rows(texts, "generated")))) == {None}


@given(st.text())
def test_any_text_at_all_is_judged(text: str) -> None:
    [found] = reject_degenerate(rows([text], "generated"))
    assert found.text == text
