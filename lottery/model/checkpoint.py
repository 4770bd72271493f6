"""Encoders on disk: a Hugging Face folder (config.json, model.safetensors), read and written.

What was never pruned loads in transformers as `BertForSequenceClassification`; a pruned encoder has the same
names, narrower matrices, and says in config.json which heads and MLPs are left.
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
from lottery.model.config import Config
from lottery.model.encoder import Encoder

# Ours, theirs. Applied in order to every tensor name.
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

    A pre-trained checkpoint has no classifier: it is then drawn from N(0, .02) with `seed`, as BERT's is;
    without a seed its absence is a UserError. So is a folder that holds no BERT, lacks a tensor, or has NaNs.
    """
    config = read_config(folder)
    try:
        encoder = Encoder(config, classes)
    except RuntimeError as error:
        raise UserError(f"{folder}: config.json asks for more than memory holds: {error}") from None
    state = _tensors(folder)
    if seed is not None:
        state |= _fresh_classifier(classes, config.hidden_size, seed)
    for name, empty in encoder.state_dict().items():
        if name not in state:
            raise UserError(f"{folder}: the checkpoint has no tensor for {_theirs(name)}")
        if state[name].shape != empty.shape:
            found, wanted = tuple(state[name].shape), tuple(empty.shape)
            raise UserError(
                f"{folder}: {_theirs(name)} has shape {found}, config.json says {wanted}"
            )
        if not state[name].float().sum().isfinite():
            raise UserError(f"{folder}: {_theirs(name)} holds NaN or infinite weights")
    wanted_state = {name: state[name].float() for name in encoder.state_dict()}
    encoder.load_state_dict(wanted_state, assign=True)
    return encoder.requires_grad_(True).eval()


def save(encoder: Encoder, folder: Path) -> None:
    """Write config.json and model.safetensors into `folder`, which is made where it is missing."""
    folder.mkdir(parents=True, exist_ok=True)
    config = {
        "architectures": ["BertForSequenceClassification"],
        "model_type": "bert",
        "hidden_act": "gelu",
        "num_labels": encoder.classes,
        **msgspec.to_builtins(encoder.config),
    }
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
    tensors = {_theirs(name): tensor.contiguous() for name, tensor in encoder.state_dict().items()}
    (folder / "model.safetensors").write_bytes(serialised(tensors, {"format": "pt"}))


def read_config(folder: Path) -> Config:
    """The shape of the encoder in `folder`; a UserError where it is not a BERT this project can gate."""
    path = folder / "config.json"
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
        config = msgspec.convert(raw, Config)
    except FileNotFoundError:
        raise UserError(f"{folder}: no checkpoint here (config.json is missing)") from None
    except (OSError, ValueError, RecursionError) as error:
        raise UserError(f"{path}: not the configuration of an encoder: {error}") from None
    for key, allowed in (
        ("model_type", "bert"),
        ("hidden_act", "gelu"),
        ("position_embedding_type", "absolute"),
    ):
        if raw.get(key, allowed) != allowed or (key == "model_type" and key not in raw):
            raise UserError(
                f"{path}: {key} is {raw.get(key)!r}; only {allowed!r} encoders can be gated"
            )
    return config


def _tensors(folder: Path) -> dict[str, Tensor]:
    try:
        return {
            _ours(name): tensor for name, tensor in load_file(folder / "model.safetensors").items()
        }
    except FileNotFoundError:
        raise UserError(
            f"{folder}: model.safetensors is missing; pickled weights are not read"
        ) from None
    except SafetensorError as error:
        raise UserError(f"{folder}: model.safetensors is damaged: {error}") from None


def _fresh_classifier(classes: int, hidden: int, seed: int) -> dict[str, Tensor]:
    drawn = torch.randn(classes, hidden, generator=torch.Generator().manual_seed(seed))
    return {"classifier.weight": 0.02 * drawn, "classifier.bias": torch.zeros(classes)}


def _theirs(name: str) -> str:
    if name.startswith("classifier."):
        return name
    for ours, theirs in NAMES:
        name = name.replace(ours, theirs)
    return f"bert.{name}"


def _ours(name: str) -> str:
    name = re.sub(r"LayerNorm\.(gamma|beta)$", lambda m: f"LayerNorm.{_LEGACY[m[1]]}", name)
    name = name.removeprefix("bert.")
    for ours, theirs in NAMES:
        name = name.replace(theirs, ours)
    return name


_LEGACY = {"gamma": "weight", "beta": "bias"}
