"""m-pruning prunes exactly the smallest weights, breaks ties by position, and is nested."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from lottery.model.evaluation import predict, search_score
from lottery.seeds import rng
from lottery.subnetwork import Subnetwork
from lottery.tasks import get_task
from lottery.tickets.magnitude import Magnitude, MagnitudeRanking
from lottery.tickets.parameters import MagnitudeParameters, PruneParameters
from lottery.tickets.search import search
from tests import toys

PARAMETERS = MagnitudeParameters(rate=0.3, biases=False, until=0.9, saliency="magnitude")


def toy_pruner() -> Magnitude:
    return Magnitude(toys.encoder(), get_task("rte"), toys.sentences(40), 0.3, PARAMETERS)


def next_candidate(pruner: Magnitude, subnetwork: Subnetwork) -> Subnetwork:
    smaller = pruner.phases["weights"](subnetwork, {})
    assert smaller is not None
    return smaller


@given(
    arrays(np.float32, st.integers(1, 40), elements=st.integers(0, 5).map(np.float32)), st.data()
)
def test_the_smallest_weights_are_chosen_ties_by_position(
    magnitudes: np.ndarray, data: st.DataObject
) -> None:
    count = data.draw(st.integers(0, magnitudes.size))
    cut = data.draw(st.integers(0, magnitudes.size))
    parts = {"first": magnitudes[:cut], "second": magnitudes[cut:]}
    lowest = np.concatenate([chosen for _, chosen in MagnitudeRanking(parts).lowest(count)])
    expected = np.argsort(magnitudes, kind="stable")[:count]
    assert np.flatnonzero(lowest).tolist() == sorted(expected.tolist())


def test_search_prunes_its_share_of_the_rest_nested_until_the_limit() -> None:
    rule = PruneParameters(
        rate=0.3, threshold=0.9, floor=None, data="select", entry="fresh", curve=1
    )
    steps = list(search(toy_pruner(), rule))
    sizes = [step.subnetwork.size for step in steps]
    assert all(after == before - int(0.3 * before) for before, after in pairwise(sizes))
    assert all(after.subnetwork <= before.subnetwork for before, after in pairwise(steps))
    assert steps[-1].subnetwork.density >= 0.1 > 0.7 * steps[-1].subnetwork.density
    assert toys.survivors(steps) <= steps[0].subnetwork


def test_the_whole_encoder_has_one_magnitude_threshold() -> None:
    pruner = toy_pruner()
    candidate = next_candidate(pruner, pruner.full)
    weights = {name: w.detach().abs().numpy() for name, w in toys.encoder().prunable().items()}
    largest_pruned = max(weights[part][~kept].max(initial=0) for part, kept in candidate.items())
    smallest_kept = min(weights[part][kept].min(initial=9) for part, kept in candidate.items())
    assert largest_pruned <= smallest_kept


def test_candidates_have_the_score_of_an_encoder_with_zeroed_weights() -> None:
    pruner = toy_pruner()
    first = next_candidate(pruner, pruner.full)
    for subnetwork in (pruner.full, first, next_candidate(pruner, first)):
        zeroed = toys.encoder()
        with torch.no_grad():
            for part, kept in subnetwork.items():
                zeroed.get_parameter(part)[~torch.tensor(kept)] = 0
        expected = search_score(pruner.task, predict(zeroed, pruner.examples), pruner.examples)
        assert pruner.assess(subnetwork).score == expected


@pytest.mark.parametrize("bad", ["unsurvived", "smallest"])
def test_controls_have_the_size_of_the_good_ticket(bad: str) -> None:
    pruner = toy_pruner()
    good = next_candidate(pruner, pruner.full)
    parameters = toys.controls(bad=bad)
    control = pruner.bad(good, parameters, rng(0))
    assert control.size == pruner.random(good, parameters, rng(0)).size == good.size
    if bad == "unsurvived":
        assert (control & good).size == 2 * good.size - good.total
    assert pruner.sparsity(control) == pruner.sparsity(good)
