"""Subnetworks are sets: algebra, sizes, files."""

import json
import math
import tempfile
from pathlib import Path
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from safetensors.numpy import save

from lottery import subnetwork
from lottery.errors import UserError
from lottery.subnetwork import Subnetwork, unpacked

shapes = st.dictionaries(
    st.text("abc.", min_size=1, max_size=4),
    array_shapes(max_dims=2, max_side=9),
    min_size=1,
    max_size=3,
)


@st.composite
def subnetworks(draw: st.DrawFn, count: int) -> list[Subnetwork]:
    """Subnetworks of one encoder."""
    encoder = draw(shapes)
    return [
        Subnetwork({part: draw(arrays(bool, shape)) for part, shape in encoder.items()})
        for _ in range(count)
    ]


@given(subnetworks(2))
def test_the_algebra_is_that_of_sets(pair: list[Subnetwork]) -> None:
    a, b = pair
    assert ~~a == a
    assert a & b == b & a
    assert ~(a | b) == ~a & ~b
    assert (a - b).size == a.size - (a & b).size
    assert a & b <= a <= a | b
    assert a.size + (~a).size == a.total == Subnetwork.full(a.shapes).size
    assert (a == b) == (a.digest == b.digest)


@given(subnetworks(1), st.randoms())
def test_equal_subnetworks_have_one_hash_and_equal_parts_in_their_order(
    one: list[Subnetwork], random: Random
) -> None:
    parts = list(one[0].items())
    random.shuffle(parts)
    shuffled = Subnetwork(parts)
    assert (shuffled == one[0]) == (list(shuffled) == list(one[0]))
    assert len({shuffled, *one}) == 1 + (shuffled != one[0])
    assert (shuffled == one[0]) == (shuffled.digest == one[0].digest)


@given(subnetworks(1))
def test_loading_returns_what_was_saved(saved: list[Subnetwork]) -> None:
    path = Path(tempfile.gettempdir()) / f"{saved[0].digest}.safetensors"
    saved[0].save(path, task="rte", seed=3)
    loaded, identity = subnetwork.load(path)
    path.unlink()
    assert loaded == saved[0]
    assert identity == {"task": "rte", "seed": 3}
    assert Subnetwork.unflatten(loaded.shapes, loaded.flat) == loaded


def test_equal_subnetworks_are_saved_as_equal_bytes(tmp_path: Path) -> None:
    kept = Subnetwork({"mlps": np.ones(3, bool), "heads": np.eye(3, dtype=bool)})
    path, contents = tmp_path / "kept", set()
    for _ in range(20):
        kept.save(path, task="rte", seed=3, method="structured", kind="good")
        contents.add(path.read_bytes())
    assert len(contents) == 1


def test_subnetworks_are_immutable() -> None:
    kept = np.ones((2, 3), bool)
    heads = Subnetwork({"heads": kept})
    kept[0] = False
    assert heads.size == 6
    with pytest.raises(ValueError, match="read-only"):
        heads["heads"][0, 0] = False
    assert heads.replace(heads=np.zeros((2, 3), bool)).size == 0
    with pytest.raises(KeyError, match="mlps"):
        heads.replace(mlps=kept)


def test_arrays_other_than_boolean_are_refused() -> None:
    with pytest.raises(TypeError, match="float64"):
        Subnetwork({"heads": np.ones(3)})


def test_subnetworks_of_different_encoders_cannot_be_combined() -> None:
    with pytest.raises(ValueError, match="different encoders"):
        Subnetwork({"heads": np.ones(3, bool)}) & Subnetwork({"heads": np.ones(4, bool)})


@given(st.lists(st.integers(0, 20), max_size=3), st.integers(0, 1000))
def test_bits_of_another_shape_are_refused(shape: list[int], size: int) -> None:
    bits = np.zeros(size, np.uint8)
    if 8 * size - 8 < math.prod(shape) <= 8 * size:
        assert unpacked(bits, shape).shape == tuple(shape)
    else:
        with pytest.raises(ValueError, match="bytes of bits for the shape"):
            unpacked(bits, shape)


@pytest.mark.parametrize("stated", [[4, 5], [1, 4], [-2, 4], [2.0, 4.0], "24", 8, None])
def test_a_file_that_states_another_shape_is_a_user_error(tmp_path: Path, stated: object) -> None:
    bits = np.packbits(np.ones((2, 5), bool))
    header = {"shapes": {"heads": stated}, "identity": {}}
    path = tmp_path / "x.safetensors"
    path.write_bytes(save({"heads": bits}, {"about": json.dumps(header)}))
    with pytest.raises(UserError, match="not a readable subnetwork"):
        subnetwork.load(path)


def test_damaged_and_missing_files_are_user_errors(tmp_path: Path) -> None:
    (tmp_path / "x.safetensors").write_bytes(b"nonsense")
    for name in ("x.safetensors", "missing.safetensors"):
        with pytest.raises(UserError, match="not a readable subnetwork"):
            subnetwork.load(tmp_path / name)
