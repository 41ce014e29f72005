"""How a torch student is trained, as a recipe says it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Regimen:
    """The settings that every torch student has, whatever it learns.

    Attributes:
        epochs: Passes over all gold and distilled examples, whatever the mixture draws of them.
        batch_size: Examples in an optimiser step.
        learning_rate: The highest learning rate of AdamW.
        patience: Stop after so many looks at validation without a better score; None, never, keeps arms comparable.
        seed: Decides the first weights, the order of the examples, and dropout.
    """

    epochs: float
    batch_size: int
    learning_rate: float
    seed: int
    patience: int | None = None
