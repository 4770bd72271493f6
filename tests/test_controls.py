"""Contrasts have the size of the good subnetwork, and the overlap that arithmetic leaves them."""

from functools import partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from lottery.seeds import rng
from lottery.subnetwork import Subnetwork
from lottery.tickets import controls

kept_arrays = st.integers(1, 60).flatmap(lambda n: arrays(bool, n))
seeds_of_kept = st.tuples(st.integers(1, 5), st.integers(1, 40)).flatmap(lambda s: arrays(bool, s))
seeds = st.integers(0, 2**32 - 1)


@given(kept_arrays, seeds)
def test_random_ones_have_the_exact_size(kept: np.ndarray, seed: int) -> None:
    assert controls.exact(kept, rng(seed)).sum() == kept.sum()


@given(kept_arrays, seeds)
def test_bad_ones_share_only_what_they_must(kept: np.ndarray, seed: int) -> None:
    bad, size = controls.unsurviving(kept, rng(seed)), int(kept.sum())
    assert bad.sum() == size
    assert (bad & kept).sum() == max(0, 2 * size - kept.size)


@given(seeds_of_kept, seeds)
def test_super_contrasts_have_the_size_of_the_super_survivors(
    kept_SN: np.ndarray, seed: int
) -> None:
    per_seed = list(kept_SN)
    always, never = kept_SN.all(axis=0), ~kept_SN.any(axis=0)
    middle = ~always & ~never
    survivors, bad = controls.super_survivors(per_seed), controls.super_bad(per_seed, rng(seed))
    random = controls.super_random(per_seed, rng(seed))
    assert (survivors == always).all()
    assert survivors.sum() == bad.sum() == random.sum()
    assert (bad & always).sum() == max(0, 2 * always.sum() - always.size)
    assert (bad & never).sum() == min(never.sum(), always.sum())
    assert (random & middle).sum() == min(middle.sum(), always.sum())


def test_every_component_is_equally_likely() -> None:
    kept = np.arange(10) < 3
    counts = sum(controls.exact(kept, rng(draw)).astype(int) for draw in range(2000))
    assert np.abs(counts / 2000 - 0.3).max() < 0.05
    assert (
        np.abs(np.mean([controls.bernoulli(kept, rng(d)).mean() for d in range(500)]) - 0.3) < 0.03
    )


def test_heads_are_drawn_for_heads_and_weights_wherever_they_lie() -> None:
    good = Subnetwork({"heads": np.eye(4, dtype=bool), "mlps": np.array([True, False, False])})
    by_part = controls.by_part(good, partial(controls.exact, rng=rng(0)))
    assert (by_part["heads"].sum(), by_part["mlps"].sum()) == (4, 1)
    pooled = [controls.pooled(good, partial(controls.exact, rng=rng(d))) for d in range(9)]
    assert {each.size for each in pooled} == {5}
    assert len({int(each["mlps"].sum()) for each in pooled}) > 1


def test_a_stream_decides_the_draw_and_nothing_else() -> None:
    kept = np.arange(50) < 20
    assert (controls.exact(kept, rng(1, "a")) == controls.exact(kept, rng(1, "a"))).all()
    assert (controls.exact(kept, rng(1, "a")) != controls.exact(kept, rng(1, "b"))).any()


def test_too_small_tiers_are_an_error() -> None:
    with pytest.raises(ValueError, match="1 components too few"):
        controls.fill(3, [np.array([True, True, False])], rng(0))
