"""The network of the sequence models: a transformer that reads a text and writes another."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from understudy.training.batching import pad

IGNORED = -100
"""Stands for what is no token of an answer."""


class Seq2Seq(nn.Module):
    """An encoder-decoder (Vaswani et al. 2017), its two halves apart, so that a text is read once.

    Args:
        backbone: A transformers model with encoder, decoder and a head over its vocabulary.
    """

    def __init__(self, backbone: Any) -> None:
        super().__init__()
        from transformers import GenerationConfig

        self.backbone = backbone
        # Not the one that came with the weights: how an answer is looked for is a matter of settings.
        backbone.generation_config = GenerationConfig()

    def read(self, ids: Tensor, mask: Tensor) -> Tensor:
        """The encoder's states, shape (texts, tokens, size)."""
        states: Tensor = self.backbone.get_encoder()(input_ids=ids, attention_mask=mask.long()).last_hidden_state
        return states

    def forward(self, states: Tensor, mask: Tensor, inputs: Tensor, wanted: Tensor) -> Tensor:
        """The log-probability of each wanted token, those before it given; 0 where none is wanted.

        Args:
            states: What `read` gave, shape (texts, tokens, size).
            mask: Where tokens are, shape (texts, tokens), bool.
            inputs: What the decoder sees, shape (texts, opening + length - 1), as `paired` makes it.
            wanted: Shape (texts, length).
        """
        outputs = self.backbone(
            encoder_outputs=(states,), attention_mask=mask.long(), decoder_input_ids=inputs, use_cache=False
        )
        logits = outputs.logits[:, -wanted.shape[1] :].flatten(0, 1).float()
        losses = cross_entropy(logits, wanted.flatten(), ignore_index=IGNORED, reduction="none")
        return -losses.view_as(wanted)


def paired(targets: Sequence[Sequence[int]], opening: Sequence[int], filler: int) -> tuple[Tensor, Tensor]:
    """What a decoder sees and what it is to say next, side by side (teacher forcing).

    Args:
        targets: Token ids of answers, at least one each.
        opening: What every answer sets out from.
        filler: The id that pads.

    Returns:
        Inputs and wanted tokens as `Seq2Seq` takes them.
    """
    answers, known = pad(targets, filler)
    start = torch.tensor(opening).expand(len(targets), -1)
    return torch.cat([start, answers[:, :-1]], dim=1), answers.masked_fill(~known, IGNORED)
