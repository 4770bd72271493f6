"""An encoder as an ordinary one that transformers loads: removed heads and MLPs are there, and are zeros."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from lottery.model import checkpoint
from lottery.model.encoder import Encoder
from lottery.tasks import Task


def zero_filled(encoder: Encoder) -> Encoder:
    """The encoder with every head and MLP of the full model; those that it lacks are zeros, so its logits are equal.

    A head without values adds nothing to the output projection, an MLP without second projection nothing to its
    residual connection. The other tensors are shared.
    """
    whole = encoder.config.whole
    with torch.device("meta"):  # shapes only
        shapes = Encoder(whole, encoder.classes).state_dict()
    kept = encoder.state_dict()
    state = {
        name: kept[name]
        if name in kept and kept[name].shape == shape.shape
        else torch.zeros(shape.shape)
        for name, shape in shapes.items()
    }
    for index, layer in enumerate(encoder.typed_layers):
        heads = torch.zeros(whole.num_attention_heads, dtype=torch.bool)
        heads[list(layer.attention.heads)] = True
        if not heads.all():
            rows = heads.repeat_interleave(whole.head_size)
            _fill(state, kept, f"layers.{index}.attention", rows)
        if layer.mlp is not None and len(layer.mlp.neurons) < whole.intermediate_size:
            neurons = list(layer.mlp.neurons)
            for name in (f"layers.{index}.mlp.expand.weight", f"layers.{index}.mlp.expand.bias"):
                state[name][neurons] = kept[name]
            name = f"layers.{index}.mlp.contract.weight"
            state[name][:, neurons] = kept[name]
    return Encoder.of(whole, encoder.classes, state).eval()


def _fill(
    state: Mapping[str, Tensor], kept: Mapping[str, Tensor], attention: str, rows: Tensor
) -> None:
    """Copy the kept heads of one layer into the zeros; `rows` marks their outputs among those of all heads."""
    for projection in ("query", "key", "value"):
        for kind in ("weight", "bias"):
            name = f"{attention}.{projection}.{kind}"
            state[name][rows] = kept[name]
    name = f"{attention}.output.weight"
    state[name][:, rows] = kept[name]


def write(encoder: Encoder, task: Task, folder: Path) -> None:
    """Write config.json, which names the classes, and model.safetensors into `folder`.

    An encoder without all its heads and MLPs keeps the form of this project: fill it with zeros for transformers.
    """
    checkpoint.save(encoder, folder)
    path = folder / "config.json"
    config = json.loads(path.read_text(encoding="utf-8"))
    stated = {key: value for key, value in config.items() if value is not None}
    del stated["num_labels"]  # follows from the labels
    path.write_text(json.dumps(stated | labels(task), indent=2) + "\n", encoding="utf-8")


def labels(task: Task) -> dict[str, Any]:
    """The keys of config.json that say what the outputs mean."""
    names = task.labels or ("score",)
    return {
        "id2label": {str(index): name for index, name in enumerate(names)},
        "label2id": {name: index for index, name in enumerate(names)},
        "problem_type": "regression" if task.regression else "single_label_classification",
    }
