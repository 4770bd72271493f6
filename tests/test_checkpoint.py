"""Checkpoints reload as they were saved; invalid ones are refused in one line."""

import json
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
import torch
from safetensors.torch import load_file, save_file

from lottery.errors import UserError
from lottery.model import checkpoint
from tests import toys


@pytest.mark.parametrize("pruned", [False, True])
def test_a_reloaded_encoder_has_equal_logits(tmp_path: Path, pruned: bool) -> None:
    encoder = toys.encoder()
    encoder = encoder.extract(toys.subnetwork(2)) if pruned else encoder
    checkpoint.save(encoder, tmp_path)
    reloaded, tokens = checkpoint.load(tmp_path, classes=2), toys.tokens(toys.sentences(5))
    assert torch.equal(reloaded(tokens), encoder(tokens))
    assert reloaded.config == encoder.config
    assert all(weight.requires_grad for weight in reloaded.parameters())


def test_saving_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        checkpoint.save(toys.encoder(), tmp_path / name)
    for file in ("config.json", "model.safetensors"):
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()


@pytest.mark.parametrize(
    ("key", "kept"),
    [("kept_heads", ((0,), (1,), (2,))), ("kept_mlps", (1,)), ("kept_neurons", ((0,), (1,), (2,)))],
)
def test_an_encoder_that_lacks_anything_is_saved_as_a_pruned_one(
    tmp_path: Path, key: str, kept: object
) -> None:
    config = msgspec.structs.replace(toys.CONFIG, **{key: kept})
    assert config.is_pruned
    assert config.whole == toys.CONFIG
    assert not config.whole.is_pruned
    checkpoint.save(toys.encoder(config=config), tmp_path)
    about = json.loads((tmp_path / "config.json").read_text("utf-8"))
    assert about["model_type"] == config.family.pruned_type
    assert checkpoint.load(tmp_path, 2).config == config


def test_a_pretrained_checkpoint_gets_a_classifier_from_the_seed(tmp_path: Path) -> None:
    checkpoint.save(toys.encoder(), tmp_path)
    drop_tensor(tmp_path, "classifier.weight")
    first, repeat, other = (
        checkpoint.load(tmp_path, 3, seed).classifier.weight for seed in (1, 1, 2)
    )
    assert torch.equal(first, repeat)
    assert not torch.equal(first, other)
    with pytest.raises(UserError, match=r"no tensor classifier\.weight"):
        checkpoint.load(tmp_path, classes=2)


def test_legacy_names_of_layer_norms_are_read(tmp_path: Path) -> None:
    checkpoint.save(toys.encoder(), tmp_path)
    file = tmp_path / "model.safetensors"
    legacy = {"LayerNorm.weight": "LayerNorm.gamma", "LayerNorm.bias": "LayerNorm.beta"}
    tensors = load_file(file)
    for new, old in legacy.items():
        tensors = {name.replace(new, old): tensor for name, tensor in tensors.items()}
    save_file(tensors, file)
    tokens = toys.tokens(toys.sentences(3))
    assert torch.equal(checkpoint.load(tmp_path, 2)(tokens), toys.encoder()(tokens))


def drop_tensor(folder: Path, name: str) -> None:
    tensors = load_file(folder / "model.safetensors")
    del tensors[name]
    save_file(tensors, folder / "model.safetensors")


def set_key(folder: Path, key: str, value: object) -> None:
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {key: value}))


def set_nan(folder: Path) -> None:
    tensors = load_file(folder / "model.safetensors")
    tensors["bert.pooler.dense.weight"][0, 0] = float("nan")
    save_file(tensors, folder / "model.safetensors")


def truncate(folder: Path) -> None:
    file = folder / "model.safetensors"
    file.write_bytes(file.read_bytes()[:-100])


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda f: (f / "config.json").unlink(), "config.json is missing"),
        (lambda f: (f / "config.json").write_text("{"), "not the configuration"),
        (lambda f: (f / "model.safetensors").unlink(), "model.safetensors is missing"),
        (truncate, "damaged"),
        (set_nan, "NaN"),
        (lambda f: drop_tensor(f, "bert.pooler.dense.bias"), "no tensor"),
        (lambda f: set_key(f, "model_type", "albert"), "'albert'; supported families are: bert, "),
        (lambda f: set_key(f, "hidden_act", "quick_gelu"), "'quick_gelu'"),
        (lambda f: set_key(f, "hidden_size", 64), "has shape"),
        (lambda f: set_key(f, "hidden_size", 2**24), "has shape"),
        (lambda f: set_key(f, "hidden_size", "wide"), "not the configuration"),
        (lambda f: set_key(f, "hidden_dropout_prob", None), r"config\.json.*hidden_dropout_prob"),
        (lambda f: set_key(f, "max_position_embeddings", None), r"config\.json.*max_position_embe"),
        (lambda f: set_key(f, "num_hidden_layers", 2.5), r"config\.json.*num_hidden_layers"),
    ],
)
def test_an_invalid_checkpoint_is_refused(
    tmp_path: Path, damage: Callable[[Path], object], message: str
) -> None:
    checkpoint.save(toys.encoder(), tmp_path)
    damage(tmp_path)
    with pytest.raises(UserError, match=message) as caught:
        checkpoint.load(tmp_path, classes=2)
    assert "\n" not in str(caught.value)
