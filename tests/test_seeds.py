"""Named random streams."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from lottery.seeds import entropy, rng

streams = st.lists(st.text(max_size=5) | st.integers(0, 2**32 - 1), max_size=4)


@given(streams)
def test_a_stream_depends_on_its_names_alone(stream: list[str | int]) -> None:
    first = rng(*stream).random(4)
    rng("another", 1).random(9)
    assert np.array_equal(first, rng(*stream).random(4))
    assert 0 <= entropy(*stream) < 2**63


@given(streams, streams)
def test_different_names_give_different_streams(
    one: list[str | int], other: list[str | int]
) -> None:
    assert (entropy(*one) == entropy(*other)) == (one == other)


def test_streams_are_the_same_on_every_machine() -> None:
    assert entropy(1337, "random", "sst2", 0) == 2672563654570440437


def test_streams_of_adjacent_seeds_are_uncorrelated() -> None:
    draws = np.stack([rng(seed, "random", "sst2").random(2000) for seed in range(8)])
    correlation = np.corrcoef(draws) - np.eye(8)
    assert np.abs(correlation).max() < 0.1
