import pytest

pytest.importorskip("torch")

import torch

from understudy.training.probe import fit_head


def clusters(offset: float = 0.0, scale: float = 1.0) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    places = torch.arange(60) % 3
    centres = torch.tensor([[0.0, 2.0], [2.0, -1.0], [-2.0, -1.0]])
    features = centres[places] + 0.3 * torch.randn(60, 2, generator=generator)
    return features * scale + offset, torch.eye(3)[places]


@pytest.mark.parametrize(("offset", "scale"), [(0.0, 1.0), (50.0, 1.0), (0.0, 1e-3), (0.0, 1e3)])
def test_a_head_is_fitted_whatever_the_scale_of_its_features(offset: float, scale: float) -> None:
    features, wanted = clusters(offset, scale)
    head = torch.nn.Linear(2, 3)
    fit_head(head, features, wanted, torch.ones(60))
    assert (head(features).argmax(dim=1) == wanted.argmax(dim=1)).all()
    assert head.weight.requires_grad


def test_examples_without_weight_are_not_learned_from() -> None:
    features, wanted = clusters()
    misled = wanted.roll(1, dims=1)
    weight = torch.cat([torch.zeros(30), torch.ones(30)])
    head = torch.nn.Linear(2, 3)
    fit_head(head, features, torch.cat([misled[:30], wanted[30:]]), weight)
    assert (head(features).argmax(dim=1) == wanted.argmax(dim=1)).all()


def test_soft_targets_give_soft_answers() -> None:
    features, wanted = clusters()
    head = torch.nn.Linear(2, 3)
    fit_head(head, features, 0.7 * wanted + 0.1, torch.ones(60))
    confidence = head(features).softmax(dim=1).max(dim=1).values.mean()
    assert 0.7 < confidence.item() < 0.9


def test_a_single_example_is_enough() -> None:
    head = torch.nn.Linear(2, 3)
    fit_head(head, torch.ones(1, 2), torch.tensor([[0.0, 1.0, 0.0]]), torch.ones(1))
    assert int(head(torch.ones(1, 2)).argmax()) == 1
