import pytest

pytest.importorskip("torch")

import torch
from torch import Tensor

from understudy.students.networks import WordVectors
from understudy.students.sequences.pointer import PointerGenerator
from understudy.students.words import PADDING, UNKNOWN
from understudy.training.batching import pad

WORDS = 9
SOURCES = [[3, 4, 9, 10, 9, 5], [9, 3, 6], [4]]
WANTED = [[9, 4, 10, 2], [6, 9, 2, 0], [7, 2, 0, 0]]
PREVIOUS = [[2, 9, 4, 10], [2, 6, 9, 2], [2, 7, 2, 0]]


@pytest.fixture
def network() -> PointerGenerator:
    torch.manual_seed(0)
    network = PointerGenerator(words=WORDS, embedding_size=6, hidden_size=5, dropout=0.3, word_dropout=0.2)
    torch.nn.init.constant_(network.weariness, 0.5)
    return network.eval()


def batch() -> tuple[Tensor, Tensor, Tensor, Tensor]:
    ids, mask = pad(SOURCES, PADDING)
    return ids, mask, torch.tensor(PREVIOUS), torch.tensor(WANTED)


def test_learning_and_writing_mean_the_same_probabilities(network: PointerGenerator) -> None:
    ids, mask, previous, wanted = batch()
    logs, _ = network(ids, mask, previous, wanted)
    source, memory = network.read(ids, mask)
    for place in range(previous.shape[1]):
        steps, memory = network.next_words(previous[:, place], source, memory, 11)
        said = steps.gather(1, wanted[:, place : place + 1]).squeeze(1)
        real = wanted[:, place] != PADDING
        assert torch.allclose(said[real], logs[real, place], atol=1e-5)


def test_all_that_can_be_written_has_a_probability_of_one(network: PointerGenerator) -> None:
    ids, mask, previous, _ = batch()
    total = sum(network(ids, mask, previous, torch.full_like(previous, word))[0].exp() for word in range(11))
    assert torch.allclose(total, torch.ones_like(total), atol=1e-5)


def test_padding_and_the_unknown_word_are_never_written(network: PointerGenerator) -> None:
    ids, mask, previous, _ = batch()
    logs, _ = network.next_words(previous[:, 0], *network.read(ids, mask), 11)
    assert (logs[:, [PADDING, UNKNOWN]] == float("-inf")).all()
    assert logs[:, 2:9].isfinite().all()
    assert (logs[2, 9:] == float("-inf")).all()  # words that do not stand in the third source
    assert (logs[1, 10:] == float("-inf")).all()
    assert logs[0, 9:].isfinite().all()


def test_a_text_is_the_same_in_any_company(network: PointerGenerator) -> None:
    ids, mask, previous, wanted = batch()
    together, _ = network(ids, mask, previous, wanted)
    for place, source in enumerate(SOURCES):
        alone, _ = network(*pad([source], PADDING), previous[place : place + 1], wanted[place : place + 1])
        assert torch.allclose(alone[0], together[place], atol=1e-5)


def test_attention_goes_to_words_only_and_overlap_is_a_share(network: PointerGenerator) -> None:
    ids, mask, previous, _ = batch()
    source, memory = network.read(ids, mask)
    written, after = network.write(previous, source, memory)
    assert torch.allclose(written.attention.sum(dim=-1), torch.ones(3, 4))
    assert (written.attention.masked_select(~mask[:, None, :]) == 0).all()
    assert torch.allclose(after.coverage, written.attention.sum(dim=1))
    assert (written.overlap[:, 0] == 0).all()
    assert ((written.overlap >= 0) & (written.overlap <= 1 + 1e-6)).all()
    assert torch.allclose(written.overlap[2, 1:], torch.ones(3))  # there is only one word to attend to


def test_coverage_turns_attention_away(network: PointerGenerator) -> None:
    ids, mask, previous, _ = batch()
    source, memory = network.read(ids, mask)
    seen = memory._replace(coverage=torch.zeros_like(memory.coverage).index_fill(1, torch.tensor([0]), 3.0))
    fresh, weary = (network.write(previous[:, :1], source, some)[0].attention[0, 0, 0] for some in (memory, seen))
    assert weary < fresh


def test_gradients_are_finite_whatever_is_wanted(network: PointerGenerator) -> None:
    ids, mask, previous, wanted = batch()
    network.train()
    for odd in (wanted, torch.zeros_like(wanted), torch.full_like(wanted, 10)):
        network.zero_grad()
        logs, overlap = network(ids, mask, previous, odd)
        (overlap - logs).sum().backward()
        gradients = {name: parameter.grad for name, parameter in network.named_parameters()}
        assert all(gradient is not None and gradient.isfinite().all() for gradient in gradients.values())


def test_what_is_written_shares_the_word_vectors(network: PointerGenerator) -> None:
    assert isinstance(network.embedding, WordVectors)
    shapes = [tuple(parameter.shape) for parameter in network.parameters()]
    assert shapes.count((WORDS, 6)) == 1
