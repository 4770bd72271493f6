"""The smallest weights go first, exactly as many as asked, ties by position, each step within the last."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from lottery.model.evaluation import predict, search_score
from lottery.seeds import rng
from lottery.tasks import get_task
from lottery.tickets.magnitude import Magnitude, MagnitudeRanking
from lottery.tickets.parameters import ControlsParameters, MagnitudeParameters, PruneParameters
from lottery.tickets.search import search
from tests import toys

WEIGHTS = MagnitudeParameters(rate=0.3, biases=False, until=0.9)
HOW = ControlsParameters(draws=1, random="exact", bad="unsurvived")


def criterion(weights: MagnitudeParameters = WEIGHTS, rate: float = 0.3) -> Magnitude:
    return Magnitude(toys.encoder(), get_task("rte"), toys.sentences(40), rate, weights)


@given(
    arrays(np.float32, st.integers(1, 40), elements=st.integers(0, 5).map(np.float32)), st.data()
)
def test_exactly_the_smallest_ties_by_position(magnitudes: np.ndarray, data: st.DataObject) -> None:
    count = data.draw(st.integers(0, magnitudes.size))
    cut = data.draw(st.integers(0, magnitudes.size))
    parts = {"first": magnitudes[:cut], "second": magnitudes[cut:]}
    lowest = np.concatenate([chosen for _, chosen in MagnitudeRanking(parts).lowest(count)])
    expected = np.argsort(magnitudes, kind="stable")[:count]
    assert np.flatnonzero(lowest).tolist() == sorted(expected.tolist())


def test_the_search_is_nested_exact_and_ends_where_it_should() -> None:
    rule = PruneParameters(
        rate=0.3, threshold=0.9, floor=None, data="select", entry="fresh", curve=True
    )
    steps = list(search(criterion(), rule))
    sizes = [step.subnetwork.size for step in steps]
    assert all(after == before - int(0.3 * before) for before, after in pairwise(sizes))
    assert all(b.subnetwork <= a.subnetwork for a, b in pairwise(steps))
    assert steps[-1].subnetwork.density >= 0.1 > 0.7 * steps[-1].subnetwork.density
    assert toys.survivors(steps) <= steps[0].subnetwork


def test_one_threshold_for_the_whole_encoder() -> None:
    made = criterion()
    smaller = made.phases["weights"](made.full, {})
    assert smaller is not None
    weights = {name: w.detach().abs().numpy() for name, w in toys.encoder().prunable().items()}
    pruned = max(weights[part][~kept].max(initial=0) for part, kept in smaller.items())
    assert pruned <= min(weights[part][kept].min(initial=9) for part, kept in smaller.items())


def test_a_candidate_scores_as_its_zeroed_weights_do() -> None:
    made = criterion()
    one = made.phases["weights"](made.full, {})
    assert one is not None
    two = made.phases["weights"](one, {})
    assert two is not None
    for subnetwork in (made.full, one, two):
        zeroed = toys.encoder()
        with torch.no_grad():
            for part, kept in subnetwork.items():
                zeroed.get_parameter(part)[~torch.tensor(kept)] = 0
        expected = search_score(made.task, predict(zeroed, made.examples), made.examples)
        assert made.assess(subnetwork).score == expected


@pytest.mark.parametrize("bad", ["unsurvived", "smallest"])
def test_contrasts_have_the_size_of_the_good_one(bad: str) -> None:
    made = criterion()
    survivors = made.phases["weights"](made.full, {})
    assert survivors is not None
    how = ControlsParameters(draws=1, random="exact", bad=bad)  # type: ignore[arg-type]
    contrast = made.bad(survivors, how, rng(0))
    assert contrast.size == made.random(survivors, how, rng(0)).size == survivors.size
    if bad == "unsurvived":
        assert (contrast & survivors).size == 2 * survivors.size - survivors.total
    assert made.sparsity(contrast) == made.sparsity(survivors)
