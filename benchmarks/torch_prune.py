"""Global magnitude pruning of torch, each batch padded to its longest sentence."""

import numpy as np
from numpy.typing import NDArray
from torch.nn.utils import prune

from benchmarks import plain
from benchmarks.load import Load
from benchmarks.measure import Act, Arrays

BATCH = 32


def m_search(load: Load) -> Act:
    """Magnitude search: one call of `global_unstructured` per step, which adds to the masks of earlier calls."""
    model, examples = plain.bert(load.folder, "sdpa"), load.examples
    parts = [
        (model.get_submodule(name.removesuffix(".weight")), "weight")
        for name, _ in list(model.named_parameters())
        if ".layer." in name and name.endswith(".weight") and "LayerNorm" not in name
    ]
    total = sum(part.get_parameter(name).numel() for part, name in parts)

    def act() -> Arrays:
        kept, trajectory = total, list[NDArray[np.uint8]]()
        scores = [plain.score(plain.logits(model, examples, BATCH, None), examples)]
        while total - kept + (count := max(1, int(load.rate * kept))) <= load.until * total:
            prune.global_unstructured(parts, pruning_method=prune.L1Unstructured, amount=count)
            kept -= count
            scores.append(plain.score(plain.logits(model, examples, BATCH, None), examples))
            masks = [part.get_buffer("weight_mask").numpy() > 0 for part, _ in parts]
            trajectory.append(np.concatenate([np.packbits(mask) for mask in masks]))
        return {"scores": np.array(scores), "masks": np.stack(trajectory)}

    return act
