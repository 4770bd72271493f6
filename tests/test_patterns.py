"""Attention patterns: maps drawn from their definitions, classified by the rule and by the network."""

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from lottery.attention import annotated, classifier
from lottery.attention.patterns import PATTERNS, PatternAccuracy, classify_by_rule, draw
from lottery.errors import UserError
from lottery.seeds import rng

SIZES = st.integers(16, 64)


def ruled(map_NN: NDArray[np.float64]) -> str:
    """The pattern that the rule assigns."""
    return PATTERNS[int(classify_by_rule(map_NN[None])[0])]


def stripe(size: int) -> NDArray[np.float64]:
    return np.tile(np.eye(size)[-1], (size, 1))


@given(SIZES)
def test_the_rule_classifies_pure_patterns(size: int) -> None:
    second = np.arange(size) >= size // 2
    assert ruled(np.eye(size)) == "diagonal"
    assert ruled(stripe(size)) == "vertical"
    assert ruled(np.eye(size) + stripe(size)) == "mixed"
    assert ruled((second[:, None] == second).astype(float)) == "block"
    assert ruled(np.ones((size, size))) == "heterogeneous"


@given(st.integers(2, 7), st.integers(0, 99))
def test_the_rule_classifies_the_shortest_sentences(size: int, seed: int) -> None:
    assert ruled(np.random.default_rng(seed).random((size, size)) + 0.01) in PATTERNS


@given(st.sampled_from(PATTERNS), st.integers(0, 10**6), st.floats(0.01, 100))
def test_the_rule_depends_on_the_distribution_of_attention_only(
    pattern: str, seed: int, scale: float
) -> None:
    map_NN = draw(pattern, rng("test", seed))
    assert map_NN.shape == (len(map_NN), len(map_NN))
    assert (map_NN >= 0).all()
    assert (map_NN.sum(axis=1) > 0).all()
    assert ruled(scale * map_NN) == ruled(map_NN)
    diagonal = np.eye(len(map_NN))
    together = classify_by_rule(np.stack([map_NN, diagonal]))
    assert [PATTERNS[index] for index in together] == [ruled(map_NN), ruled(diagonal)]


@pytest.mark.parametrize("pattern", PATTERNS)
def test_the_rule_agrees_with_most_drawn_maps(pattern: str) -> None:
    patterns = [ruled(draw(pattern, rng("test", pattern, number))) for number in range(40)]
    assert patterns.count(pattern) > 24


@pytest.fixture(scope="module")
def trained() -> tuple[torch.nn.Sequential, list[PatternAccuracy]]:
    torch.set_num_threads(1)
    return classifier.train(*classifier.draw_maps(120), 12, lambda done, total: None)


def test_the_network_learns_the_patterns(
    trained: tuple[torch.nn.Sequential, list[PatternAccuracy]],
) -> None:
    _, rows = trained
    assert [sum(row.recogniser for row in rows if row.pattern == name) for name in PATTERNS] == [24] * 5  # fmt: skip
    assert sum(row.recogniser for row in rows if row.told == row.pattern) > 0.7 * 120
    assert sum(row.rule for row in rows) == 120


def test_a_reloaded_network_classifies_alike(
    trained: tuple[torch.nn.Sequential, list[PatternAccuracy]], tmp_path: Path
) -> None:
    network, _ = trained
    classifier.save(network, tmp_path / "network.safetensors")
    reloaded = classifier.load(tmp_path / "network.safetensors")
    pictures = torch.rand(9, classifier.SIDE, classifier.SIDE)
    assert (classifier.classify(network, pictures) == classifier.classify(reloaded, pictures)).all()
    with pytest.raises(UserError, match="no classifier"):
        classifier.load(tmp_path / "nothing.safetensors")


@given(st.integers(1, 80), st.floats(1e-3, 1e3))
def test_pictures_have_one_size_and_one_scale(size: int, scale: float) -> None:
    map_HNN = torch.rand(3, size, size, generator=torch.Generator().manual_seed(size)) + 0.1
    picture_HXX = classifier.to_pictures(map_HNN)
    assert picture_HXX.shape == (3, classifier.SIDE, classifier.SIDE)
    torch.testing.assert_close(picture_HXX.amax(dim=(1, 2)), torch.ones(3))
    torch.testing.assert_close(classifier.to_pictures(scale * map_HNN), picture_HXX)


def labels(folder: Path, *rows: str) -> Path:
    (folder / "labels.csv").write_text("\n".join(["file,pattern", *rows]), encoding="utf-8")
    return folder


def test_labelled_maps_are_read_and_split_by_pattern(tmp_path: Path) -> None:
    names = [f"{pattern}-{number}.npy" for pattern in PATTERNS for number in range(10)]
    for value, name in enumerate(names, start=1):
        np.save(tmp_path / name, np.full((8, 8), value))
    maps = annotated.read(labels(tmp_path, *(f"{name},{name[:-6]}" for name in names)))
    training, held_out = classifier.split(maps)
    for pattern in PATTERNS:
        assert (len(training[pattern]), len(held_out[pattern])) == (8, 2)
        values = {map_NN[0, 0] for map_NN in (*training[pattern], *held_out[pattern])}
        assert values == {map_NN[0, 0] for map_NN in maps[pattern]}
        assert len(values) == 10


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (["even.npy,spiral"], "labelled 'spiral'"),
        (["even.npy,block"], "0 maps labelled heterogeneous"),
        (["wide.npy,block"], r"shape \(2, 3\)"),
        (["gone.npy,block"], "missing"),
    ],
)
def test_invalid_labelled_maps_are_refused(tmp_path: Path, rows: list[str], message: str) -> None:
    np.save(tmp_path / "even.npy", np.ones((4, 4)))
    np.save(tmp_path / "wide.npy", np.ones((2, 3)))
    with pytest.raises(UserError, match=message):
        annotated.read(labels(tmp_path, *rows))
    with pytest.raises(UserError, match="no table"):
        annotated.read(tmp_path / "nowhere")
