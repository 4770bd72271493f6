"""transformers' BERT with float masks on its heads and MLPs, and padded batches: what the plain ways share."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any, Literal, cast

import numpy as np
import torch
from torch import Tensor, nn
from transformers import BertForSequenceClassification

from benchmarks.load import TASK
from lottery.data.examples import Examples
from lottery.model.evaluation import search_score

Batch = dict[str, Tensor]


def bert(
    folder: Path, attention: Literal["eager", "sdpa"] = "eager"
) -> BertForSequenceClassification:
    """The checkpoint in `folder` as transformers loads it, in evaluation mode."""
    loaded = BertForSequenceClassification.from_pretrained(folder, attn_implementation=attention)
    return cast(BertForSequenceClassification, loaded.train(False))


class Masked:
    """A BERT whose heads [L, H] and MLPs [L] are multiplied by float masks."""

    def __init__(self, bert: BertForSequenceClassification) -> None:
        config = bert.config
        self.bert = bert
        self.heads = torch.ones(config.num_hidden_layers, config.num_attention_heads)
        self.mlps = torch.ones(config.num_hidden_layers)
        for index, layer in enumerate(cast(Any, bert).bert.encoder.layer):
            layer.attention.output.dense.register_forward_pre_hook(partial(self._attend, index))
            layer.output.dense.register_forward_hook(partial(self._think, index))
        self.track()

    def track(self) -> None:
        """Ask for the gradients of the masks."""
        self.heads.requires_grad_()
        self.mlps.requires_grad_()

    def set(self, heads_LH: np.ndarray, mlps_L: np.ndarray) -> None:
        """Put other masks in their place."""
        with torch.no_grad():
            self.heads.copy_(torch.tensor(heads_LH, dtype=torch.float))
            self.mlps.copy_(torch.tensor(mlps_L, dtype=torch.float))

    def clear(self) -> None:
        """Forget all gradients."""
        self.bert.zero_grad()
        self.heads.grad = self.mlps.grad = None

    def _attend(self, layer: int, _: nn.Module, inputs: tuple[Tensor]) -> tuple[Tensor]:
        context = inputs[0]
        split = context.view(*context.shape[:-1], self.heads.shape[1], -1)
        return ((split * self.heads[layer].unsqueeze(-1)).flatten(-2),)

    def _think(self, layer: int, _: nn.Module, _inputs: object, output: Tensor) -> Tensor:
        return output * self.mlps[layer]


def accumulated(model: Masked, batches: Iterator[Batch]) -> dict[str, Tensor]:
    """Heads [L, H] and MLPs [L]: absolute gradients at the masks, summed over batches; logits [N, C]."""
    heads, mlps, logits = torch.zeros_like(model.heads), torch.zeros_like(model.mlps), []
    for batch in batches:
        answer = model.bert(**batch)
        answer.loss.backward()
        heads += _gradient(model.heads)
        mlps += _gradient(model.mlps)
        logits.append(answer.logits)
    found = {"heads": heads, "mlps": mlps, "logits": torch.cat(logits).double()}
    return {name: tensor.detach() for name, tensor in found.items()}


def each_alone(model: Masked, batches: Iterator[Batch]) -> Iterator[Batch]:
    """The batches, before each of which the gradients of those before are forgotten."""
    for batch in batches:
        model.clear()
        yield batch


def _gradient(mask: Tensor) -> Tensor:
    """The absolute gradient at a mask, 0 where nothing depends on it."""
    return torch.zeros_like(mask) if mask.grad is None else mask.grad.abs()


def batches(examples: Examples, size: int, length: int | None) -> Iterator[Batch]:
    """Batches in the order of the data, padded to `length`, or each to its longest sentence."""
    for start in range(0, len(examples), size):
        rows = np.arange(start, min(start + size, len(examples)), dtype=np.int64)
        yield padded(examples.take(rows), length)


def padded(examples: Examples, length: int | None) -> Batch:
    """The arguments of transformers' models, labels included."""
    shape = (len(examples), length or int(examples.lengths_N.max()))
    real = torch.arange(shape[1]) < torch.from_numpy(examples.lengths_N)[:, None]
    ids, types = torch.zeros(shape, dtype=torch.long), torch.zeros(shape, dtype=torch.long)
    ids[real] = torch.from_numpy(examples.ids_T).long()
    types[real] = torch.from_numpy(examples.types_T).long()
    return {
        "input_ids": ids,
        "token_type_ids": types,
        "attention_mask": real.long(),
        "labels": torch.from_numpy(examples.labels_N).long(),
    }


def logits(model: nn.Module, examples: Examples, size: int, length: int | None) -> np.ndarray:
    """Logits [N, C] without gradients."""
    with torch.no_grad():
        found = [model(**batch).logits for batch in batches(examples, size, length)]
    return torch.cat(found).double().numpy()


def score(logits_NC: np.ndarray, examples: Examples) -> float:
    """The metric that drives the searches."""
    return search_score(TASK, logits_NC, examples)
