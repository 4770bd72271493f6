"""Exact importance with batches of one example, as Michel et al. computed it."""

from benchmarks import plain
from benchmarks.load import Load
from benchmarks.measure import Act, Arrays
from benchmarks.plain import Masked


def importance(load: Load) -> Act:
    """One backward pass per sentence, without padding."""
    model, examples = Masked(plain.bert(load.folder)), load.examples

    def act() -> Arrays:
        batches = plain.cleared(model, plain.batches(examples, 1, None))
        sums = plain.accumulated(model, batches)
        heads, mlps = sums["heads"] / len(examples), sums["mlps"] / len(examples)
        return {
            "heads": (heads / heads.norm(dim=1, keepdim=True)).double().numpy(),
            "mlps": mlps.double().numpy(),
            "logits": sums["logits"].numpy(),
        }

    return act
