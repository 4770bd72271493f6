"""Read and write encoders as Hugging Face folders (config.json, model.safetensors).

An unpruned encoder loads in transformers as `BertForSequenceClassification`. A pruned one has the same tensor
names and narrower matrices, which no class of transformers expects: its config.json says so by a model type of its own
and lists the heads and MLPs that are left.
"""

import json
import re
from pathlib import Path

import msgspec
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from safetensors.torch import save as serialised
from torch import Tensor

from lottery.errors import UserError
from lottery.model import initial
from lottery.model.config import Config
from lottery.model.encoder import Encoder

PRUNED = "pruned-bert"
"""Model type of an encoder that lacks heads or MLPs."""
# (our name, name in transformers): replaced in this order in every tensor name.
NAMES = (
    ("embeddings.words", "embeddings.word_embeddings"),
    ("embeddings.positions", "embeddings.position_embeddings"),
    ("embeddings.types", "embeddings.token_type_embeddings"),
    ("embeddings.norm", "embeddings.LayerNorm"),
    ("layers.", "encoder.layer."),
    ("attention.query", "attention.self.query"),
    ("attention.key", "attention.self.key"),
    ("attention.value", "attention.self.value"),
    ("attention_norm", "attention.output.LayerNorm"),
    ("attention.output.weight", "attention.output.dense.weight"),
    ("attention.output.bias", "attention.output.dense.bias"),
    ("mlp_norm", "output.LayerNorm"),
    ("mlp.expand", "intermediate.dense"),
    ("mlp.contract", "output.dense"),
    ("pooler.", "pooler.dense."),
)


def load(folder: Path, classes: int, seed: int | None = None) -> Encoder:
    """The encoder in `folder` with a classifier of `classes` outputs, in evaluation mode.

    With a seed the classifier is drawn anew from N(0, 0.02), as in BERT: a pre-trained checkpoint has none.
    Raises UserError if the folder holds no BERT, or if a tensor is missing, has another shape than config.json
    says, or has NaN or infinite values.
    """
    config = read_config(folder)
    with torch.device("meta"):  # shapes only; the tensors come from the file
        expected = Encoder(config, classes).state_dict()
    tensors = _tensors(folder)
    if seed is not None:
        tensors |= initial.classifier(classes, config.hidden_size, seed)
    for name, tensor in expected.items():
        _check(folder, name, tensors.get(name), tuple(tensor.shape))
    state = {name: tensors[name].float() for name in expected}
    return Encoder.of(config, classes, state).eval()


def save(encoder: Encoder, folder: Path) -> None:
    """Write config.json and model.safetensors into `folder`, which is created if it is missing."""
    folder.mkdir(parents=True, exist_ok=True)
    pruned = encoder.config.kept_heads is not None
    config = {
        "architectures": [f"{'Pruned' if pruned else ''}BertForSequenceClassification"],
        "model_type": PRUNED if pruned else "bert",
        "hidden_act": "gelu",
        "num_labels": encoder.classes,
        **msgspec.to_builtins(encoder.config),
    }
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
    tensors = {
        _transformers_name(name): tensor.contiguous()
        for name, tensor in encoder.state_dict().items()
    }
    (folder / "model.safetensors").write_bytes(serialised(tensors, {"format": "pt"}))


def read_config(folder: Path) -> Config:
    """The configuration of the encoder in `folder`. Raises UserError if it is not that of a BERT."""
    path = folder / "config.json"
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
        config = msgspec.convert(raw, Config)
    except FileNotFoundError:
        raise UserError(f"{folder}: no checkpoint here (config.json is missing)") from None
    except (OSError, ValueError, RecursionError) as error:
        raise UserError(f"{path}: not the configuration of an encoder: {error}") from None
    for key, allowed in (
        ("model_type", ("bert", PRUNED)),
        ("hidden_act", ("gelu",)),
        ("position_embedding_type", ("absolute",)),
    ):
        if raw.get(key, None if key == "model_type" else allowed[0]) not in allowed:
            raise UserError(f"{path}: {key} is {raw.get(key)!r}; only {allowed[0]!r} is supported")
    return config


def _tensors(folder: Path) -> dict[str, Tensor]:
    try:
        tensors = load_file(folder / "model.safetensors")
    except FileNotFoundError:
        raise UserError(
            f"{folder}: model.safetensors is missing; pickled weights are not read"
        ) from None
    except SafetensorError as error:
        raise UserError(f"{folder}: model.safetensors is damaged: {error}") from None
    return {_own_name(name): tensor for name, tensor in tensors.items()}


def _check(folder: Path, name: str, tensor: Tensor | None, shape: tuple[int, ...]) -> None:
    """Raises UserError if the tensor is missing, of another shape than `shape`, or not finite."""
    label = _transformers_name(name)
    if tensor is None:
        raise UserError(f"{folder}: the checkpoint has no tensor {label}")
    if tensor.shape != shape:
        raise UserError(
            f"{folder}: {label} has shape {tuple(tensor.shape)}, config.json says {shape}"
        )
    if not tensor.float().sum().isfinite():
        raise UserError(f"{folder}: {label} has NaN or infinite weights")


def _transformers_name(name: str) -> str:
    if name.startswith("classifier."):
        return name
    for own, transformers in NAMES:
        name = name.replace(own, transformers)
    return f"bert.{name}"


def _own_name(name: str) -> str:
    # Checkpoints converted from TensorFlow call the parameters of a layer norm gamma and beta.
    name = re.sub(r"LayerNorm\.gamma$", "LayerNorm.weight", name)
    name = re.sub(r"LayerNorm\.beta$", "LayerNorm.bias", name)
    name = name.removeprefix("bert.")
    for own, transformers in NAMES:
        name = name.replace(transformers, own)
    return name
