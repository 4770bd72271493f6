"""Patterns of attention: drawn as they are defined, told apart by the rule and by what learns them."""

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from lottery.attention import annotated, classifier
from lottery.attention.patterns import PATTERNS, PatternAccuracy, by_rule, draw
from lottery.errors import UserError
from lottery.seeds import rng

SIZES = st.integers(16, 64)


def told(map_NN: NDArray[np.float64]) -> str:
    return PATTERNS[int(by_rule(map_NN[None])[0])]


def stripe(size: int) -> NDArray[np.float64]:
    return np.tile(np.eye(size)[-1], (size, 1))


@given(SIZES)
def test_the_rule_knows_every_pattern_in_its_purest_form(size: int) -> None:
    second = np.arange(size) >= size // 2
    assert told(np.eye(size)) == "diagonal"
    assert told(stripe(size)) == "vertical"
    assert told(np.eye(size) + stripe(size)) == "mixed"
    assert told((second[:, None] == second).astype(float)) == "block"
    assert told(np.ones((size, size))) == "heterogeneous"


@given(st.integers(2, 7), st.integers(0, 99))
def test_the_rule_has_an_answer_for_the_shortest_sentences(size: int, seed: int) -> None:
    assert told(np.random.default_rng(seed).random((size, size)) + 0.01) in PATTERNS


@given(st.sampled_from(PATTERNS), st.integers(0, 10**6), st.floats(0.01, 100))
def test_the_rule_asks_only_how_attention_is_distributed(
    pattern: str, seed: int, scale: float
) -> None:
    drawn = draw(pattern, rng("test", seed))
    assert drawn.shape == (len(drawn), len(drawn))
    assert (drawn >= 0).all()
    assert (drawn.sum(axis=1) > 0).all()
    assert told(scale * drawn) == told(drawn)
    both = np.stack([drawn, np.eye(len(drawn))])
    assert by_rule(both).tolist() == [by_rule(each[None])[0] for each in both]


@pytest.mark.parametrize("pattern", PATTERNS)
def test_what_is_drawn_is_mostly_what_the_rule_tells(pattern: str) -> None:
    drawn = [told(draw(pattern, rng("test", pattern, at))) for at in range(40)]
    assert drawn.count(pattern) > 24


@pytest.fixture(scope="module")
def learned() -> tuple[torch.nn.Sequential, list[PatternAccuracy]]:
    torch.set_num_threads(1)
    return classifier.train(*classifier.drawn(120), 12, lambda done, total: None)


def test_patterns_can_be_learned(
    learned: tuple[torch.nn.Sequential, list[PatternAccuracy]],
) -> None:
    _, rows = learned
    assert [sum(row.recogniser for row in rows if row.pattern == name) for name in PATTERNS] == [24] * 5  # fmt: skip
    assert sum(row.recogniser for row in rows if row.told == row.pattern) > 0.7 * 120
    assert sum(row.rule for row in rows) == 120


def test_a_saved_network_sees_the_same(
    learned: tuple[torch.nn.Sequential, list[PatternAccuracy]], tmp_path: Path
) -> None:
    model, _ = learned
    classifier.save(model, tmp_path / "it.safetensors")
    again = classifier.load(tmp_path / "it.safetensors")
    pictures = torch.rand(9, classifier.SIDE, classifier.SIDE)
    assert (classifier.classify(model, pictures) == classifier.classify(again, pictures)).all()
    with pytest.raises(UserError, match="no network"):
        classifier.load(tmp_path / "nothing.safetensors")


@given(st.integers(1, 80), st.floats(1e-3, 1e3))
def test_pictures_have_one_size_and_one_scale(size: int, scale: float) -> None:
    drawn = torch.rand(3, size, size, generator=torch.Generator().manual_seed(size)) + 0.1
    seen = classifier.picture_HXX(drawn)
    assert seen.shape == (3, classifier.SIDE, classifier.SIDE)
    torch.testing.assert_close(seen.amax(dim=(1, 2)), torch.ones(3))
    torch.testing.assert_close(classifier.picture_HXX(scale * drawn), seen)


def labels(folder: Path, *rows: str) -> Path:
    (folder / "labels.csv").write_text("\n".join(["file,pattern", *rows]), encoding="utf-8")
    return folder


def test_labelled_maps_are_read_and_split_by_pattern(tmp_path: Path) -> None:
    names = [f"{pattern}-{at}.npy" for pattern in PATTERNS for at in range(10)]
    for at, name in enumerate(names):
        np.save(tmp_path / name, np.full((8, 8), at + 1))
    found = annotated.read(labels(tmp_path, *(f"{name},{name[:-6]}" for name in names)))
    maps, tried = classifier.split(found)
    for pattern in PATTERNS:
        assert (len(maps[pattern]), len(tried[pattern])) == (8, 2)
        values = {each[0, 0] for each in (*maps[pattern], *tried[pattern])}
        assert values == {each[0, 0] for each in found[pattern]}
        assert len(values) == 10


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (["even.npy,spiral"], "labelled 'spiral'"),
        (["even.npy,block"], "0 maps labelled heterogeneous"),
        (["wide.npy,block"], r"shape \(2, 3\)"),
        (["gone.npy,block"], "no readable array"),
    ],
)
def test_what_cannot_be_read_is_said(tmp_path: Path, rows: list[str], message: str) -> None:
    np.save(tmp_path / "even.npy", np.ones((4, 4)))
    np.save(tmp_path / "wide.npy", np.ones((2, 3)))
    with pytest.raises(UserError, match=message):
        annotated.read(labels(tmp_path, *rows))
    with pytest.raises(UserError, match="no table"):
        annotated.read(tmp_path / "nowhere")
