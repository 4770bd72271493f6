"""The parameter section of fine-tuning, in a module that imports no torch."""

from typing import Annotated

from msgspec import Meta

from lottery.params import Parameters


class FinetuneParameters(Parameters, frozen=True):
    """AdamW without weight decay; the learning rate rises over `warmup` of the steps, then falls linearly to 0.

    The paper: 3 epochs, batch 32, learning rate 2e-5, no warm-up, gradient norm clipped at 1.
    """

    epochs: Annotated[int, Meta(ge=1, le=100)]
    batch: Annotated[int, Meta(ge=1, le=4096)]
    learning_rate: Annotated[float, Meta(gt=0, le=1)]
    warmup: Annotated[float, Meta(ge=0, lt=1)]
    clip: Annotated[float, Meta(gt=0)]

    def steps(self, examples: int) -> int:
        """Optimiser steps of a training on so many examples."""
        return self.epochs * -(-examples // self.batch)
