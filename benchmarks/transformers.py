"""What a user writes with transformers alone: batches padded to their longest, SDPA, hooks for the masks."""

from benchmarks import plain
from benchmarks.load import Load
from benchmarks.measure import Act, Arrays
from benchmarks.plain import Masked

BATCH = 32


def importance(load: Load) -> Act:
    """Absolute gradients at masks, a batch at a time, as run_bertology took them."""
    model, examples = Masked(plain.bert(load.folder, "sdpa")), load.examples

    def act() -> Arrays:
        alone = plain.each_alone(model, plain.batches(examples, BATCH, None))
        return {"logits": plain.accumulated(model, alone)["logits"].numpy()}

    return act


def scoring(load: Load) -> Act:
    """Logits without gradients."""
    model, examples = plain.bert(load.folder, "sdpa"), load.examples
    return lambda: {"logits": plain.logits(model, examples, BATCH, None)}
