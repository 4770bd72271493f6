"""Ordinary BERT for transformers; what was pruned is zeros."""

from pathlib import Path

import torch
from transformers import AutoModelForSequenceClassification
from transformers.utils import logging

from lottery.data.examples import Examples
from lottery.export import portable
from lottery.export.ready import Call, Ready, padded
from lottery.export.trained import TrainedModel


def write(model: TrainedModel, file: Path) -> None:
    """Write the weights as `file`, and config.json beside it."""
    portable.write(portable.padded(model.encoder), model.task, file.parent)


def load(file: Path, _: TrainedModel | None = None) -> Ready:
    """The model that transformers reads from the folder of `file`."""
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    bert = AutoModelForSequenceClassification.from_pretrained(file.parent, local_files_only=True)
    bert = bert.eval()

    def ready(examples: Examples) -> Call:
        inputs = {name: torch.from_numpy(array) for name, array in padded(examples).items()}
        return torch.inference_mode()(lambda: bert(**inputs).logits.double().numpy())

    return ready
