"""A linear probe: the best linear head on features that stay as they are, where fine-tuning sets out from.

A head that starts at random pulls a pretrained encoder about before it knows where to; one that is fitted first costs
a single pass over the data and spares several of fine-tuning ("LP-FT", Kumar et al. 2022).
"""

import torch
from torch import Tensor, nn

from understudy.training.batching import cross_entropy

_ITERATIONS = 100


def fit_head(head: nn.Linear, features: Tensor, wanted: Tensor, weight: Tensor, strength: float = 100.0) -> None:
    """Fit a linear head to features by regularised multinomial logistic regression, with L-BFGS.

    Args:
        head: From features to logits; its weights are replaced.
        features: Shape (examples, size).
        wanted: The distribution over labels that each example should get, shape (examples, labels).
        weight: How much each example counts, shape (examples,).
        strength: The inverse of the regularisation, as scikit-learn's C.
    """
    centre = features.mean(dim=0)
    scale = (features - centre).norm(dim=1).mean().clamp(min=1e-6)
    inputs = (features - centre) / scale
    slopes = torch.zeros(head.weight.shape, requires_grad=True)
    offsets = torch.zeros(head.bias.shape, requires_grad=True)
    optimiser = torch.optim.LBFGS([slopes, offsets], max_iter=_ITERATIONS, line_search_fn="strong_wolfe")

    def objective() -> Tensor:
        optimiser.zero_grad()
        penalty = slopes.square().sum() / (2 * strength * len(inputs))
        value = cross_entropy(inputs @ slopes.T + offsets, wanted, weight) + penalty
        value.backward()  # type: ignore[no-untyped-call]
        return value

    with torch.enable_grad():
        optimiser.step(objective)  # type: ignore[no-untyped-call]
    with torch.no_grad():
        head.weight.copy_(slopes / scale)
        head.bias.copy_(offsets - slopes @ centre / scale)
