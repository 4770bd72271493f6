"""Exact scores one example at a time, as Michel et al. took them: absolute values at batch size 1."""

import torch

from benchmarks import plain
from benchmarks.load import Load
from benchmarks.measure import Act, Arrays
from benchmarks.plain import Masked


def importance(load: Load) -> Act:
    """A backward pass of its own for every sentence, which needs no padding then."""
    model, examples = Masked(plain.bert(load.folder)), load.examples

    def act() -> Arrays:
        heads, mlps, logits = torch.zeros_like(model.heads), torch.zeros_like(model.mlps), []
        for batch in plain.batches(examples, 1, None):
            model.clear()
            answer = model.bert(**batch)
            answer.loss.backward()
            heads += plain.gradient(model.heads)
            mlps += plain.gradient(model.mlps)
            logits.append(answer.logits.detach())
        heads, mlps = heads.detach() / len(examples), mlps.detach() / len(examples)
        return {
            "heads": (heads / heads.norm(dim=1, keepdim=True)).double().numpy(),
            "mlps": mlps.double().numpy(),
            "logits": torch.cat(logits).double().numpy(),
        }

    return act
