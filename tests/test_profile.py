"""Habits of heads: descriptors of maps that are known, and records of an encoder that is a toy."""

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
def test_descriptors_of_plain_maps(size: int) -> None:
    last = np.arange(size) == size - 1
    plain = np.stack([np.eye(size), np.ones((size, size)), np.tile(np.eye(size)[0], (size, 1))])
    found = descriptors(plain, last)
    assert found["entropy"] == pytest.approx([0, 1, 0], abs=1e-9)
    assert found["itself"] == pytest.approx([1, 1 / size, 1 / size])
    assert found["cls"] == pytest.approx([1 / size, 1 / size, 1])
    assert found["sep"] == pytest.approx([1 / size, 1 / size, 0])
    assert found["distance"] == pytest.approx([0, (size**2 - 1) / (3 * size), (size - 1) / 2])


def test_every_head_has_its_means_over_the_sentences() -> None:
    torch.manual_seed(0)
    model, sentences, subnetwork = classifier.network(), toys.sentences(6), toys.subnetwork(1)
    pruned = toys.encoder().extract(subnetwork)
    found = list(profile.observe(pruned, sentences, model, ("rte", 7, "pruned")))
    heads = {(at, head) for at, head in np.argwhere(subnetwork["heads"]).tolist()}
    assert {(gaze.layer, gaze.index) for gaze in found} == heads
    assert len(found) == 2 * len(heads)
    for gaze in found:
        assert sum(getattr(gaze, name) for name in PATTERNS) == pytest.approx(1)
        assert (gaze.task, gaze.seed, gaze.state, gaze.examples) == ("rte", 7, "pruned", 6)
    layer = next(maps(pruned, toys.tokens(sentences)))
    lengths = enumerate(sentences.lengths_N)
    own = [layer.of(at, n)["raw"][0].diagonal().mean().item() for at, n in lengths]
    raw = next(gaze for gaze in found if gaze.weighting == "raw")
    assert (raw.layer, raw.index) == (layer.layer, layer.heads[0])
    assert raw.itself == pytest.approx(np.mean(own), abs=1e-5)


def test_pictures_show_the_heads_that_are_left() -> None:
    subnetwork = toys.subnetwork(1)
    sentence = profile.typical(toys.sentences(9))
    shown = profile.pictures(toys.encoder().extract(subnetwork), sentence, "normed")
    assert ((shown.max(axis=(2, 3)) >= 254) == subnetwork["heads"]).all()
    assert (shown[~subnetwork["heads"]] == 0).all()


@given(st.integers(1, 30), st.integers(0, 9))
def test_a_sample_is_of_different_sentences_and_no_more_than_there_are(
    count: int, seed: int
) -> None:
    examples = toys.sentences(12, longest=20)
    taken = profile.sample(examples, count, np.random.default_rng(seed))
    assert len(taken) == min(count, 12)
    lengths = sorted(examples.lengths_N.tolist())
    assert profile.typical(examples).lengths_N.tolist() == [lengths[6]]
