"""A linear-chain conditional random field (Lafferty et al. 2001): tags that are scored as a whole sequence."""

import torch
from torch import Tensor, nn

from understudy.students.spans.tags import OUTSIDE, Tags

_FORBIDDEN = -1e4
"""The score of a move that is not allowed: so low that it is never made, yet a number, so that no gradient is lost."""


class CRF(nn.Module):
    """What it is worth that one tag follows another; what `Tags` do not allow is never chosen.

    A passage begins as if a word outside stood before it. Words behind a passage's end change nothing.

    Args:
        tags: The tags, and what may follow what.
        learned: Whether moves are learned; otherwise those that are allowed are all worth the same.
    """

    def __init__(self, tags: Tags, *, learned: bool) -> None:
        super().__init__()
        self.moves = nn.Parameter(torch.zeros(len(tags), len(tags)), requires_grad=learned)
        self._allowed = tags.allowed

    def forward(self, scores: Tensor, tags: Tensor, mask: Tensor, temperature: float = 1.0) -> Tensor:
        """The negative log-likelihood of each passage's tags, shape (passages,).

        Args:
            scores: What each tag is worth for each word, shape (passages, words, tags).
            tags: The right ones, shape (passages, words).
            mask: Where words are, shape (passages, words), bool, the first word's always set.
            temperature: What the worth of every tag and move is divided by.
        """
        scores, moves = scores / temperature, self._moves() / temperature
        return _total(scores, moves, mask) - _worth(scores, moves, tags, mask)

    def best_paths(self, scores: Tensor, mask: Tensor) -> Tensor:
        """The most probable sequence of tags for each passage (Viterbi 1967), shape (passages, words)."""
        moves, stay = self._moves(), torch.arange(scores.shape[-1], device=scores.device)
        best, came_from = scores[:, 0] + moves[OUTSIDE], []
        for place in range(1, scores.shape[1]):
            here = mask[:, place, None]
            longer, before = (best.unsqueeze(2) + moves).max(dim=1)
            best = torch.where(here, longer + scores[:, place], best)
            came_from.append(torch.where(here, before, stay))
        path = [best.argmax(dim=-1, keepdim=True)]
        for before in reversed(came_from):
            path.append(before.gather(1, path[-1]))
        return torch.cat(path[::-1], dim=1)

    def _moves(self) -> Tensor:
        """What each move is worth, from row to column, shape (tags, tags)."""
        allowed = torch.from_numpy(self._allowed).to(self.moves.device)
        return self.moves.masked_fill(~allowed, _FORBIDDEN)


def _worth(scores: Tensor, moves: Tensor, tags: Tensor, mask: Tensor) -> Tensor:
    """The score of the given tags, shape (passages,)."""
    before = torch.nn.functional.pad(tags[:, :-1], (1, 0), value=OUTSIDE)
    each = scores.gather(2, tags.unsqueeze(2)).squeeze(2) + moves[before, tags]
    return (each * mask).sum(dim=1)


def _total(scores: Tensor, moves: Tensor, mask: Tensor) -> Tensor:
    """The log-sum of the scores of all sequences of tags, shape (passages,)."""
    sums = scores[:, 0] + moves[OUTSIDE]
    for place in range(1, scores.shape[1]):
        longer = (sums.unsqueeze(2) + moves).logsumexp(dim=1) + scores[:, place]
        sums = torch.where(mask[:, place, None], longer, sums)
    return sums.logsumexp(dim=-1)
