import math
from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

import torch

from tests.students import small
from tests.students.sequences.test_tokens import KIND
from tests.students.sequences.tiny import reasoned, write_tiny
from understudy.students.pretrained import pretrained
from understudy.students.sequences.learning import Pair, loss, mean_loss, rationale, tensors
from understudy.students.sequences.networks import Seq2Seq
from understudy.students.sequences.tokens import Tokens

PAIRS = [Pair("goal match", "team", 1.0), Pair("bank", "shares price loan", 0.5), Pair("cell", "atom", 2.0)]


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny("t5", tmp_path_factory.mktemp("hub") / "t5")


def fresh(tiny: Path) -> tuple[Seq2Seq, Tokens]:
    start = pretrained(str(tiny), KIND)
    return Seq2Seq(start.backbone).eval(), Tokens(start.tokenizer, start.backbone.config, 16, 8)


def test_the_loss_is_the_weighted_mean_over_pairs_of_the_sum_over_tokens(tiny: Path) -> None:
    network, tokens = fresh(tiny)
    with torch.no_grad():
        together = float(loss(network, tensors(tokens, PAIRS)))
        alone = [float(loss(network, tensors(tokens, [pair]))) for pair in PAIRS]
        halved = float(loss(network, tensors(tokens, PAIRS), unit=2.0))
    assert math.isclose(together, sum(alone) / 3, rel_tol=1e-5)
    assert math.isclose(halved, together / 2, rel_tol=1e-6)


def test_reasons_come_on_top_of_the_answers(tiny: Path) -> None:
    network, tokens = fresh(tiny)
    with torch.no_grad():
        with_reasons = float(loss(network, tensors(tokens, PAIRS, rows=2)))
        alone = [float(loss(network, tensors(tokens, [pair]))) for pair in PAIRS]
    assert math.isclose(with_reasons, sum(alone) / 2, rel_tol=1e-5)


def test_the_mean_loss_is_one_of_tokens(tiny: Path) -> None:
    network, tokens = fresh(tiny)
    plain = [pair._replace(weight=1.0) for pair in PAIRS]
    with torch.no_grad():
        sums = [float(loss(network, tensors(tokens, [pair]))) for pair in plain]
        assert math.isclose(mean_loss(network, tokens, plain, 2), sum(sums) / (2 + 4 + 2), rel_tol=1e-5)


def test_the_gradient_of_parts_adds_up_to_that_of_the_whole(tiny: Path) -> None:
    network, tokens = fresh(tiny)
    batch = tensors(tokens, PAIRS)

    def gradient(*cuts: slice) -> list[torch.Tensor]:
        network.zero_grad()
        for cut in cuts:
            part = {name: tensor[cut] for name, tensor in batch.items()}
            (len(part["weight"]) / len(PAIRS) * loss(network, part)).backward()  # type: ignore[no-untyped-call]
        return [parameter.grad for parameter in network.parameters() if parameter.grad is not None]

    for whole, parts in zip(gradient(slice(None)), gradient(slice(2), slice(2, 3)), strict=True):
        torch.testing.assert_close(parts, whole, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize(
    "reply",
    [None, 3, "", "{", "[]", '"reasoning"', "[" * 99_999, '{"reasoning": 3}', '{"reasoning": " "}', '{"label": "a"}'],
)
def test_where_there_is_no_reasoning_there_is_none(reply: object) -> None:
    assert rationale(replace(small.VALIDATION[0], meta={"reply": reply})) == ""


def test_the_teachers_reasoning_is_found() -> None:
    example = reasoned(small.VALIDATION)[0]
    thoughtful = replace(example, meta={"reply": f"<think>{{hm}}</think>\n{example.meta['reply']} "})
    assert rationale(small.VALIDATION[0]) == ""
    assert rationale(example) == rationale(thoughtful) == "the words tell it"
