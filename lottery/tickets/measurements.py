"""Measurements of a cell: each ticket in each of its states, and the splits that it is scored on."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple, TypeVar

from lottery.ticket import FULL, MAJORITY, WORDS, Key
from lottery.tickets.methods import METHODS
from lottery.tickets.parameters import ControlsParameters, RetrainParameters
from lottery.vocabulary import State

S = TypeVar("S")
BASELINES = (MAJORITY, WORDS)
"""Predictions that need no encoder."""
TRAINED: tuple[State, ...] = ("retrained", "reinitialised")
"""The states of a ticket that is trained under its mask."""


class Measurement(NamedTuple):
    """A ticket, the full model or a baseline, in one state."""

    key: Key
    state: State

    @property
    def name(self) -> str:
        """Words for logs and messages."""
        return f"{self.key.name} {self.state}"

    @property
    def is_trained(self) -> bool:
        """True if an encoder is trained for it."""
        return self.state in TRAINED

    @property
    def is_pruned(self) -> bool:
        """True if it is scored with the weights of the fine-tuned model, whole or pruned."""
        return not self.is_trained and self.key not in BASELINES

    def scored_on(self, splits: Mapping[str, S]) -> dict[str, S]:
        """The splits that it is scored on.

        Controls and other tickets that are only pruned, of which there are many, are scored on dev. All else is also
        scored on the split that drove the searches, to see how far these overfitted it, and on other data.
        """
        everywhere = self.state != "pruned" or (self.key.kind == "good" and not self.key.matched)
        return {name: split for name, split in splits.items() if everywhere or name == "dev"}


def of_cell(
    seed: int, controls: ControlsParameters, retrain: RetrainParameters
) -> list[Measurement]:
    """All measurements of a cell but those of super-survivors, the most expensive first."""
    by_cost = sorted(METHODS.values(), key=lambda method: not method.prunes_weights)
    stored = [key for method in by_cost for key in method.stored(controls, retrain)]
    drawn = [key for method in by_cost for key in method.drawn(controls, retrain)]
    reinitialised = [key for key in stored if retrain.reinitialises(key, seed)]
    return [
        *_retrained(stored, seed, retrain),
        *(Measurement(key, "reinitialised") for key in reinitialised),
        *(Measurement(key, "pruned") for key in (*stored, *drawn)),
        *(Measurement(key, "finetuned") for key in (FULL, *BASELINES)),
    ]


def of_super_survivors(
    seed: int, controls: ControlsParameters, retrain: RetrainParameters
) -> list[Measurement]:
    """The measurements of the super-survivors of a task and of their controls, with the model of `seed`."""
    keys = [key for method in METHODS.values() for key in method.super_keys(controls)]
    pruned = (Measurement(key, "pruned") for key in keys)
    return [*_retrained(keys, seed, retrain), *pruned]


def _retrained(keys: Iterable[Key], seed: int, retrain: RetrainParameters) -> list[Measurement]:
    return [Measurement(key, "retrained") for key in keys if retrain.retrains(key, seed)]
