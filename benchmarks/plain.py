"""BERT of transformers with float masks on heads and MLPs, and padded batches, for the other implementations."""

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
    """The checkpoint of a folder, in evaluation mode."""
    model = BertForSequenceClassification.from_pretrained(folder, attn_implementation=attention)
    return cast(BertForSequenceClassification, model.train(False))


class Masked:
    """A BERT whose heads [L, H] and MLPs [L] are multiplied by float masks."""

    def __init__(self, bert: BertForSequenceClassification) -> None:
        config = bert.config
        self.bert = bert
        self.heads = torch.ones(
            config.num_hidden_layers, config.num_attention_heads, device=bert.device
        )
        self.mlps = torch.ones(config.num_hidden_layers, device=bert.device)
        for index, layer in enumerate(cast(Any, bert).bert.encoder.layer):
            layer.attention.output.dense.register_forward_pre_hook(partial(self._mask_heads, index))
            layer.output.dense.register_forward_hook(partial(self._mask_mlp, index))
        self.heads.requires_grad_()
        self.mlps.requires_grad_()

    def set(self, heads_LH: np.ndarray, mlps_L: np.ndarray) -> None:
        """Replace the masks."""
        with torch.no_grad():
            self.heads.copy_(torch.tensor(heads_LH, dtype=torch.float))
            self.mlps.copy_(torch.tensor(mlps_L, dtype=torch.float))

    def clear(self) -> None:
        """Clear all gradients."""
        self.bert.zero_grad()
        self.heads.grad = self.mlps.grad = None

    def _mask_heads(self, layer: int, _: nn.Module, inputs: tuple[Tensor]) -> tuple[Tensor]:
        context = inputs[0]
        split = context.view(*context.shape[:-1], self.heads.shape[1], -1)
        return ((split * self.heads[layer].unsqueeze(-1)).flatten(-2),)

    def _mask_mlp(self, layer: int, _: nn.Module, _inputs: object, output: Tensor) -> Tensor:
        return output * self.mlps[layer]


def accumulated(model: Masked, batches: Iterator[Batch]) -> dict[str, Tensor]:
    """Heads [L, H] and MLPs [L]: absolute gradients at the masks, summed over batches; logits [N, C]."""
    heads, mlps, logits = torch.zeros_like(model.heads), torch.zeros_like(model.mlps), []
    for batch in batches:
        output = model.bert(**batch)
        output.loss.backward()
        heads += _gradient(model.heads)
        mlps += _gradient(model.mlps)
        logits.append(output.logits)
    sums = {"heads": heads, "mlps": mlps, "logits": torch.cat(logits).double()}
    return {name: tensor.detach().cpu() for name, tensor in sums.items()}


def cleared(model: Masked, batches: Iterator[Batch]) -> Iterator[Batch]:
    """The batches; gradients are cleared before each of them."""
    for batch in batches:
        model.clear()
        yield batch


def _gradient(mask: Tensor) -> Tensor:
    """Absolute gradient at a mask, 0 if the loss does not depend on it."""
    return torch.zeros_like(mask) if mask.grad is None else mask.grad.abs()


def batches(examples: Examples, size: int, length: int | None) -> Iterator[Batch]:
    """Batches in data order, padded to `length` or to the longest sentence of each batch."""
    for start in range(0, len(examples), size):
        rows = np.arange(start, min(start + size, len(examples)), dtype=np.int64)
        yield padded(examples.take(rows), length)


def padded(examples: Examples, length: int | None) -> Batch:
    """Arguments for transformers' models, labels included."""
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
        parts = [model(**batch).logits for batch in batches(examples, size, length)]
    return torch.cat(parts).double().numpy()


def score(logits_NC: np.ndarray, examples: Examples) -> float:
    """The score that searches must keep."""
    return search_score(TASK, logits_NC, examples)
