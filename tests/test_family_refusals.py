"""Encoders of no supported family, or not what their config.json says, are refused in one line."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoConfig

from lottery.checkpoint.supported import FAMILIES
from lottery.data import pretrained
from lottery.errors import UserError
from tests import toy_families, toy_tokenizers

OTHERS = (
    "albert",
    "deberta",
    "deberta-v2",
    "t5",
    "gpt2",
    "xlnet",
    "modernbert",
    "roberta-prelayernorm",
    "mobilebert",
)
families = pytest.mark.parametrize("model_type", FAMILIES)


@pytest.fixture
def folder(model_type: str, tmp_path: Path) -> Path:
    rules = toy_tokenizers.save(model_type, tmp_path / "their")
    model = toy_families.classifier(model_type, vocab_size=rules.get_vocab_size())
    model.save_pretrained(tmp_path / "their")
    return tmp_path / "their"


def stated(folder: Path, **changes: Any) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def refusal(folder: Path) -> str:
    """The message about an encoder that cannot be used."""
    (folder / "out").mkdir()
    with pytest.raises(UserError) as caught:
        pretrained.fetch(str(folder), folder / "out")
    assert "\n" not in str(caught.value)
    assert not [*(folder / "out").iterdir()]
    return str(caught.value)


@pytest.mark.parametrize("model_type", OTHERS)
def test_other_families_are_refused_by_a_line_that_names_those_that_are_not(
    model_type: str, tmp_path: Path
) -> None:
    about = AutoConfig.for_model(model_type)
    about.save_pretrained(tmp_path)
    assert refusal(tmp_path) == (
        f"{tmp_path / 'config.json'}: model_type is {model_type!r}; supported families are:"
        " bert, roberta, xlm-roberta, camembert, distilbert, electra, mpnet"
    )


@families
@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("is_decoder", True),
        ("add_cross_attention", True),
        ("position_embedding_type", "relative_key"),
    ],
)
def test_what_is_not_computed_is_refused(folder: Path, key: str, value: object) -> None:
    stated(folder, **{key: value})
    assert f"config.json: {key} is {value!r}; only" in refusal(folder)


@families
def test_a_fit_encoder_is_not_refused(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    assert not pretrained.fetch(str(folder), tmp_path / "out")


@families
@pytest.mark.parametrize(
    "own", ["hidden_size", "num_hidden_layers", "num_attention_heads", "vocab_size"]
)
def test_a_size_that_is_missing_or_wrong_is_called_as_this_family_calls_it(
    folder: Path, model_type: str, own: str
) -> None:
    key = FAMILIES[model_type].keys[own]
    stated(folder, **{key: "many"})
    assert f"$.{key}" in refusal(folder)


@families
def test_embeddings_that_do_not_fit_are_refused(folder: Path, model_type: str) -> None:
    path = folder / "model.safetensors"
    tensors, prefix = load_file(path), FAMILIES[model_type].prefix
    words = f"{prefix}embeddings.word_embeddings.weight"
    save_file(tensors | {words: tensors[words][:, :-1].clone()}, path)
    assert "word_embeddings.weight has shape" in refusal(folder)


@families
def test_a_tokenizer_of_another_encoder_is_refused(folder: Path, model_type: str) -> None:
    path, prefix = folder / "model.safetensors", FAMILIES[model_type].prefix
    tensors = load_file(path)
    words = f"{prefix}embeddings.word_embeddings.weight"
    save_file(tensors | {words: tensors[words][:10].clone()}, path)
    stated(folder, vocab_size=10)
    assert "but the encoder has embeddings for 10" in refusal(folder)


@pytest.mark.parametrize(
    ("model_type", "changes", "message"),
    [
        ("mpnet", {"relative_attention_num_buckets": 16}, "relative_attention_num_buckets"),
        ("roberta", {"type_vocab_size": 0}, "type_vocab_size is 0"),
        ("roberta", {"pad_token_id": 60}, "no position after the padding's"),
        ("roberta", {"pad_token_id": None}, "pad_token_id"),
        ("electra", {"embedding_size": 32}, r"embeddings.word_embeddings.weight has shape"),
        ("distilbert", {"n_heads": 5}, "dim 32 is not a multiple of 5 heads"),
        ("distilbert", {"activation": "quick_gelu"}, "activation"),
        ("camembert", {"pruned_heads": {"0": [1]}}, "heads or MLPs are pruned"),
    ],
)
def test_what_one_family_alone_can_have_wrong_is_refused(
    folder: Path, changes: dict[str, Any], message: str
) -> None:
    stated(folder, **changes)
    assert message in refusal(folder)


def test_an_encoder_of_another_family_than_it_says_is_refused(tmp_path: Path) -> None:
    toy_families.classifier("roberta").save_pretrained(tmp_path)
    stated(tmp_path, model_type="distilbert", dim=32, n_layers=3, n_heads=4, hidden_dim=48)
    assert "the checkpoint has no tensor distilbert.embeddings" in refusal(tmp_path)


@families
def test_integer_weights_are_refused(folder: Path) -> None:
    path = folder / "model.safetensors"
    tensors = load_file(path)
    save_file({name: tensor.to(torch.int8) for name, tensor in tensors.items()}, path)
    assert "holds int8; quantised weights are not read" in refusal(folder)
