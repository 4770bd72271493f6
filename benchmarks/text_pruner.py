"""TextPruner: importance of heads and MLP neurons, each batch padded to its longest sentence."""

import tempfile

from textpruner import GeneralConfig, TransformerPruner

from benchmarks import plain
from benchmarks.load import Load
from benchmarks.measure import Act, Arrays

BATCH = 32


def importance(load: Load) -> Act:
    """`get_importance_score` of all sentences."""
    model, examples = plain.bert(load.folder, "sdpa"), load.examples
    general = GeneralConfig(use_device="cpu", output_dir=tempfile.mkdtemp())
    pruner = TransformerPruner(model, general_config=general)

    def act() -> Arrays:
        heads, neurons = pruner.get_importance_score(
            list(plain.batches(examples, BATCH, None)), adaptor=lambda output: output.loss
        )
        return {"heads_taylor": heads.detach().numpy(), "neurons_taylor": neurons.detach().numpy()}

    return act
