"""Exact scores one example at a time, as Michel et al. took them: absolute values at batch size 1."""

from benchmarks import plain
from benchmarks.load import Load
from benchmarks.measure import Act, Arrays
from benchmarks.plain import Masked


def importance(load: Load) -> Act:
    """A backward pass of its own for every sentence, which needs no padding then."""
    model, examples = Masked(plain.bert(load.folder)), load.examples

    def act() -> Arrays:
        alone = plain.each_alone(model, plain.batches(examples, 1, None))
        found = plain.accumulated(model, alone)
        heads, mlps = found["heads"] / len(examples), found["mlps"] / len(examples)
        return {
            "heads": (heads / heads.norm(dim=1, keepdim=True)).double().numpy(),
            "mlps": mlps.double().numpy(),
            "logits": found["logits"].numpy(),
        }

    return act
