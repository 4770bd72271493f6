"""The plain way, as the paper's released code goes it: padded to 128, float masks, gradients never cleared."""

import numpy as np
import torch
from torch import nn

from benchmarks import plain
from benchmarks.load import THRESHOLD, Load
from benchmarks.measure import Act, Arrays
from benchmarks.plain import Masked
from lottery.data.examples import Examples

LENGTH = 128
PHASES = ((1.0, 1), (0.5, 0), (0.0, 1))
"""Heads with MLPs, heads alone in half steps, MLPs alone: share of a step of heads, MLPs a step."""


def importance(load: Load) -> Act:
    """One pass: the gradients of all weights too, and a running sum at the masks."""
    model, examples = Masked(plain.bert(load.folder)), load.examples
    model.set(load.kept(tuple(model.heads.shape)), load.kept(tuple(model.mlps.shape)))
    return lambda: _importance(model, examples, load.batch)


def scoring(load: Load) -> Act:
    """Logits under float masks."""
    model, examples = Masked(plain.bert(load.folder)), load.examples
    return lambda: {"logits": plain.logits(model.bert, examples, load.batch, LENGTH)}


def s_search(load: Load) -> Act:
    """The whole search for heads and MLPs: every candidate is a pass over the whole model."""
    model, examples = Masked(plain.bert(load.folder)), load.examples
    return lambda: _search(model, examples, load)


def m_search(load: Load) -> Act:
    """The whole search for weights: at each step a sort of all magnitudes, and float masks."""
    model, examples = plain.bert(load.folder), load.examples
    names = [name for name in dict(model.named_parameters()) if _prunable(name)]

    def act() -> Arrays:
        original = {name: model.get_parameter(name).detach().clone() for name in names}
        masks = {name: torch.ones_like(weight) for name, weight in original.items()}
        scores, trail = [_masked_score(model, original, masks, examples, load)], []
        while (smaller := _without_smallest(original, masks, load)) is not None:
            masks = smaller
            scores.append(_masked_score(model, original, masks, examples, load))
            trail.append(_bits(masks))
        return {"scores": np.array(scores), "masks": np.stack(trail)}

    return act


def finetune(load: Load) -> Act:
    """One epoch with the plain loop of AdamW."""
    model, examples = plain.bert(load.folder), load.examples
    return lambda: _train(model, examples, load)


def retrain(load: Load) -> Act:
    """The same with heads and MLPs that stay masked: computed, multiplied by 0."""
    model, examples = Masked(plain.bert(load.folder)), load.examples
    model.set(load.kept(tuple(model.heads.shape)), load.kept(tuple(model.mlps.shape)))
    return lambda: _train(model.bert, examples, load)


def _importance(model: Masked, examples: Examples, size: int) -> Arrays:
    model.clear()
    found = plain.accumulated(model, plain.batches(examples, size, LENGTH))
    heads, mlps = found["heads"] / len(examples), found["mlps"] / len(examples)
    heads /= heads.norm(dim=1, keepdim=True).clamp_min(1e-20)
    return {
        "heads_cumulative": heads.double().numpy(),
        "mlps_cumulative": mlps.double().numpy(),
        "logits": found["logits"].numpy(),
    }


def _search(model: Masked, examples: Examples, load: Load) -> Arrays:
    def assess(heads: np.ndarray, mlps: np.ndarray) -> tuple[float, Arrays]:
        model.set(heads, mlps)
        found = _importance(model, examples, load.batch)
        return plain.score(found["logits"], examples), found

    heads, mlps = np.ones(model.heads.shape, bool), np.ones(model.mlps.shape, bool)
    full, evidence = assess(heads, mlps)
    scores, trail = [full], []
    step = max(1, int(load.rate * heads.size))
    for share, count in PHASES:
        held, candidate, found = True, (heads, mlps), evidence
        cuts = max(1, int(share * step)) if share else 0, count
        while held and all(k.any() for k, cut in zip(candidate, cuts, strict=True) if cut):
            candidate = (
                _without(candidate[0], found["heads_cumulative"], cuts[0]),
                _without(candidate[1], found["mlps_cumulative"], cuts[1]),
            )
            reached, found = assess(*candidate)
            scores.append(reached)
            trail.append(np.packbits(np.concatenate([part.ravel() for part in candidate])))
            held = reached >= THRESHOLD * full
            if held:
                heads, mlps = candidate
        evidence = found
    return {"scores": np.array(scores), "masks": np.stack(trail)}


def _without(kept: np.ndarray, importance: np.ndarray, count: int) -> np.ndarray:
    flat = kept.ravel().copy()
    order = np.where(flat, importance.ravel(), np.inf).argsort(kind="stable")
    flat[order[: min(count, int(flat.sum()))]] = False
    return flat.reshape(kept.shape)


def _prunable(name: str) -> bool:
    return ".layer." in name and name.endswith(".weight") and "LayerNorm" not in name


def _masked_score(
    model: nn.Module,
    original: dict[str, torch.Tensor],
    masks: dict[str, torch.Tensor],
    examples: Examples,
    load: Load,
) -> float:
    for name, mask in masks.items():
        model.get_parameter(name).data = original[name] * mask
    return plain.score(plain.logits(model, examples, load.batch, LENGTH), examples)


def _without_smallest(
    original: dict[str, torch.Tensor], masks: dict[str, torch.Tensor], load: Load
) -> dict[str, torch.Tensor] | None:
    """One threshold for the whole encoder, from a sort of everything that is left."""
    left = torch.cat([original[name][mask > 0].abs() for name, mask in masks.items()]).numpy()
    total = sum(mask.numel() for mask in masks.values())
    cut = max(1, int(load.rate * left.size))
    if total - left.size + cut > load.until * total:
        return None
    threshold = float(np.sort(left)[cut - 1])
    return {name: mask * (original[name].abs() > threshold).float() for name, mask in masks.items()}


def _bits(masks: dict[str, torch.Tensor]) -> np.ndarray:
    return np.concatenate([np.packbits(mask.numpy() > 0) for mask in masks.values()])


def _train(model: nn.Module, examples: Examples, load: Load) -> Arrays:
    optimiser = torch.optim.AdamW(model.parameters(), lr=2e-5, weight_decay=0.0, foreach=False)
    steps = -(-len(examples) // load.batch)
    slope = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: 1 - step / steps)
    model.train()
    total = 0.0
    for batch in plain.batches(examples, load.batch, LENGTH):
        optimiser.zero_grad()
        loss = model(**batch).loss
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0, foreach=False)
        optimiser.step()
        slope.step()
        total += float(loss) * len(batch["labels"])
    return {"loss": np.array(total / len(examples))}
