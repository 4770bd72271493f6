"""Attention profiles and survival: planted differences are found, those between layers are not."""

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
from tests.records import head_profile

SHAPE = (4, 8)
SEEDS = (1, 2, 3)
masks = arrays(np.bool_, SHAPE)


def good(heads: Kept) -> list[Ticket]:
    mlps = np.ones(len(heads), bool)
    return [toys.good_ticket("rte", seed, heads, mlps) for seed in SEEDS]


def profiles(heterogeneous_LH: NDArray[np.float64]) -> pd.DataFrame:
    """Random profiles of all heads with these shares of heterogeneous maps."""
    random, records = rng("test"), []
    for seed, weighting, (layer, index) in product(SEEDS, ("raw", "normed"), np.ndindex(SHAPE)):
        setting = {"task": "rte", "seed": seed, "state": "finetuned", "weighting": weighting}
        profile = head_profile(random, **setting, layer=layer, index=index)
        records.append(asdict(profile) | {"heterogeneous": heterogeneous_LH[layer, index]})
    return pd.DataFrame(records)


def shares(values: NDArray[np.float64], kept: Kept) -> dict[str, Any]:
    """Rows of the heterogeneous share of normed maps, by group."""
    table = head_patterns.shares(profiles(values), good(kept))
    normed = table[(table["descriptor"] == "heterogeneous") & (table["weighting"] == "normed")]
    return {row.group: row for row in rows(normed)}


KEPT = np.tile(np.arange(SHAPE[1]) < 3, (SHAPE[0], 1))


def test_a_planted_difference_of_survivors_is_significant() -> None:
    groups = shares(np.where(KEPT, 0.8, 0.2) + rng("noise").normal(0, 0.01, SHAPE), KEPT)
    assert groups["super"].mean == pytest.approx(0.8, abs=0.02)
    assert groups["never"].mean == pytest.approx(0.2, abs=0.02)
    assert {group: row.n for group, row in groups.items()} == {"all": 32, "super": 12, "never": 20}
    assert groups["super"].p == groups["never"].p == pytest.approx(1 / 2000)
    assert groups["super"].random_high < 0.7
    assert np.isnan(groups["all"].p)


def test_a_difference_between_layers_alone_is_not_tested() -> None:
    kept = KEPT.copy()
    kept[0] = True
    values = np.zeros(SHAPE)
    values[0] = 1
    groups = shares(values, kept)
    assert groups["super"].mean > groups["all"].mean
    assert groups["super"].random == pytest.approx(groups["super"].mean)
    assert np.isnan(groups["super"].p)


@given(masks, st.integers(0, 10**6))
def test_random_heads_have_the_means_of_their_layers(kept: Kept, seed: int) -> None:
    random = np.random.default_rng(seed)
    values = random.random((2, *SHAPE))
    means_RK = head_patterns.random_means_RK(values, kept, random)
    if not kept.any():
        assert np.isnan(means_RK).all()
        return
    expected = (values.mean(axis=2) @ kept.sum(axis=1)) / kept.sum()
    assert means_RK.mean(axis=0) == pytest.approx(expected, abs=0.05)
    if kept.all():
        assert means_RK.std(axis=0) == pytest.approx(0, abs=1e-9)


def test_correlation_is_pearsons_r_over_heads() -> None:
    values = rng("values").random(SHAPE)
    unrelated = head_patterns.correlation(profiles(values), good(KEPT))
    expected = pearson(KEPT.ravel().astype(float), values.ravel())
    assert unrelated["r"].to_numpy() == pytest.approx(expected)
    assert unrelated["task"].isna().sum() == 2
    assert (unrelated["p"] > 0.01).all()
    planted = head_patterns.correlation(profiles(0.5 * values + KEPT), good(KEPT))
    assert (planted["p"] < 0.01).all()


def test_constant_survival_has_no_correlation() -> None:
    values, everything = rng("values").random(SHAPE), np.ones(SHAPE, bool)
    correlation = head_patterns.correlation(profiles(values), good(everything))
    assert correlation["r"].isna().all()


@pytest.mark.parametrize("shape", [(6, 12), (12, 12), (2, 2)])
def test_the_head_atlas_has_a_framed_picture_of_every_head(
    shape: tuple[int, int], tmp_path: Path
) -> None:
    random, mlps = rng("atlas"), np.ones(shape[0], bool)
    tickets = [toys.good_ticket("rte", seed, random.random(shape) < 0.5, mlps) for seed in SEEDS]
    table = survival(tickets, heads=shape[1])
    pictures = (255 * random.random((*shape, 24, 24)) ** 4).astype(np.uint8)
    figure = head_atlas.atlas(pictures, table[table["unit"] == "heads"], "RTE")
    assert len(figure.axes[0].patches) == shape[0] * shape[1]
    path = tmp_path / "atlas.png"
    style.save(figure, path)
    assert path.stat().st_size < 200_000
