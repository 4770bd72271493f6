"""Movement saliency equals a plain training with torch's optimiser, and leaves the model as it was."""

from collections.abc import Iterator

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from lottery.data.examples import shuffled
from lottery.model.encoder import Encoder
from lottery.model.loss import total_loss
from lottery.seeds import rng
from lottery.tasks import get_task
from lottery.tickets.magnitude import not_negative
from lottery.tickets.saliencies import SALIENCIES
from lottery.tickets.saliency.movement import movement
from lottery.tickets.saliency.short_training import STEPS
from tests import toys

RTE = get_task("rte")
EXAMPLES = toys.sentences(9, 1)
BATCH, LEARNING_RATE = 4, 1e-3


def trained(encoder: Encoder, steps: int) -> Iterator[dict[str, tuple[np.ndarray, np.ndarray]]]:
    """Weights and gradients at each step of a plain training with torch's AdamW; what is 0 stays 0."""
    parameters = encoder.prunable(biases=True)
    optimiser = torch.optim.AdamW(parameters.values(), lr=LEARNING_RATE, weight_decay=0)
    alive = {name: weight.detach() != 0 for name, weight in parameters.items()}
    batches = shuffled(EXAMPLES, BATCH, rng("movement saliency", RTE.name))
    for step in range(steps):
        rows = batches[step % len(batches)].rows_B
        optimiser.zero_grad()
        batch = EXAMPLES.take(rows)
        loss = total_loss(RTE, encoder(toys.tokens(batch)), torch.tensor(batch.labels_N))
        (loss / len(rows)).backward()
        for name, weight in parameters.items():
            assert weight.grad is not None
            weight.grad *= alive[name]
        yield {
            name: (weight.detach().numpy().copy(), torch.clone(weight.grad).numpy())
            for name, weight in parameters.items()
            if weight.grad is not None
        }
        optimiser.step()


def test_movement_adds_up_a_plain_training_and_undoes_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lottery.tickets.saliency.movement.BATCH", BATCH)
    monkeypatch.setattr("lottery.tickets.saliency.movement.LEARNING_RATE", LEARNING_RATE)
    encoder, plain = toys.encoder(3), toys.encoder(3)
    first = next(iter(encoder.prunable()))
    for model in (encoder, plain):
        with torch.no_grad():
            model.get_parameter(first)[0] = 0
    before = {name: tensor.clone() for name, tensor in encoder.state_dict().items()}
    saliency = movement(encoder, EXAMPLES, RTE, [*encoder.prunable(biases=True)])
    steps = [*trained(plain, STEPS)]
    expected = {name: -sum(s[name][0] * s[name][1] for s in steps) for name in steps[0]}
    assert saliency.weights.keys() == expected.keys()
    tolerance = 1e-6 * max(np.abs(values).max() for values in expected.values())
    for name, values in expected.items():
        np.testing.assert_allclose(saliency.weights[name], values, 1e-3, tolerance, err_msg=name)
    assert any((values < 0).any() for values in saliency.weights.values())
    assert not saliency.weights[first][0].any()
    assert all(torch.equal(before[name], now) for name, now in encoder.state_dict().items())
    assert SALIENCIES["movement"].cost == "0 + 0, 16 steps"


@given(arrays(np.float32, 9, elements=st.floats(-(2.0**100), 2.0**100, width=32)))
def test_values_below_0_keep_their_order(values: np.ndarray) -> None:
    positive = not_negative({"w": values})["w"]
    assert (positive >= 0).all()
    assert (np.diff(positive[np.argsort(values, kind="stable")]) >= 0).all()
    apart = np.abs(np.diff(np.sort(values))) > 1e-6 * np.abs(values).max()
    assert (np.diff(np.sort(positive))[apart] > 0).all()
