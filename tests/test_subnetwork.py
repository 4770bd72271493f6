"""Subnetworks are sets: their algebra, their sizes, their way to disk and back."""

import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from lottery import subnetwork
from lottery.errors import UserError
from lottery.subnetwork import Subnetwork

shapes = st.dictionaries(
    st.text("abc.", min_size=1, max_size=4),
    array_shapes(max_dims=2, max_side=9),
    min_size=1,
    max_size=3,
)


@st.composite
def several(draw: st.DrawFn, count: int) -> list[Subnetwork]:
    of = draw(shapes)
    return [
        Subnetwork({part: draw(arrays(bool, shape)) for part, shape in of.items()})
        for _ in range(count)
    ]


@given(several(2))
def test_the_algebra_is_that_of_sets(two: list[Subnetwork]) -> None:
    a, b = two
    assert ~~a == a
    assert a & b == b & a
    assert ~(a | b) == ~a & ~b
    assert (a - b).size == a.size - (a & b).size
    assert a & b <= a <= a | b
    assert a.size + (~a).size == a.total == Subnetwork.full(a.shapes).size
    assert (a == b) == (a.digest == b.digest)


@given(several(1))
def test_saved_ones_come_back(one: list[Subnetwork]) -> None:
    path = Path(tempfile.gettempdir()) / f"{one[0].digest}.safetensors"
    one[0].save(path, task="rte", seed=3)
    again, identity = subnetwork.load(path)
    path.unlink()
    assert again == one[0]
    assert identity == {"task": "rte", "seed": 3}
    assert Subnetwork.unflatten(again.shapes, again.flat) == again


def test_the_same_subnetwork_is_the_same_bytes(tmp_path: Path) -> None:
    one, path = (
        Subnetwork({"mlps": np.ones(3, bool), "heads": np.eye(3, dtype=bool)}),
        tmp_path / "one",
    )
    written = set()
    for _ in range(20):
        one.save(path, task="rte", seed=3, method="structured", kind="good")
        written.add(path.read_bytes())
    assert len(written) == 1


def test_a_subnetwork_cannot_be_changed() -> None:
    kept = np.ones((2, 3), bool)
    one = Subnetwork({"heads": kept})
    kept[0] = False
    assert one.size == 6
    with pytest.raises(ValueError, match="read-only"):
        one["heads"][0, 0] = False
    assert one.replace(heads=np.zeros((2, 3), bool)).size == 0
    with pytest.raises(KeyError, match="mlps"):
        one.replace(mlps=kept)


def test_only_bools_are_kept_or_not() -> None:
    with pytest.raises(TypeError, match="float64"):
        Subnetwork({"heads": np.ones(3)})


def test_different_encoders_do_not_mix() -> None:
    with pytest.raises(ValueError, match="different encoders"):
        Subnetwork({"heads": np.ones(3, bool)}) & Subnetwork({"heads": np.ones(4, bool)})


def test_what_is_no_subnetwork_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.safetensors").write_bytes(b"nonsense")
    for name in ("x.safetensors", "missing.safetensors"):
        with pytest.raises(UserError, match="not a subnetwork"):
            subnetwork.load(tmp_path / name)
