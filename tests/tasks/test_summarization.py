import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rouge_score.rouge_scorer import RougeScorer

from tests.newswire import NEWSWIRE, rows
from tests.tasks.support import texts_of
from understudy.tasks.summarization import Summarization

TASK = Summarization()
ROUGE = {"rouge1": "rouge1", "rouge2": "rouge2", "rouge_l": "rougeL", "rouge_lsum": "rougeLsum"}
PEER = RougeScorer(list(ROUGE.values()), use_stemmer=True)
WORDS = ["a ", "the ", "run ", "running ", "runs. ", "ponies ", "dying-", "Skies ", "generally ", "1990s ", "\n"]

_texts = st.lists(st.sampled_from(WORDS), min_size=1, max_size=12).map("".join)
_pairs = st.lists(st.tuples(_texts, st.none() | _texts), min_size=1, max_size=8)

Pairs = list[tuple[str, str | None]]


def scores(gold: list[str], predicted: list[str | None], texts: list[str] | None = None) -> dict[str, float]:
    return TASK.tally(gold, predicted, texts or texts_of(gold)).scores()


def assert_rouge_is_its_peers(pairs: Pairs) -> None:
    found = scores([gold for gold, _ in pairs], [answer for _, answer in pairs])
    peer = [PEER.score(gold, answer or "") for gold, answer in pairs]
    for name, their in ROUGE.items():
        precision, recall, f1 = np.mean([tuple(scored[their]) for scored in peer], axis=0)
        assert found[f"{name}_precision"] == pytest.approx(precision)
        assert found[f"{name}_recall"] == pytest.approx(recall)
        assert found[f"{name}_f1"] == pytest.approx(f1)


@given(_pairs)
def test_every_score_is_the_mean_over_texts_of_rouge_scores_with_stems(pairs: Pairs) -> None:
    assert_rouge_is_its_peers(pairs)


@given(st.lists(st.tuples(*[st.text(st.characters(max_codepoint=0x7F))] * 2), min_size=1, max_size=4))
def test_every_score_of_any_ascii_text_is_rouge_scores_with_stems(pairs: list[tuple[str, str]]) -> None:
    assert_rouge_is_its_peers([*pairs])


def test_the_scores_of_real_summaries_are_rouge_scores_with_stems() -> None:
    real = [(row["highlights"].replace(". ", ".\n"), row["text"]) for row in rows(NEWSWIRE / "test.jsonl")[:40]]
    assert_rouge_is_its_peers([*real])
    assert_rouge_is_its_peers([(text, highlights) for highlights, text in real])


@given(_pairs, st.integers(0, 99))
def test_a_resample_scores_as_if_its_texts_were_repeated(pairs: Pairs, seed: int) -> None:
    gold, predicted = [gold for gold, _ in pairs], [answer for _, answer in pairs]
    drawn = np.random.default_rng(seed).integers(len(pairs), size=len(pairs))
    tally = TASK.tally(gold, predicted, texts_of(gold))
    resampled = tally.metrics(np.bincount(drawn, minlength=len(pairs)).astype(float) @ tally.items)
    repeated = TASK.tally(
        [gold[i] for i in drawn], [predicted[i] for i in drawn], texts_of([gold[i] for i in drawn])
    ).scores()
    assert {name: float(value) for name, value in resampled.items()} == pytest.approx(repeated, nan_ok=True)


def test_the_length_ratio_is_words_written_over_words_wanted() -> None:
    assert scores(["a b", "a b c d"], ["a b c", "a b c d e f"])["length_ratio"] == 1.5
    assert scores(["a b"], [None])["length_ratio"] == 0.0


def test_the_length_is_the_mean_of_the_answers_that_were_given() -> None:
    assert scores(["a", "a", "a"], ["a b c", "a b c d e f", None])["words"] == 4.5
    assert math.isnan(scores(["a"], [None])["words"])


def test_novel_bigrams_are_a_share_of_all_that_were_written() -> None:
    found = scores(["a b c", "x"], ["A b d.", "x"], ["a b c d", "z"])
    assert found["novel_bigrams"] == 1 / 2
    assert scores(["a b"], ["a b"], ["a b"])["novel_bigrams"] == 0.0
    assert math.isnan(scores(["a"], ["a"])["novel_bigrams"])


def test_entity_support_is_a_share_of_all_names_and_a_summary_without_any_does_not_count() -> None:
    answers: list[str | None] = ["Then Ann met Bob in Rome.", "No name.", None]
    assert scores(["a"] * 3, answers, ["Ann and Bob met", "x", "y"])["entity_support"] == pytest.approx(2 / 3)


@pytest.mark.parametrize("answers", [["no name"], [None]])
def test_who_names_nothing_is_not_said_to_invent_nothing(answers: list[str | None]) -> None:
    assert math.isnan(scores(["a"], answers, ["Ann met Bob."])["entity_support"])
    assert "entity_support" in TASK.diagnostic


def test_the_reply_schema_is_strict() -> None:
    assert TASK.reply_schema.schema == {
        "type": "object",
        "properties": {"summary": {"type": "string"}},
        "required": ["summary"],
        "additionalProperties": False,
    }
