"""Ordinary encoder of its family for transformers; what was pruned is zeros."""

from pathlib import Path

import torch
from transformers import AutoModelForSequenceClassification
from transformers.utils import logging

from lottery.data.examples import Examples
from lottery.export import portable
from lottery.export.ready import INPUTS, Call, Ready, padded
from lottery.export.trained import TrainedModel


def write(model: TrainedModel, file: Path) -> None:
    """Write the weights as `file`, and config.json beside it."""
    portable.write(portable.zero_filled(model.encoder), model.task, file.parent)


def load(file: Path, _: TrainedModel | None = None) -> Ready:
    """The model that transformers reads from the folder of `file`."""
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    folder, reader = file.parent, AutoModelForSequenceClassification
    encoder = reader.from_pretrained(folder, local_files_only=True).eval()
    has_types = bool(getattr(encoder.config, "type_vocab_size", 0))

    def ready(examples: Examples) -> Call:
        arrays = padded(examples)
        names = INPUTS if has_types else INPUTS[:-1]
        inputs = {name: torch.from_numpy(arrays[name]) for name in names}
        return torch.inference_mode()(lambda: encoder(**inputs).logits.double().numpy())

    return ready
