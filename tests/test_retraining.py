"""Training of subnetworks under their masks, from pre-trained or random weights."""

from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import pytest
import torch

from lottery.model import checkpoint
from lottery.model.encoder import Encoder
from lottery.model.evaluation import predict
from lottery.model.parameters import FinetuneParameters
from lottery.runtime.compute import arithmetic
from lottery.runtime.parameters import ComputeParameters
from lottery.subnetwork import Subnetwork
from lottery.tasks import get_task
from lottery.tickets.importance import gate_gradients
from lottery.tickets.retraining import Cell, finetune_cell
from lottery.vocabulary import State
from tests import toys

RTE = get_task("rte")


@pytest.fixture
def cell(tmp_path: Path) -> Cell:
    checkpoint.save(toys.encoder(1), tmp_path / "pretrained")
    recipe = FinetuneParameters(epochs=1, batch=8, learning_rate=1e-3, warmup=0.0, clip=1.0)
    compute = ComputeParameters(threads=64, alone=1, device="cpu", precision="float32")
    return Cell(RTE, 3, tmp_path / "pretrained", toys.sentences(24), recipe, compute)


def test_random_weights_are_trained_under_the_good_mask(cell: Cell) -> None:
    """Reproducibly, with the same classifier and batches as the pre-trained ones, and to another result."""
    mask = toys.weights(1, 0.5)

    def trained(cell: Cell, state: State) -> Encoder:
        encoder, _ = finetune_cell(lambda *_: None, cell, mask, state=state)
        for name, kept in mask.items():
            assert not encoder.get_parameter(name)[torch.tensor(~kept)].any()
        return encoder

    pretrained, random = trained(cell, "retrained"), trained(cell, "reinitialised")
    again, other = (trained(replace(cell, seed=seed), "reinitialised") for seed in (3, 4))
    for name, weight in random.state_dict().items():
        assert torch.equal(weight, again.state_dict()[name])
    for encoder in (pretrained, other):
        assert not torch.equal(random.embeddings.words.weight, encoder.embeddings.words.weight)
    assert float(random.embeddings.words.weight.detach().std()) == pytest.approx(0.02, rel=0.1)


def test_bfloat16_trains_and_scores_close_to_float32(cell: Cell) -> None:
    half = replace(cell, compute=msgspec.structs.replace(cell.compute, precision="bfloat16"))
    exact, _ = finetune_cell(lambda *_: None, cell)
    rounded, _ = finetune_cell(lambda *_: None, half)
    difference = 0.0
    for name, weight in exact.state_dict().items():
        assert rounded.state_dict()[name].dtype == torch.float32
        difference = max(difference, float((weight - rounded.state_dict()[name]).abs().max()))
    assert 0 < difference < 2 * 3 * cell.recipe.learning_rate  # three opposite steps of Adam
    encoder = toys.encoder(2)
    examples = toys.sentences(30, 5)
    with arithmetic(half.compute):
        logits = predict(encoder, examples)
        full = Subnetwork.full(encoder.config.shapes)
        gradients = gate_gradients(encoder, examples, RTE, full).gradients
    np.testing.assert_allclose(logits, predict(encoder, examples), atol=0.1)
    assert np.isfinite(gradients["heads"]).all()
