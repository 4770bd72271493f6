"""Bit mask and kept weights: an m-pruned encoder comes back exactly, from fewer bytes."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from lottery.errors import UserError
from lottery.export import bitmask
from lottery.model import checkpoint
from lottery.model.encoder import Encoder
from tests import toys


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 99), st.sampled_from([0.0, 0.1, 0.5, 1.0]))
def test_an_encoder_comes_back_exactly(tmp_path: Path, seed: int, density: float) -> None:
    subnetwork = toys.weights(seed, density)
    encoder = toys.encoder(seed).pruned(subnetwork)
    bitmask.save(encoder, subnetwork, tmp_path / "mask")
    tensors = bitmask.load(tmp_path / "mask")
    state = encoder.state_dict()
    assert tensors.keys() == state.keys()
    assert all(torch.equal(tensors[name], tensor) for name, tensor in state.items())
    reloaded, tokens = Encoder.of(encoder.config, 2, tensors), toys.tokens(toys.sentences(4))
    assert torch.equal(reloaded.eval()(tokens), encoder(tokens))


def test_bytes_are_those_of_kept_weights_and_bits(tmp_path: Path) -> None:
    subnetwork = toys.weights(1, 0.3)
    encoder = toys.encoder().pruned(subnetwork)
    bitmask.save(encoder, subnetwork, tmp_path / "mask")
    checkpoint.save(encoder, tmp_path)
    saved = 4 * (subnetwork.total - subnetwork.size) - subnetwork.total / 8
    dense, packed = (tmp_path / name for name in ("model.safetensors", "mask"))
    assert dense.stat().st_size - packed.stat().st_size == pytest.approx(saved, abs=4096)
    bitmask.save(encoder, subnetwork, tmp_path / "again")
    assert packed.read_bytes() == (tmp_path / "again").read_bytes()


def test_numpy_alone_can_unpack(tmp_path: Path) -> None:
    subnetwork = toys.weights(1, 0.3)
    encoder = toys.encoder().pruned(subnetwork)
    bitmask.save(encoder, subnetwork, tmp_path / "mask")
    with safe_open(tmp_path / "mask", "numpy") as file:
        for name, shape in json.loads(file.metadata()["about"])["shapes"].items():
            weights = np.unpackbits(file.get_tensor(f"{name}.mask"), count=np.prod(shape)).astype(
                "f4"
            )
            weights[weights > 0] = file.get_tensor(f"{name}.kept")
            assert np.array_equal(weights.reshape(shape), encoder.state_dict()[name].numpy())


def test_only_pruned_encoders_are_packed(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"layers\.0\.attention\.query\.weight"):
        bitmask.save(toys.encoder(), toys.weights(1, 0.3), tmp_path / "mask")
    with pytest.raises(ValueError, match="not a subnetwork of weights"):
        bitmask.save(toys.encoder(), toys.subnetwork(1), tmp_path / "mask")
    assert not list(tmp_path.iterdir())


def truncate(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-100])


def drop_an_entry(file: Path) -> None:
    with safe_open(file, "pt") as stored:
        header = stored.metadata()
    entries = load_file(file)
    del entries["layers.0.mlp.expand.weight.kept"]
    save_file(entries, file, header)


def lose_a_weight(file: Path) -> None:
    with safe_open(file, "pt") as stored:
        header = stored.metadata()
    entries = load_file(file)
    name = "layers.0.mlp.expand.weight.kept"
    save_file(entries | {name: entries[name][1:].contiguous()}, file, header)


def set_header(about: str) -> Callable[[Path], None]:
    return lambda file: save_file(load_file(file), file, {"about": about})


def write_another_checkpoint(file: Path) -> None:
    checkpoint.save(toys.encoder(), file.parent)
    (file.parent / "model.safetensors").replace(file)


@pytest.mark.parametrize(
    "damage",
    [
        Path.unlink,
        truncate,
        drop_an_entry,
        lose_a_weight,
        set_header("{"),
        set_header("[]"),
        set_header('{"shapes": {"layers.0.mlp.expand.weight": [2, 3]}}'),
        set_header('{"shapes": {"layers.0.mlp.expand.weight": [-1, 3]}}'),
        set_header('{"shapes": {"layers.0.mlp.expand.weight": [1000000, 1000000]}}'),
        set_header('{"shapes": {"layers.0.mlp.expand.weight": 7}}'),
        set_header('{"shapes": {"layers.0.mlp.expand.weight": [999999999999, 9999999999]}}'),
        write_another_checkpoint,
    ],
)
def test_a_damaged_file_is_refused_in_one_line(
    tmp_path: Path, damage: Callable[[Path], object]
) -> None:
    subnetwork, file = toys.weights(1, 0.3), tmp_path / "mask"
    bitmask.save(toys.encoder().pruned(subnetwork), subnetwork, file)
    damage(file)
    with pytest.raises(UserError, match="no encoder with a bit mask") as caught:
        bitmask.load(file)
    assert "\n" not in str(caught.value)
