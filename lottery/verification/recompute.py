"""What can be done over from what a finished run kept: scores, draws, and the ends of its searches.

Retrained weights are not kept, so that retrained scores cannot be.
"""

import math

import numpy as np

from lottery.model import checkpoint
from lottery.model.encoder import Encoder
from lottery.model.evaluation import majority_scores
from lottery.runtime.compute import chosen_device
from lottery.seeds import rng
from lottery.subnetwork import Subnetwork
from lottery.tickets import scoring
from lottery.tickets.methods import CRITERIA
from lottery.tickets.retraining import SplitScores, score_splits
from lottery.tickets.search import Pruner
from lottery.verification.run import CellOutputs, Looks, Who

Contenders = dict[Who, Subnetwork | None]


def pruned_scores(cell: CellOutputs, tolerance: float) -> Looks:
    """The whole model and every subnetwork cut out of it score what is recorded."""
    encoder, splits = _encoder(cell), cell.splits()
    dev = {name: split for name, split in splits.items() if name != "select"}
    select = {name: split for name, split in splits.items() if name == "select"}
    entrants: Contenders = {("full", "full", 0): None, **cell.subnetworks()}
    recorded = _recorded(cell)
    for who, kept in {**entrants, **_supers(cell)}.items():
        left = encoder if kept is None else encoder.cut(kept)
        chosen = {**dev, **select} if who[1] in {"full", "good"} else dev
        yield from _equal(cell, who, score_splits(left, cell.task, chosen), recorded, tolerance)
    blind: SplitScores = {name: majority_scores(cell.task, split) for name, split in dev.items()}
    yield from _equal(cell, ("full", "majority", 0), blind, recorded, tolerance)


def _encoder(cell: CellOutputs) -> Encoder:
    return checkpoint.load(cell.model, cell.task.classes).to(chosen_device(cell.run.compute))


def _supers(cell: CellOutputs) -> Contenders:
    """What every seed keeps, and its contrasts, drawn again."""
    drawn = scoring.super_entrants(cell.every_seed(), rng("super", cell.task.name))
    return {(each.method, each.kind, each.draw): each.subnetwork for each in drawn}


def _recorded(cell: CellOutputs) -> dict[tuple[str, ...], float]:
    """The scores of what was not fine-tuned again."""
    every = cell.scores()
    kept = every[every["state"] != "retrained"]
    names = kept[["method", "kind", "draw", "split", "metric"]].astype(str)
    return dict(zip(map(tuple, names.to_numpy().tolist()), kept["value"].tolist(), strict=True))


def _equal(
    cell: CellOutputs,
    who: Who,
    found: SplitScores,
    recorded: dict[tuple[str, ...], float],
    tolerance: float,
) -> Looks:
    method, kind, draw = who
    for split, metrics in found.items():
        for metric, value in metrics.items():
            known = recorded.get((method, kind, str(draw), split, metric), math.nan)
            yield (
                None
                if _close(value, known, tolerance)
                else (
                    f"{cell}: {method} {kind} {draw} scores {value:.9g} {metric} on {split},"
                    f" recorded is {known:.9g}"
                )
            )


def _close(one: float, other: float, tolerance: float) -> bool:
    return abs(one - other) <= tolerance or (math.isnan(one) and math.isnan(other))


def draws(cell: CellOutputs) -> Looks:
    """Random and bad subnetworks are those that the seed draws; m-pruning kept the largest weights."""
    found = cell.subnetworks()
    for (method, kind, draw), kept in found.items():
        criterion, good = _criterion(cell, method), found[method, "good", 0]
        again = kept if kind == "good" else _drawn(cell, criterion, method, kind, draw, good)
        yield (
            None
            if again == kept
            else (
                f"{cell}: {method} {kind} {draw} is not what the seed draws, {(again - kept).size} differ"
                if again.shapes == kept.shapes
                else f"{cell}: {method} {kind} {draw} is of another encoder: {kept!r}"
            )
        )
    yield _largest(cell, found["magnitude", "good", 0])


def _criterion(cell: CellOutputs, method: str) -> Pruner:
    judged = cell.splits()[cell.run.how.rule.data]
    made = {str(name): make for name, make in CRITERIA.items()}[method]
    return made(_encoder(cell), cell.task, judged, cell.run.how)


def _drawn(
    cell: CellOutputs, criterion: Pruner, method: str, kind: str, draw: int, good: Subnetwork
) -> Subnetwork:
    """The contrast, drawn again."""
    name, how = (cell.task.name, method), cell.run.how.controls
    if kind == "bad":
        return criterion.bad(good, how, rng(cell.seed, "bad", *name))
    return criterion.random(good, how, rng(cell.seed, "random", *name, draw))


def _largest(cell: CellOutputs, good: Subnetwork) -> str | None:
    weights = dict(_encoder(cell).named_parameters())
    sizes = [weights[part].detach().abs().cpu().numpy()[kept] for part, kept in good.items()]
    rest = [weights[part].detach().abs().cpu().numpy()[~kept] for part, kept in good.items()]
    least, most = (np.concatenate(sizes).min(initial=np.inf), np.concatenate(rest).max(initial=0))
    return (
        None
        if least >= most
        else (
            f"{cell}: magnitude good 0 prunes a weight of {most:.3g} and keeps one of {least:.3g}"
        )
    )


def searches(cell: CellOutputs, tolerance: float) -> Looks:
    """The full model and the good subnetwork score on the search's data what the search recorded."""
    every = cell.steps()
    for method in ("structured", "magnitude"):
        steps = every[every["method"] == method]
        accepted = steps[steps["accepted"]]
        criterion = _criterion(cell, method)
        good, ends = cell.subnetworks()[method, "good", 0], (accepted if len(accepted) else steps)
        for told, kept, known in (
            ("full model", criterion.full, steps.iloc[0]),
            ("good subnetwork", good, ends.iloc[-1]),
        ):
            if kept.shapes != criterion.full.shapes:
                yield f"{cell}: the {method} {told} is of another encoder: {kept!r}"
                continue
            score, sparsity = criterion.assess(kept).score, criterion.sparsity(kept)
            yield (
                None
                if _close(score, known["score"], tolerance)
                else (
                    f"{cell}: the {told} scores {score:.9g} in the {method} search, recorded is"
                    f" {known['score']:.9g}"
                )
            )
            yield (
                None
                if _close(sparsity, known["sparsity"], tolerance)
                else (
                    f"{cell}: the {told} has a {method} sparsity of {sparsity:.9g}, recorded is"
                    f" {known['sparsity']:.9g}"
                )
            )
