"""A trained encoder of a finished run, with all that its users need."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from lottery.data.examples import Examples
from lottery.errors import MALFORMED, UserError
from lottery.export import tokenizer
from lottery.grid import cell_name
from lottery.model import checkpoint
from lottery.model.encoder import Encoder
from lottery.subnetwork import Subnetwork
from lottery.tasks import Task
from lottery.ticket import FULL, Key, Ticket
from lottery.verification.run import CellOutputs


@dataclass(frozen=True)
class Spelling:
    """A reduced vocabulary: pieces that are kept, of how many, and the share of tokens that it lacks, by split."""

    kept: int
    total: int
    lacking: Mapping[str, float]


@dataclass(frozen=True)
class TrainedModel:
    """The full model of a task and seed, or the retrained good ticket of a method.

    subnetwork: what it keeps of the full model. Outputs of a regression and its labels in `dev` are in the units of the
    corpus. tokenizer: the texts of its files, by name. about: the description of the task's data.
    spelling: the vocabulary, if it was reduced to the task's.
    """

    task: Task
    seed: int
    key: Key
    subnetwork: Subnetwork
    encoder: Encoder
    tokenizer: Mapping[str, str]
    dev: Examples
    about: Mapping[str, Any]
    spelling: Spelling | None = None

    @property
    def name(self) -> str:
        """Words for messages: `the structured good ticket of sst2 seed 11`."""
        return f"the {noun(self.key)} of {cell_name(self.task.name, self.seed)}"

    @property
    def is_whole(self) -> bool:
        """True if it is the full model."""
        return self.key == FULL

    @property
    def is_masked(self) -> bool:
        """True if single weights are zeros, rather than heads and MLPs removed."""
        return not self.subnetwork.is_structured


def noun(key: Key) -> str:
    """The words for a model of this key: `full model`, `structured good ticket`."""
    return "full model" if key == FULL else f"{key.name} ticket"


def read(cell: CellOutputs, key: Key, max_length: int) -> TrainedModel:
    """The trained model of a cell, of which texts keep at most `max_length` tokens.

    Raises UserError if the run has no such model, did not keep its weights, or left nothing of it.
    """
    task = cell.task
    encoder = checkpoint.load(_folder(cell, key), task.classes)
    about = _about(cell.run.data / "meta" / f"{task.name}.json")
    dev, scale = cell.splits()["dev"], about["labels"]
    if scale is not None:
        encoder = _rescaled(encoder, scale["mean"], scale["std"])
        labels_N = dev.labels_N.astype(np.float64) * scale["std"] + scale["mean"]
        dev = replace(dev, labels_N=labels_N.astype(np.float32))
    return TrainedModel(
        task=task,
        seed=cell.seed,
        key=key,
        subnetwork=_subnetwork(cell, key, encoder),
        encoder=encoder,
        tokenizer=tokenizer.files(cell.run.encoder, max_length),
        dev=dev,
        about=about,
    )


def _folder(cell: CellOutputs, key: Key) -> Path:
    if key == FULL:
        return cell.model
    folder = cell.kept(key)
    if folder is None:
        keeps = cell.run.settings.retrain.keeps(key, cell.seed)
        change = "" if keeps else f"add {cell.seed} to retrain.kept in params.yaml and "
        raise UserError(
            f"{cell}: the run has not kept the retrained {noun(key)}; {change}run `make repro`"
        )
    return folder


def _subnetwork(cell: CellOutputs, key: Key, encoder: Encoder) -> Subnetwork:
    if key == FULL:
        return Subnetwork.full(encoder.config.shapes)
    folder = cell.run.subnetworks / cell.task.name / str(cell.seed)
    subnetwork = Ticket.load(folder, cell.task.name, cell.seed, key).subnetwork
    if subnetwork.size == 0:
        raise UserError(f"{cell}: the {noun(key)} is empty; there is nothing to export")
    return subnetwork


def _about(path: Path) -> Mapping[str, Any]:
    try:
        about: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except MALFORMED as error:
        raise UserError(f"{path}: no description of the data: {error}") from None
    return about


def _rescaled(encoder: Encoder, mean: float, std: float) -> Encoder:
    """The encoder whose output is `std` times this one's, plus `mean`; all but the classifier is shared."""
    state = encoder.state_dict()
    weight, bias = state["classifier.weight"] * std, state["classifier.bias"] * std + mean
    outputs = {"classifier.weight": weight, "classifier.bias": bias}
    return Encoder.of(encoder.config, encoder.classes, state | outputs).eval()
