"""What a user writes with transformers alone: batches padded to their longest, SDPA, hooks for the masks."""

import torch

from benchmarks import plain
from benchmarks.load import Load
from benchmarks.measure import Act, Arrays
from benchmarks.plain import Masked

BATCH = 32


def importance(load: Load) -> Act:
    """Absolute gradients at masks, a batch at a time, as run_bertology took them."""
    model, examples = Masked(plain.bert(load.folder, "sdpa")), load.examples

    def act() -> Arrays:
        heads, mlps, logits = torch.zeros_like(model.heads), torch.zeros_like(model.mlps), []
        for batch in plain.batches(examples, BATCH, None):
            model.clear()
            answer = model.bert(**batch)
            answer.loss.backward()
            heads += plain.gradient(model.heads)
            mlps += plain.gradient(model.mlps)
            logits.append(answer.logits.detach())
        return {"logits": torch.cat(logits).double().numpy()}

    return act


def scoring(load: Load) -> Act:
    """Logits without gradients."""
    model, examples = plain.bert(load.folder, "sdpa"), load.examples
    return lambda: {"logits": plain.logits(model, examples, BATCH, None)}
