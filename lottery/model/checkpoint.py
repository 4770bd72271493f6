"""Read and write encoders as Hugging Face folders (config.json, model.safetensors).

An unpruned encoder loads in transformers as its family's classifier, such as `BertForSequenceClassification`. A pruned
one has the same tensor names and narrower matrices, which no class of transformers expects: its config.json says so by
a model type of its own and lists the heads and MLPs that are left.
"""

import json
from pathlib import Path

from safetensors.torch import save as serialised

from lottery.checkpoint import config, tensors
from lottery.checkpoint.layout import classifier_shapes, tensor_shapes, transformers_name
from lottery.model import initial
from lottery.model.encoder import Encoder


def load(folder: Path, classes: int, seed: int | None = None) -> Encoder:
    """The encoder in `folder` with a classifier of `classes` outputs, in evaluation mode.

    With a seed the classifier is drawn anew from N(0, 0.02), as in BERT: a pre-trained checkpoint has none. So is the
    pooler, if the checkpoint was pre-trained without one. Raises UserError if the folder holds no encoder, or if a
    tensor is missing, has another shape than config.json says, is not of floats, or has NaN or infinite values.
    """
    about = config.read(folder)
    stored = tensors.read(folder, about.family)
    if seed is not None:
        stored = initial.pooler(about.hidden_size, seed) | stored
        stored |= initial.classifier(classes, about.hidden_size, seed)
    shapes = tensor_shapes(about) | classifier_shapes(about, classes)
    for name, shape in shapes.items():
        tensors.require(folder, about.family, stored, name, shape)
    return Encoder.of(about, classes, {name: stored[name].float() for name in shapes}).eval()


def save(encoder: Encoder, folder: Path) -> None:
    """Write config.json and model.safetensors into `folder`, which is created if it is missing."""
    folder.mkdir(parents=True, exist_ok=True)
    family, pruned = encoder.config.family, encoder.config.is_pruned
    about = {
        "architectures": [f"{'Pruned' if pruned else ''}{family.classes}ForSequenceClassification"],
        "model_type": family.pruned_type if pruned else family.model_type,
        "num_labels": encoder.classes,
        **config.stated(encoder.config),
    }
    (folder / "config.json").write_text(json.dumps(about, indent=2) + "\n", encoding="utf-8")
    weights = {
        transformers_name(name, family): tensor.contiguous()
        for name, tensor in encoder.state_dict().items()
    }
    (folder / "model.safetensors").write_bytes(serialised(weights, {"format": "pt"}))
