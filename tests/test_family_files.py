"""Checkpoints of every family: read as transformers saves them, in shards and without head too; saved, read again."""

import json
from pathlib import Path
from typing import cast

import pytest
import torch
from transformers import PreTrainedModel

from lottery.checkpoint import config
from lottery.checkpoint.layout import (
    classifier_shapes,
    own_name,
    tensor_shapes,
    transformers_name,
)
from lottery.checkpoint.supported import FAMILIES
from lottery.model import checkpoint
from lottery.model.encoder import Encoder
from tests import toy_families, toys

families = pytest.mark.parametrize("model_type", FAMILIES)


@pytest.fixture
def pair(model_type: str, tmp_path: Path) -> tuple[Encoder, PreTrainedModel]:
    return toy_families.encoder(model_type, tmp_path / "theirs")


@pytest.fixture
def encoder(pair: tuple[Encoder, PreTrainedModel]) -> Encoder:
    return pair[0]


def same(first: Encoder, second: Encoder) -> None:
    """Fail if the two differ in a weight."""
    weights, others = first.state_dict(), second.state_dict()
    assert weights.keys() == others.keys()
    assert all(torch.equal(weights[name], others[name]) for name in weights)


@families
@pytest.mark.parametrize("pruned", [False, True])
def test_a_saved_encoder_reloads_with_the_same_weights(
    encoder: Encoder, tmp_path: Path, pruned: bool
) -> None:
    family = encoder.config.family
    encoder = encoder.extract(toys.subnetwork(2, encoder.config)) if pruned else encoder
    checkpoint.save(encoder, tmp_path)
    reloaded = checkpoint.load(tmp_path, encoder.classes)
    assert reloaded.config == encoder.config
    same(reloaded, encoder)
    stated = json.loads((tmp_path / "config.json").read_text())
    assert stated["model_type"] == (family.pruned_type if pruned else family.model_type)
    shapes = tensor_shapes(encoder.config) | classifier_shapes(encoder.config, encoder.classes)
    assert shapes == {name: tuple(tensor.shape) for name, tensor in encoder.state_dict().items()}
    for name in shapes:
        assert own_name(transformers_name(name, family), family) == name


@families
def test_shards_and_encoders_without_their_prefix_are_read(
    pair: tuple[Encoder, PreTrainedModel], tmp_path: Path
) -> None:
    encoder, oracle = pair
    oracle.save_pretrained(tmp_path / "shards", max_shard_size="20KB")
    assert len([*(tmp_path / "shards").glob("*.safetensors")]) > 2
    same(checkpoint.load(tmp_path / "shards", encoder.classes), encoder)
    cast(PreTrainedModel, oracle.base_model).save_pretrained(tmp_path / "base")
    base = checkpoint.load(tmp_path / "base", 2, seed=1)
    assert torch.equal(
        base.get_parameter("layers.0.mlp.expand.weight"),
        encoder.get_parameter("layers.0.mlp.expand.weight"),
    )


@families
def test_a_masked_language_model_gets_a_new_head_from_the_seed(
    model_type: str, tmp_path: Path
) -> None:
    toy_families.language_model(model_type).save_pretrained(tmp_path)
    first, again, other = (checkpoint.load(tmp_path, 2, seed) for seed in (1, 1, 2))
    same(first, again)
    for name in ("pooler.weight", "classifier.weight"):
        assert not torch.equal(first.get_parameter(name), other.get_parameter(name))
        assert float(first.state_dict()[name].std()) == pytest.approx(0.02, rel=0.3)


@families
def test_what_a_config_json_leaves_out_is_as_in_transformers(
    pair: tuple[Encoder, PreTrainedModel], tmp_path: Path
) -> None:
    _, oracle = pair
    family = FAMILIES[oracle.config.model_type]
    sizes = [family.keys[own] for own in toy_families.SIZES if own in family.keys][:5]
    (tmp_path / "config.json").write_text(
        json.dumps(
            {"model_type": family.model_type} | {key: getattr(oracle.config, key) for key in sizes}
        )
    )
    about = config.read(tmp_path)
    defaults = type(oracle.config)()
    for own, theirs in family.keys.items():
        if theirs not in sizes:
            assert getattr(about, own) == getattr(defaults, theirs), theirs
