"""Habits against survival: what is planted is found, what is not is not, and layers do not count."""

from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from msgspec.structs import asdict
from numpy.typing import NDArray

from lottery.analysis import head_patterns
from lottery.analysis.frames import rows
from lottery.analysis.survival import survival
from lottery.metrics import pearson
from lottery.report.figures import head_atlas, style
from lottery.seeds import rng
from lottery.subnetwork import Kept
from lottery.ticket import Ticket
from tests import toys
from tests.records import gaze

SHAPE = (4, 8)
SEEDS = (1, 2, 3)
masks = arrays(np.bool_, SHAPE)


def good(heads: Kept) -> list[Ticket]:
    mlps = np.ones(len(heads), bool)
    return [toys.good_ticket("rte", seed, heads, mlps) for seed in SEEDS]


def gazes(heterogeneous_LH: NDArray[np.float64]) -> pd.DataFrame:
    chance, made = rng("test"), []
    for seed, weighting, (layer, index) in product(SEEDS, ("raw", "normed"), np.ndindex(SHAPE)):
        owner = {"task": "rte", "seed": seed, "state": "finetuned", "weighting": weighting}
        own = gaze(chance, **owner, layer=layer, index=index)
        made.append(asdict(own) | {"heterogeneous": heterogeneous_LH[layer, index]})
    return pd.DataFrame(made)


def shares(values: NDArray[np.float64], kept: Kept) -> dict[str, Any]:
    """Rows of the heterogeneous share of normed maps, by group."""
    found = head_patterns.shares(gazes(values), good(kept))
    own = found[(found["number"] == "heterogeneous") & (found["weighting"] == "normed")]
    return {row.group: row for row in rows(own)}


KEPT = np.tile(np.arange(SHAPE[1]) < 3, (SHAPE[0], 1))


def test_survivors_that_are_richer_are_found() -> None:
    own = shares(np.where(KEPT, 0.8, 0.2) + rng("noise").normal(0, 0.01, SHAPE), KEPT)
    assert own["super"].mean == pytest.approx(0.8, abs=0.02)
    assert own["never"].mean == pytest.approx(0.2, abs=0.02)
    assert {group: row.n for group, row in own.items()} == {"all": 32, "super": 12, "never": 20}
    assert own["super"].p == own["never"].p == pytest.approx(1 / 2000)
    assert own["super"].random_high < 0.7
    assert np.isnan(own["all"].p)


def test_a_preference_for_layers_is_no_difference() -> None:
    kept = KEPT.copy()
    kept[0] = True
    values = np.zeros(SHAPE)
    values[0] = 1
    own = shares(values, kept)
    assert own["super"].mean > own["all"].mean
    assert own["super"].random == pytest.approx(own["super"].mean)
    assert np.isnan(own["super"].p)


@given(masks, st.integers(0, 10**6))
def test_random_heads_have_the_mean_of_their_layers(kept: Kept, seed: int) -> None:
    chance = np.random.default_rng(seed)
    values = chance.random((2, *SHAPE))
    drawn = head_patterns.random_means_RK(values, kept, chance)
    if not kept.any():
        assert np.isnan(drawn).all()
        return
    expected = (values.mean(axis=2) @ kept.sum(axis=1)) / kept.sum()
    assert drawn.mean(axis=0) == pytest.approx(expected, abs=0.05)
    if kept.all():
        assert drawn.std(axis=0) == pytest.approx(0, abs=1e-9)


def test_the_correlation_is_pearsons_over_heads() -> None:
    values = rng("values").random(SHAPE)
    found = head_patterns.correlation(gazes(values), good(KEPT))
    expected = pearson(KEPT.ravel().astype(float), values.ravel())
    assert found["r"].to_numpy() == pytest.approx(expected)
    assert found["task"].isna().sum() == 2
    assert (found["p"] > 0.01).all()
    planted = head_patterns.correlation(gazes(0.5 * values + KEPT), good(KEPT))
    assert (planted["p"] < 0.01).all()


def test_no_spread_of_survival_is_no_correlation() -> None:
    found = head_patterns.correlation(
        gazes(rng("values").random(SHAPE)), good(np.ones(SHAPE, bool))
    )
    assert found["r"].isna().all()


def test_heterogeneity_is_measured_for_super_survivors_and_all_heads() -> None:
    values = rng("values").random(SHAPE)
    found = head_patterns.heterogeneity(gazes(values), good(KEPT))
    assert found.index.tolist() == [("rte", seed) for seed in SEEDS]
    assert found["heterogeneous super"].to_numpy() == pytest.approx(values[KEPT].mean())
    assert found["heterogeneous all"].to_numpy() == pytest.approx(values.mean())
    none = head_patterns.heterogeneity(gazes(values), good(np.zeros(SHAPE, bool)))
    assert none["heterogeneous super"].isna().all()


@pytest.mark.parametrize("shape", [(6, 12), (12, 12), (2, 2)])
def test_an_atlas_has_a_framed_picture_of_every_head(
    shape: tuple[int, int], tmp_path: Path
) -> None:
    chance = rng("atlas")
    mlps = np.ones(shape[0], bool)
    found = [toys.good_ticket("rte", seed, chance.random(shape) < 0.5, mlps) for seed in SEEDS]
    frame = survival(found, heads=shape[1])
    shown = (255 * chance.random((*shape, 24, 24)) ** 4).astype(np.uint8)
    drawn = head_atlas.atlas(shown, frame[frame["unit"] == "heads"], "RTE")
    assert len(drawn.axes[0].patches) == shape[0] * shape[1]
    path = tmp_path / "atlas.png"
    style.save(drawn, path)
    assert path.stat().st_size < 200_000
