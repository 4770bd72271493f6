"""Controls of iterative pruning with rewinding: other masks of a round's size, and its mask on random weights."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from lottery.model.training import WHOLE, Progress
from lottery.predictions import Logits
from lottery.runtime import parallel
from lottery.runtime.compute import chosen_device
from lottery.runtime.resume import NO_JOURNAL, Journal
from lottery.seeds import rng
from lottery.subnetwork import Subnetwork
from lottery.tickets import controls
from lottery.tickets.magnitude import largest
from lottery.tickets.parameters import RewindParameters
from lottery.tickets.retraining import pretrained, random_weights
from lottery.tickets.rewinding import (
    ROUNDS,
    Rewinding,
    Trained,
    predict,
    remaining,
    start,
    train,
)
from lottery.tickets.rewound import ONE_SHOT, PRETRAINED, RANDOM, REINITIALISED


def train_controls(
    inputs: Rewinding,
    rounds: Sequence[Trained],
    report: parallel.Report,
    journal: Journal = NO_JOURNAL,
) -> list[Trained]:
    """Train all controls of a cell, side by side; those that `journal` holds are not trained again.

    Nor are the first steps of the rounds, whose part of the journal holds the weights after them.
    """
    jobs = {
        (label := f"{name} {draw} of round {number}"): partial(
            control,
            inputs=inputs,
            name=name,
            draw=draw,
            good=rounds[number],
            origin=journal.of(ROUNDS),
            journal=journal.of(label),
        )
        for name, draw, number in planned(inputs.parameters)
    }
    if not jobs:
        return []
    return [*parallel.run(jobs, inputs.cell.compute, report, preload=[__name__]).values()]


def control(
    progress: Progress,
    inputs: Rewinding,
    name: str,
    draw: int,
    good: Trained,
    origin: Journal = NO_JOURNAL,
    journal: Journal = NO_JOURNAL,
) -> Trained:
    """The trained control of a round."""
    kept = control_mask(inputs, name, draw, good)

    def trained() -> Logits:
        if name == REINITIALISED.name:
            encoder = random_weights(inputs.cell).to(chosen_device(inputs.cell.compute))
            train(progress, inputs.cell, encoder, kept, WHOLE, journal)
        else:
            encoder = start(progress, inputs, origin)
            train(progress, inputs.cell, encoder, kept, remaining(inputs.parameters), journal)
        return predict(inputs, encoder)

    return Trained(name, draw, good.sparsity, kept, journal.once("trained", trained))


def control_mask(inputs: Rewinding, name: str, draw: int, good: Trained) -> Subnetwork:
    """The mask of a control, of as many weights as that of the round."""
    return MASKS[name](inputs, draw, good)


def _random(inputs: Rewinding, draw: int, good: Trained) -> Subnetwork:
    cell = inputs.cell
    stream = rng(cell.seed, "rewind random", cell.task.name, draw, f"{good.sparsity:.6f}")
    return controls.pooled(good.kept, partial(controls.exact, rng=stream))


MASKS: Mapping[str, Callable[[Rewinding, int, Trained], Subnetwork]] = {
    RANDOM.name: _random,
    REINITIALISED.name: lambda inputs, draw, good: good.kept,
    ONE_SHOT.name: lambda inputs, draw, good: largest(inputs.full, good.kept.size, inputs.biases),
    PRETRAINED.name: lambda inputs, draw, good: largest(
        pretrained(inputs.cell), good.kept.size, inputs.biases
    ),
}
"""A function for each control, which makes its mask from that of a round."""


def planned(parameters: RewindParameters) -> list[tuple[str, int, int]]:
    """The controls of a cell: name, draw, and the number of the round."""
    return [
        (name, draw, parameters.round_at(sparsity))
        for sparsity in parameters.controls
        for name in MASKS
        for draw in range(parameters.draws if name == RANDOM.name else 1)
    ]
