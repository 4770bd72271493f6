"""Neurons as units: gates, extraction, files, exports, the search and its controls."""

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lottery.export.portable import zero_filled
from lottery.model import checkpoint
from lottery.model.encoder import Gates
from lottery.model.evaluation import predict
from lottery.model.loss import total_loss
from lottery.seeds import rng
from lottery.subnetwork import Subnetwork
from lottery.tasks import get_task
from lottery.tickets.importance import gate_gradients
from lottery.tickets.parameters import ImportanceParameters, PruneParameters
from lottery.tickets.saliencies import SALIENCIES
from lottery.tickets.search import search
from lottery.tickets.structured import Structured
from lottery.tickets.transferred_masks import most_frequent
from tests import toys

RTE = get_task("rte")
EXAMPLES = toys.sentences(8, 1)
RULE = PruneParameters(rate=0.2, threshold=0.95, floor=None, data="select", entry="fresh", curve=0)


def fine(seed: int) -> Subnetwork:
    """Random heads, MLPs, and neurons of these MLPs, of which one has none."""
    coarse = toys.subnetwork(seed)
    neurons = np.random.default_rng(seed).random((3, 48)) < 0.4
    neurons[seed % 3] = False
    return Subnetwork({**coarse, "neurons": neurons & coarse["mlps"][:, None]})


def pruner(saliency: str = "gate") -> Structured:
    parameters = ImportanceParameters(
        reduction="example", batch=8, normalise="surviving", saliency=saliency, neurons=True
    )
    return Structured(toys.encoder(), RTE, toys.sentences(30), 0.2, parameters)


@settings(max_examples=8)
@given(st.integers(0, 50))
def test_an_encoder_without_neurons_equals_one_with_their_gates_at_0(seed: int) -> None:
    encoder, kept = toys.encoder(3), fine(seed)
    gates = Gates(**{part: torch.tensor(mask, dtype=torch.float) for part, mask in kept.items()})
    with torch.no_grad():
        expected = encoder(toys.tokens(EXAMPLES), gates)
        extracted = encoder.extract(kept)(toys.tokens(EXAMPLES))
        twice = encoder.extract(fine(seed) | fine(seed + 3)).extract(kept)(toys.tokens(EXAMPLES))
    torch.testing.assert_close(extracted, expected, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(twice, expected, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("seed", range(3))
def test_files_and_padded_encoders_keep_the_neurons(seed: int, tmp_path: Path) -> None:
    kept = fine(seed)
    small = toys.encoder(3).extract(kept)
    checkpoint.save(small, tmp_path)
    read = checkpoint.load(tmp_path, 2)
    assert read.config.survivors == kept
    np.testing.assert_array_equal(predict(read, EXAMPLES), predict(small, EXAMPLES))
    whole = zero_filled(small)
    assert whole.config == toys.CONFIG
    np.testing.assert_allclose(predict(whole, EXAMPLES), predict(small, EXAMPLES), atol=1e-5)


def test_gradients_at_the_gates_of_neurons_equal_those_of_single_examples() -> None:
    encoder, kept = toys.encoder(3), fine(1)
    batched = gate_gradients(encoder, EXAMPLES, RTE, kept).gradients
    for row in range(len(EXAMPLES)):
        example = EXAMPLES.take(np.array([row]))
        gates = {
            part: torch.tensor(mask, dtype=torch.float, requires_grad=True)
            for part, mask in kept.items()
        }
        logits = encoder(toys.tokens(example), Gates(**gates))
        loss = total_loss(RTE, logits, torch.tensor(example.labels_N))
        for part, gradient in zip(gates, torch.autograd.grad(loss, [*gates.values()]), strict=True):
            np.testing.assert_allclose(batched[part][row], gradient.numpy(), atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("name", [name for name in SALIENCIES if name != "gate"])
def test_neurons_add_up_to_their_mlp(name: str) -> None:
    units = pruner(name).assess(fine(1)).importance
    np.testing.assert_allclose(units["neurons"].sum(axis=1), units["mlps"], rtol=1e-5)
    assert not units["neurons"][~fine(1)["neurons"]].any()


def test_a_search_prunes_neurons_of_the_mlps_that_are_left() -> None:
    bound = pruner()
    steps = list(search(bound, RULE, floor=1.0))  # which every phase fails at once
    assert [step.phase for step in steps] == ["full", "both", "heads", "mlps", "neurons"]
    assert steps[-1].subnetwork["neurons"].sum() == 144 - int(0.2 * 144)
    total = sum(weight.numel() for weight in bound.encoder.prunable().values())
    for step in steps:
        kept = step.subnetwork
        assert not kept["neurons"][~kept["mlps"]].any()
        left = sum(weight.numel() for weight in bound.encoder.extract(kept).prunable().values())
        assert step.sparsity == pytest.approx(1 - left / total)


@pytest.mark.parametrize("size", ["exact", "bernoulli"])
@pytest.mark.parametrize("seed", range(3))
def test_controls_have_neurons_of_their_own_mlps(seed: int, size: str) -> None:
    bound, good = pruner(), fine(seed)
    for draw in (bound.random, bound.bad):
        control = draw(good, toys.controls(random=size), rng(seed))
        assert not control["neurons"][~control["mlps"]].any()
        available = int(control["mlps"].sum()) * 48
        assert control["neurons"].sum() == min(available, good["neurons"].sum())


@pytest.mark.parametrize("seed", range(9))
def test_the_most_frequent_neurons_are_of_kept_mlps_and_as_many_as_the_good_ticket_has(
    seed: int,
) -> None:
    good, others = fine(seed), [fine(seed + 1), fine(seed + 2)]
    kept = most_frequent(good, others, rng(seed))
    assert not kept["neurons"][~kept["mlps"]].any()
    for part in good:
        assert kept[part].sum() == good[part].sum()
    counts = np.sum([other["neurons"] for other in others], axis=0)[kept["mlps"]]
    chosen = kept["neurons"][kept["mlps"]]
    if chosen.any() and not chosen.all():
        assert counts[chosen].min() >= counts[~chosen].max()
