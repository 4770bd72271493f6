"""Heads and their attention: slopes within layers, unstable heads, super-survivors."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf

from lottery.analysis.heads import COLUMNS, measure, slopes, super_survivors, unstable
from lottery.seeds import rng
from lottery.subnetwork import Kept
from tests import toys

MLPS = np.ones(3, bool)


def heads(seed: int = 1, slope: float = 0.3) -> pd.DataFrame:
    """Heads of three layers, of which some survive, with more heterogeneous maps by `slope`."""
    random = rng("heads", seed)
    layer, index = (place.ravel() for place in np.indices((3, 8)))
    kept = (random.random(24) < 0.3 + 0.2 * layer).astype(float)
    shares = [0.1 * layer + slope * kept + random.normal(0, 0.05, 24) for _ in range(2)]
    return pd.DataFrame(dict(zip(COLUMNS, ("rte", seed, layer, index, kept, *shares), strict=True)))


def test_the_slope_of_a_cell_is_that_of_a_regression_with_layers() -> None:
    frame = heads()
    fit = smf.ols("heterogeneous ~ kept + C(layer)", frame).fit()
    slope = slopes(frame)["slope heterogeneous"].to_list()
    assert slope == pytest.approx([fit.params["kept"]])
    assert slope == pytest.approx([0.3], abs=0.1)


def test_a_preference_for_layers_is_no_slope() -> None:
    frame = heads(slope=0.0)
    frame["rule"] = 0.2 * frame["layer"]
    assert slopes(frame)["slope rule"].to_list() == pytest.approx([0], abs=1e-12)
    constant = frame.assign(kept=(frame["layer"] > 0).astype(float))
    assert slopes(constant).isna().all(axis=None)


def test_heads_meet_their_profiles() -> None:
    kept = rng("kept").random((3, 4)) < 0.5
    profiles = pd.DataFrame(
        [
            ("rte", float(seed), state, "normed", layer, index, layer / 10, index / 10)
            for seed in (1, 2)
            for state in ("finetuned", "pruned")
            for layer, index in np.ndindex(3, 4)
        ],
        columns=["task", "seed", "state", "weighting", "layer", "index", "heterogeneous", "rule"],
    )
    frame = measure(profiles, [toys.good_ticket("rte", 1, kept, MLPS)])
    assert frame["seed"].unique().tolist() == [1]
    assert frame["kept"].to_list() == kept.ravel().astype(float).tolist()
    assert frame["rule"].to_list() == [0.0, 0.1, 0.2, 0.3] * 3


def test_heads_are_unstable_or_survive_with_every_seed_or_with_none() -> None:
    masks: list[Kept] = [
        np.array([[True, True, False, False]] * 3),
        np.array([[True, False, True, False]] * 3),
    ]
    tickets = [toys.good_ticket("rte", seed, kept, MLPS) for seed, kept in enumerate(masks)]
    [row] = unstable(tickets).to_dict("records")
    assert (row["mean"], row["n"]) == (0.5, 12)
    assert unstable(tickets[:1]).empty
    frame = pd.concat([heads(1), heads(2)]).assign(kept=1.0)
    supers = super_survivors(frame).set_index("quantity")
    assert supers["n"].to_dict() == {"super heterogeneous": 24, "super rule": 24}
    assert supers["mean"].to_dict()["super rule"] == pytest.approx(frame["rule"].mean())
    assert super_survivors(frame.assign(kept=0.0)).empty
