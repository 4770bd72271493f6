"""transformers alone: SDPA, each batch padded to its longest sentence, hooks for the masks."""

from benchmarks import plain
from benchmarks.load import Load
from benchmarks.measure import Act, Arrays
from benchmarks.plain import Masked

BATCH = 32


def importance(load: Load) -> Act:
    """Absolute gradients of whole batches at the masks, as run_bertology computed them."""
    model, examples = Masked(plain.bert(load.folder, "sdpa")), load.examples

    def act() -> Arrays:
        batches = plain.cleared(model, plain.batches(examples, BATCH, None))
        return {"logits": plain.accumulated(model, batches)["logits"].numpy()}

    return act


def scoring(load: Load) -> Act:
    """Logits of all examples, without gradients."""
    model, examples = plain.bert(load.folder, "sdpa"), load.examples
    return lambda: {"logits": plain.logits(model, examples, BATCH, None)}
