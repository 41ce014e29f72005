import itertools
import math

import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

import torch

from tests.students import small
from tests.students.sequences.test_tokens import KIND
from tests.students.sequences.tiny import one_thread, write_tiny
from understudy.students.pretrained import pretrained
from understudy.students.sequences.generation import Written, write
from understudy.students.sequences.networks import Seq2Seq, paired
from understudy.students.sequences.settings import Search
from understudy.students.sequences.tokens import Tokens

LONGEST = 5
TEXTS = [example.text for example in small.examples("gold", 6)]


@pytest.fixture(scope="module", params=["t5", "bart"])
def reader(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Seq2Seq, Tokens]:
    start = pretrained(str(write_tiny(request.param, tmp_path_factory.mktemp("hub") / request.param)), KIND)
    torch.manual_seed(1)
    for parameter in start.backbone.parameters():
        if parameter.ndim > 1:  # far from even, so that answers differ
            torch.nn.init.normal_(parameter, std=0.6)
    return Seq2Seq(start.backbone).eval(), Tokens(start.tokenizer, start.backbone.config, 32, LONGEST)


def written(reader: tuple[Seq2Seq, Tokens], texts: list[str] = TEXTS, **search: float) -> list[Written]:
    with one_thread():
        return write(*reader, texts, Search(**search))  # type: ignore[typeddict-item]


def tokens_of(reader: tuple[Seq2Seq, Tokens], answer: str) -> list[int]:
    """The ids of an answer and its end, also where it was cut off before."""
    tokens = reader[1]
    return [*(id_ for word in answer.split() for id_ in tokens.targets([word])[0][:1]), tokens.end]


def likelihood(reader: tuple[Seq2Seq, Tokens], text: str, answer: list[int]) -> float:
    network, tokens = reader
    ids = torch.tensor(tokens.sources([text]))
    mask = torch.ones_like(ids, dtype=torch.bool)
    with torch.inference_mode():
        return float(network(network.read(ids, mask), mask, *paired([answer], tokens.opening, tokens.filler)).sum())


def test_an_answer_can_be_seen_and_is_as_likely_as_it_says(reader: tuple[Seq2Seq, Tokens]) -> None:
    for text, answer in zip(TEXTS, written(reader), strict=True):
        assert answer.text
        assert 1 <= answer.tokens <= LONGEST
        ids = tokens_of(reader, answer.text)[: answer.tokens]
        assert math.isclose(answer.log_probability, likelihood(reader, text, ids), abs_tol=1e-4)


def test_greedy_search_takes_the_likeliest_next_token(reader: tuple[Seq2Seq, Tokens]) -> None:
    tokens = reader[1]
    allowed = set(range(31)) - set(tokens.never)
    for text, answer in zip(TEXTS[:2], written(reader)[:2], strict=True):
        first = tokens_of(reader, answer.text)[0]
        assert first == max(allowed - set(tokens.blank), key=lambda token: likelihood(reader, text, [token]))


def test_more_beams_find_likelier_answers(reader: tuple[Seq2Seq, Tokens]) -> None:
    greedy, beams = written(reader, length_penalty=0.0), written(reader, beams=6, length_penalty=0.0)
    assert greedy != beams
    sums = [sum(answer.log_probability for answer in answers) for answers in (greedy, beams)]
    assert sums[1] > sums[0]


def test_the_length_penalty_is_honoured(reader: tuple[Seq2Seq, Tokens]) -> None:
    short, long = (written(reader, beams=40, length_penalty=penalty) for penalty in (-5.0, 5.0))
    assert sum(answer.tokens for answer in short) < sum(answer.tokens for answer in long)


def test_no_run_of_tokens_is_repeated_where_none_shall_be(reader: tuple[Seq2Seq, Tokens]) -> None:
    def repeated(answers: list[Written]) -> int:
        return sum(a == b for answer in answers for a, b in itertools.combinations(answer.text.split(), 2))

    assert repeated(written(reader, no_repeat_ngram=1)) == 0 <= repeated(written(reader))


def test_answers_come_in_order_and_do_not_depend_on_company(reader: tuple[Seq2Seq, Tokens]) -> None:
    together = written(reader)
    assert [answer.text for answer in together] == [written(reader, [text])[0].text for text in TEXTS]
    assert written(reader, []) == []
