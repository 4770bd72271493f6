"""A straightforward version of the authors' code: padded to 128, float masks, gradients summed over batches."""

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
"""Phases of the search: fraction of a step of heads, and MLPs per step."""


def importance(load: Load) -> Act:
    """One pass with gradients of all weights, and their running sum at the masks."""
    model, examples = Masked(plain.bert(load.folder)), load.examples
    model.set(load.kept(tuple(model.heads.shape)), load.kept(tuple(model.mlps.shape)))
    return lambda: _importance(model, examples, load.batch)


def scoring(load: Load) -> Act:
    """Logits of all examples, with float masks."""
    model, examples = Masked(plain.bert(load.folder)), load.examples
    return lambda: {"logits": plain.logits(model.bert, examples, load.batch, LENGTH)}


def s_search(load: Load) -> Act:
    """Structured search; every candidate is a pass through the full model."""
    model, examples = Masked(plain.bert(load.folder)), load.examples
    return lambda: _search(model, examples, load)


def m_search(load: Load) -> Act:
    """Magnitude search with a sort of all magnitudes at each step, and float masks."""
    model, examples = plain.bert(load.folder), load.examples
    names = [name for name in dict(model.named_parameters()) if _prunable(name)]

    def act() -> Arrays:
        original = {name: model.get_parameter(name).detach().clone() for name in names}
        masks = {name: torch.ones_like(weight) for name, weight in original.items()}
        scores, trajectory = [_masked_score(model, original, masks, examples, load)], []
        while (smaller := _without_smallest(original, masks, load)) is not None:
            masks = smaller
            scores.append(_masked_score(model, original, masks, examples, load))
            trajectory.append(_bits(masks))
        return {"scores": np.array(scores), "masks": np.stack(trajectory)}

    return act


def finetune(load: Load) -> Act:
    """One epoch of fine-tuning with torch's AdamW."""
    model, examples = plain.bert(load.folder), load.examples
    return lambda: _train(model, examples, load)


def retrain(load: Load) -> Act:
    """One epoch of fine-tuning with masked heads and MLPs, which are computed and multiplied by 0."""
    model, examples = Masked(plain.bert(load.folder)), load.examples
    model.set(load.kept(tuple(model.heads.shape)), load.kept(tuple(model.mlps.shape)))
    return lambda: _train(model.bert, examples, load)


def _importance(model: Masked, examples: Examples, size: int) -> Arrays:
    model.clear()
    sums = plain.accumulated(model, plain.batches(examples, size, LENGTH))
    heads, mlps = sums["heads"] / len(examples), sums["mlps"] / len(examples)
    heads /= heads.norm(dim=1, keepdim=True).clamp_min(1e-20)
    return {
        "heads_cumulative": heads.double().numpy(),
        "mlps_cumulative": mlps.double().numpy(),
        "logits": sums["logits"].numpy(),
    }


def _search(model: Masked, examples: Examples, load: Load) -> Arrays:
    def evaluate(heads: np.ndarray, mlps: np.ndarray) -> tuple[float, Arrays]:
        model.set(heads, mlps)
        importance = _importance(model, examples, load.batch)
        return plain.score(importance["logits"], examples), importance

    heads, mlps = np.ones(model.heads.shape, bool), np.ones(model.mlps.shape, bool)
    full_score, last_importance = evaluate(heads, mlps)
    scores, trajectory = [full_score], []
    step = max(1, int(load.rate * heads.size))
    for fraction, mlp_count in PHASES:
        accepted, candidate, importance = True, (heads, mlps), last_importance
        counts = max(1, int(fraction * step)) if fraction else 0, mlp_count
        while accepted and all(k.any() for k, n in zip(candidate, counts, strict=True) if n):
            candidate = (
                _without(candidate[0], importance["heads_cumulative"], counts[0]),
                _without(candidate[1], importance["mlps_cumulative"], counts[1]),
            )
            score, importance = evaluate(*candidate)
            scores.append(score)
            trajectory.append(np.packbits(np.concatenate([part.ravel() for part in candidate])))
            accepted = score >= THRESHOLD * full_score
            if accepted:
                heads, mlps = candidate
        last_importance = importance
    return {"scores": np.array(scores), "masks": np.stack(trajectory)}


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
    """Masks after one more step, with one threshold for the whole encoder; None at the target sparsity."""
    kept = torch.cat([original[name][mask > 0].abs() for name, mask in masks.items()]).numpy()
    total = sum(mask.numel() for mask in masks.values())
    cut = max(1, int(load.rate * kept.size))
    if total - kept.size + cut > load.until * total:
        return None
    threshold = float(np.sort(kept)[cut - 1])
    return {name: mask * (original[name].abs() > threshold).float() for name, mask in masks.items()}


def _bits(masks: dict[str, torch.Tensor]) -> np.ndarray:
    return np.concatenate([np.packbits(mask.numpy() > 0) for mask in masks.values()])


def _train(model: nn.Module, examples: Examples, load: Load) -> Arrays:
    optimiser = torch.optim.AdamW(
        model.parameters(), lr=load.recipe.learning_rate, weight_decay=0.0, foreach=False
    )
    steps = -(-len(examples) // load.batch)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: 1 - step / steps)
    model.train()
    total = 0.0
    for batch in plain.batches(examples, load.batch, LENGTH):
        optimiser.zero_grad()
        loss = model(**batch).loss
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), load.recipe.clip, foreach=False)
        optimiser.step()
        schedule.step()
        total += float(loss) * len(batch["labels"])
    return {"loss": np.array(total / len(examples))}
