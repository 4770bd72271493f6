"""transformers alone: SDPA, each batch padded to its longest sentence, hooks for the masks."""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from transformers import BertForSequenceClassification

from benchmarks import plain, project
from benchmarks.load import TASK, Load
from benchmarks.measure import Act, Arrays
from benchmarks.plain import Batch, Masked
from lottery.data.examples import Examples
from lottery.export import portable
from lottery.export.ready import Call, logits, padded

BATCH = 32


def importance(load: Load) -> Act:
    """Absolute gradients of whole batches at the masks, as run_bertology computed them."""
    model = Masked(_model(load))

    def act() -> Arrays:
        return {
            "logits": plain.accumulated(model, plain.cleared(model, _batches(load)))[
                "logits"
            ].numpy()
        }

    return act


def scoring(load: Load) -> Act:
    """Logits of all examples, without gradients."""
    model = _model(load)

    def act() -> Arrays:
        with torch.no_grad():
            parts = [model(**batch).logits for batch in _batches(load)]
        return {"logits": torch.cat(parts).double().cpu().numpy()}

    return act


def ticket(load: Load) -> Act:
    """Logits of all examples by the exported ticket, in which heads and MLPs that were pruned are zeros."""
    with TemporaryDirectory() as folder:
        portable.write(portable.zero_filled(project.pruned(load)), TASK, Path(folder))
        model = plain.bert(Path(folder), "sdpa")

    def ready(examples: Examples) -> Call:
        batch = {name: torch.from_numpy(ids) for name, ids in padded(examples).items()}
        return torch.inference_mode()(lambda: model(**batch).logits.double().numpy())

    return lambda: {"logits": logits(ready, load.examples)}


def finetune(load: Load) -> Act:
    """One epoch in data order, in a plain loop with the fused AdamW of torch."""
    model = _model(load).train()

    def act() -> Arrays:
        optimiser = torch.optim.AdamW(
            model.parameters(), lr=load.recipe.learning_rate, weight_decay=0.0, fused=True
        )
        losses = list[float]()
        for batch in _batches(load, load.batch):
            loss = model(**batch).loss
            optimiser.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), load.recipe.clip)
            optimiser.step()
            losses.append(loss.item())
        return {"loss": np.array(np.mean(losses))}

    return act


def _model(load: Load) -> BertForSequenceClassification:
    model = plain.bert(load.folder, "sdpa")
    model.to(torch.device(load.device))  # type: ignore[arg-type]
    return model


def _batches(load: Load, size: int = BATCH) -> Iterator[Batch]:
    for batch in plain.batches(load.examples, size, None):
        yield {name: tensor.to(load.device) for name, tensor in batch.items()}
