"""torch's own global magnitude pruning, with batches padded to their longest."""

import numpy as np
from numpy.typing import NDArray
from torch.nn.utils import prune

from benchmarks import plain
from benchmarks.load import Load
from benchmarks.measure import Act, Arrays

BATCH = 32


def m_search(load: Load) -> Act:
    """`global_unstructured` a step, which masks on top of the masks that are there."""
    model, examples = plain.bert(load.folder, "sdpa"), load.examples
    parts = [
        (model.get_submodule(name.removesuffix(".weight")), "weight")
        for name, _ in list(model.named_parameters())
        if ".layer." in name and name.endswith(".weight") and "LayerNorm" not in name
    ]
    total = sum(part.get_parameter(name).numel() for part, name in parts)

    def act() -> Arrays:
        left, trail = total, list[NDArray[np.uint8]]()
        scores = [plain.score(plain.logits(model, examples, BATCH, None), examples)]
        while total - left + (cut := max(1, int(load.rate * left))) <= load.until * total:
            prune.global_unstructured(parts, pruning_method=prune.L1Unstructured, amount=cut)
            left -= cut
            scores.append(plain.score(plain.logits(model, examples, BATCH, None), examples))
            masks = [part.get_buffer("weight_mask").numpy() > 0 for part, _ in parts]
            trail.append(np.concatenate([np.packbits(mask) for mask in masks]))
        return {"scores": np.array(scores), "masks": np.stack(trail)}

    return act
