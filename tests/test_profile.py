"""Attention profiles: descriptors of maps with known values, and profiles of a toy encoder's heads."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from lottery.attention import classifier, profile
from lottery.attention.descriptors import descriptors
from lottery.attention.maps import maps
from lottery.attention.patterns import PATTERNS
from tests import toys


@given(st.integers(2, 40))
def test_descriptors_of_diagonal_uniform_and_vertical_maps(size: int) -> None:
    separator = np.arange(size) == size - 1
    vertical = np.tile(np.eye(size)[0], (size, 1))
    values = descriptors(np.stack([np.eye(size), np.ones((size, size)), vertical]), separator)
    assert values["entropy"] == pytest.approx([0, 1, 0], abs=1e-9)
    assert values["itself"] == pytest.approx([1, 1 / size, 1 / size])
    assert values["cls"] == pytest.approx([1 / size, 1 / size, 1])
    assert values["sep"] == pytest.approx([1 / size, 1 / size, 0])
    assert values["distance"] == pytest.approx([0, (size**2 - 1) / (3 * size), (size - 1) / 2])


def test_every_remaining_head_has_a_profile_averaged_over_the_sentences() -> None:
    torch.manual_seed(0)
    network, sentences, subnetwork = classifier.network(), toys.sentences(6), toys.subnetwork(1)
    pruned = toys.encoder().extract(subnetwork)
    profiles = list(profile.observe(pruned, sentences, network, ("rte", 7, "pruned")))
    heads = {(layer, head) for layer, head in np.argwhere(subnetwork["heads"]).tolist()}
    assert {(row.layer, row.index) for row in profiles} == heads
    assert len(profiles) == 2 * len(heads)
    for row in profiles:
        assert sum(getattr(row, name) for name in PATTERNS) == pytest.approx(1)
        assert (row.task, row.seed, row.state, row.examples) == ("rte", 7, "pruned", 6)
    layer = next(maps(pruned, toys.tokens(sentences)))
    first_head = [
        layer.of_sentence(index, length)["raw"][0]
        for index, length in enumerate(sentences.lengths_N)
    ]
    raw = next(row for row in profiles if row.weighting == "raw")
    assert (raw.layer, raw.index) == (layer.layer, layer.heads[0])
    to_itself = [map_NN.diagonal().mean().item() for map_NN in first_head]
    assert raw.itself == pytest.approx(np.mean(to_itself), abs=1e-5)


def test_pictures_show_the_remaining_heads() -> None:
    subnetwork = toys.subnetwork(1)
    sentence = profile.typical(toys.sentences(9))
    picture_LHXX = profile.pictures(toys.encoder().extract(subnetwork), sentence, "normed")
    assert ((picture_LHXX.max(axis=(2, 3)) >= 254) == subnetwork["heads"]).all()
    assert (picture_LHXX[~subnetwork["heads"]] == 0).all()


@given(st.integers(1, 30), st.integers(0, 9))
def test_a_sample_has_no_more_sentences_than_there_are(count: int, seed: int) -> None:
    examples = toys.sentences(12, longest=20)
    sample = profile.sample(examples, count, np.random.default_rng(seed))
    assert len(sample) == min(count, 12)


def test_the_typical_sentence_has_the_median_length() -> None:
    examples = toys.sentences(12, longest=20)
    lengths = sorted(examples.lengths_N.tolist())
    assert profile.typical(examples).lengths_N.tolist() == [lengths[6]]
