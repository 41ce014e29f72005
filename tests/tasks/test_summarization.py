import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rouge_score.rouge_scorer import RougeScorer

from understudy.tasks.summarization import Summarization

TASK = Summarization()
PEER = RougeScorer(["rouge1", "rouge2", "rougeL", "rougeLsum"])

_texts = st.lists(st.sampled_from(["a ", "b ", "cd ", "\n"]), min_size=1, max_size=12).map("".join)
_pairs = st.lists(st.tuples(_texts, st.none() | _texts), min_size=1, max_size=8)

Pairs = list[tuple[str, str | None]]


@given(_pairs)
def test_every_score_is_the_mean_over_texts_of_rouge_scores(pairs: Pairs) -> None:
    found = TASK.tally([gold for gold, _ in pairs], [answer for _, answer in pairs]).scores()
    peer = [PEER.score(gold, answer or "") for gold, answer in pairs]
    for name, their in (("rouge1", "rouge1"), ("rouge2", "rouge2"), ("rouge_l", "rougeL"), ("rouge_lsum", "rougeLsum")):
        precision, recall, f1 = np.mean([tuple(scored[their]) for scored in peer], axis=0)
        assert found[f"{name}_precision"] == pytest.approx(precision)
        assert found[f"{name}_recall"] == pytest.approx(recall)
        assert found[f"{name}_f1"] == pytest.approx(f1)


@given(_pairs, st.integers(0, 99))
def test_a_resample_scores_as_if_its_texts_were_repeated(pairs: Pairs, seed: int) -> None:
    gold, predicted = [gold for gold, _ in pairs], [answer for _, answer in pairs]
    drawn = np.random.default_rng(seed).integers(len(pairs), size=len(pairs))
    tally = TASK.tally(gold, predicted)
    resampled = tally.metrics(np.bincount(drawn, minlength=len(pairs)).astype(float) @ tally.items)
    repeated = TASK.tally([gold[i] for i in drawn], [predicted[i] for i in drawn]).scores()
    assert {name: float(value) for name, value in resampled.items()} == pytest.approx(repeated)


def test_the_length_ratio_is_words_written_over_words_wanted() -> None:
    assert TASK.tally(["a b", "a b c d"], ["a b c", "a b c d e f"]).scores()["length_ratio"] == 1.5
    assert TASK.tally(["a b"], [None]).scores()["length_ratio"] == 0.0


def test_the_reply_schema_is_strict() -> None:
    assert TASK.reply_schema.schema == {
        "type": "object",
        "properties": {"summary": {"type": "string"}},
        "required": ["summary"],
        "additionalProperties": False,
    }
