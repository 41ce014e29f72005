"""A pretrained encoder that is fine-tuned, whatever stands on top of it: its start, and the folder that it lives in."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from understudy.example import whole
from understudy.students import pretrained
from understudy.students.pretrained import Pretrained

if TYPE_CHECKING:
    from understudy.students.networks import EncoderNetwork

NetworkT = TypeVar("NetworkT", bound="EncoderNetwork")


class FineTuned(Generic[NetworkT]):
    """An encoder with a head, and the tokenizer that reads for it.

    Args:
        build: Puts a fresh head on a backbone.
        model: As `pretrained.locate` takes it.
        max_length: Tokens read of a text.
        frozen_layers: As `networks.freeze` takes it.

    Attributes:
        network: The backbone with its head.
        tokenizer: Its fast tokenizer, truncation included.
    """

    network: NetworkT
    tokenizer: Any

    def __init__(self, build: Callable[[Any], NetworkT], *, model: str, max_length: int, frozen_layers: int) -> None:
        self._build, self._model, self._max_length, self._frozen_layers = build, model, max_length, frozen_layers

    def start(self) -> NetworkT:
        """The network that training sets out from: pretrained weights, and a head that has learned nothing yet.

        Raises:
            MissingExtra: A package is not installed.
            ModelError: The weights cannot be had.
        """
        start = pretrained.pretrained(self._model)
        from understudy.students.networks import freeze

        start.tokenizer.enable_truncation(min(self._max_length, start.longest))
        freeze(start.backbone, self._frozen_layers)
        return self._adopt(start)

    @property
    def filler(self) -> int:
        """The token that pads."""
        return self.network.backbone.config.pad_token_id or 0

    def encode(self, texts: Sequence[str]) -> list[list[int]]:
        """The tokens of each text."""
        return [encoding.ids for encoding in self.tokenizer.encode_batch_fast([*map(whole, texts)])]

    def count_parameters(self) -> int:
        """How many learned numbers there are, token embeddings and frozen layers included."""
        from understudy.students.networks import count_parameters

        return count_parameters(self.network)

    def write(self, folder: Path) -> None:
        """Write the backbone's configuration, the tokenizer, and the weights of backbone and head."""
        pretrained.write(self.network, self.tokenizer, folder)

    def read(self, folder: Path) -> None:
        """Read back what `write` wrote, from these files alone."""
        start, weights = pretrained.read(folder)
        self._adopt(start).load_state_dict(weights)
        self.network.eval()

    def _adopt(self, start: Pretrained) -> NetworkT:
        from understudy.training.loop import best_device

        self.network, self.tokenizer = self._build(start.backbone).to(best_device()), start.tokenizer
        return self.network
