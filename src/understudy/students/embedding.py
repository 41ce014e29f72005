"""Texts as vectors: an encoder as it is, mean-pooled, so that texts that mean alike lie near each other."""

import functools
from collections.abc import Sequence
from typing import TYPE_CHECKING

from understudy.example import whole
from understudy.students import pretrained
from understudy.students.pretrained import Pretrained
from understudy.students.ranges import BUNDLED

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_LONGEST = 256
"""Tokens read of a text: as many as all-MiniLM-L6-v2 was made for."""
_TOKENISED = 1024
"""Texts that are held as tokens at a time."""
_AT_ONCE = 32
"""Texts in a batch, which are of like length."""


def embed(texts: Sequence[str], model: str = BUNDLED) -> "NDArray[np.float32]":
    """The unit vectors of texts, shape (texts, size); their products are cosines (Reimers and Gurevych 2019).

    Args:
        texts: Any number of texts; of each, the first 256 tokens are read.
        model: As the encoder student takes it: ``bundled``, a local folder or a name on the hub.

    Raises:
        MissingExtra: A package is not installed.
        ModelError: The weights cannot be had, or are not an encoder's.
    """
    import numpy as np

    encoder = _loaded(model)
    vectors = np.empty((len(texts), encoder.backbone.config.hidden_size), dtype=np.float32)
    for start in range(0, len(texts), _TOKENISED):
        vectors[start : start + _TOKENISED] = _vectors(encoder, texts[start : start + _TOKENISED])
    return vectors


@functools.lru_cache(maxsize=1)
def _loaded(model: str) -> Pretrained:
    """An encoder that is ready to read, its weights loaded once in a process."""
    encoder = pretrained.pretrained(model)
    from understudy.training.loop import best_device

    encoder.backbone.to(best_device()).eval()
    encoder.tokenizer.enable_truncation(min(_LONGEST, encoder.longest))
    return encoder


def _vectors(encoder: Pretrained, texts: Sequence[str]) -> "NDArray[np.float32]":
    import torch

    from understudy.students.networks import mean_pool
    from understudy.training.batching import by_length, pad

    backbone, filler = encoder.backbone, encoder.backbone.config.pad_token_id or 0
    tokens = _tokens(encoder, texts)
    vectors = torch.empty(len(texts), backbone.config.hidden_size)
    with torch.inference_mode():
        for places in by_length([len(ids) for ids in tokens], _AT_ONCE):
            ids, mask = (part.to(backbone.device) for part in pad([tokens[place] for place in places], filler))
            states = backbone(input_ids=ids, attention_mask=mask.long()).last_hidden_state
            vectors[places] = torch.nn.functional.normalize(mean_pool(states, mask)).cpu()
    return vectors.numpy()


def _tokens(encoder: Pretrained, texts: Sequence[str]) -> list[list[int]]:
    """The token ids of each text."""
    return [encoding.ids for encoding in encoder.tokenizer.encode_batch_fast([*map(whole, texts)])]
