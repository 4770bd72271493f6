"""Recompute what a finished run kept: pruned scores, random draws, and the ends of its searches.

Retrained weights are not kept, so retrained scores cannot be recomputed.
"""

import math

from lottery.model import checkpoint
from lottery.model.encoder import Encoder
from lottery.model.evaluation import majority_scores
from lottery.runtime.compute import chosen_device
from lottery.seeds import rng
from lottery.ticket import Key, Ticket
from lottery.tickets import pruning, scoring
from lottery.tickets.methods import METHODS, Method
from lottery.tickets.pruner import Pruner
from lottery.tickets.retraining import SplitScores, score_splits
from lottery.verification.run import CellOutputs, Findings
from lottery.vocabulary import WHOLE


def pruned_scores(cell: CellOutputs, tolerance: float) -> Findings:
    """The full model, and the model pruned to every ticket, score what is recorded."""
    encoder, splits = _encoder(cell), cell.splits()
    dev = {name: split for name, split in splits.items() if name != "select"}
    recorded = _recorded(cell)
    full = Ticket.whole(cell.task.name, cell.seed, encoder.config.shapes)
    for ticket in (full, *cell.tickets().values(), *_super_tickets(cell)):
        pruned = encoder if ticket.is_whole else encoder.cut(ticket.subnetwork)
        scored_on = splits if ticket.kind in {"full", "good"} else dev
        scores = score_splits(pruned, cell.task, scored_on)
        yield from _compare(cell, ticket.key, scores, recorded, tolerance)
    majority = {name: majority_scores(cell.task, split) for name, split in dev.items()}
    yield from _compare(cell, (WHOLE, "majority", 0), majority, recorded, tolerance)


def _encoder(cell: CellOutputs) -> Encoder:
    return checkpoint.load(cell.model, cell.task.classes).to(chosen_device(cell.run.compute))


def _super_tickets(cell: CellOutputs) -> list[Ticket]:
    """What survives with every seed, and its controls, drawn again."""
    return [
        ticket
        for method in METHODS.values()
        if method.super_survivors
        for ticket in scoring.super_tickets(
            cell.good_of_all_seeds(method), cell.seed, rng("super", cell.task.name)
        )
    ]


def _recorded(cell: CellOutputs) -> dict[tuple[str, ...], float]:
    """The scores of what was not retrained, by method, kind, draw, split and metric."""
    scores = cell.scores()
    scores = scores[scores["state"] != "retrained"]
    identities = scores[["method", "kind", "draw", "split", "metric"]].astype(str)
    keys = map(tuple, identities.to_numpy().tolist())
    return dict(zip(keys, scores["value"].tolist(), strict=True))


def _compare(
    cell: CellOutputs,
    key: Key,
    scores: SplitScores,
    recorded: dict[tuple[str, ...], float],
    tolerance: float,
) -> Findings:
    method, kind, draw = key
    for split, metrics in scores.items():
        for metric, value in metrics.items():
            expected = recorded.get((method, kind, str(draw), split, metric), math.nan)
            text = (
                f"{cell}: {method} {kind} {draw} scores {value:.9g} {metric} on {split},"
                f" recorded is {expected:.9g}"
            )
            yield None if _close(value, expected, tolerance) else text


def _close(value: float, expected: float, tolerance: float) -> bool:
    return abs(value - expected) <= tolerance or (math.isnan(value) and math.isnan(expected))


def draws(cell: CellOutputs) -> Findings:
    """Random and bad tickets are those that the seed draws, and good ones keep what their method promises."""
    tickets = cell.tickets()
    for method in METHODS.values():
        pruner, good = _pruner(cell, method), tickets[method.good].subnetwork
        for key in method.keys(cell.run.settings.controls.draws):
            kept, told = tickets[key].subnetwork, f"{cell}: {' '.join(map(str, key))}"
            again = pruning.draw(
                pruner, key, good, cell.task.name, cell.seed, cell.run.settings.controls
            )
            if again.shapes != kept.shapes:
                yield f"{told} is of another encoder: {kept!r}"
            elif again != kept:
                yield f"{told} is not what the seed draws, {(again - kept).size} differ"
            else:
                yield None
        violation = pruner.violation(good)
        yield violation and f"{cell}: {method.name} good 0 {violation}"


def _pruner(cell: CellOutputs, method: Method) -> Pruner:
    settings = cell.run.settings
    scored_on = cell.splits()[settings.prune.data]
    return method.pruner().bind(_encoder(cell), cell.task, scored_on, settings)


def searches(cell: CellOutputs, tolerance: float) -> Findings:
    """The full model and the good ticket score on the search's data what the search recorded."""
    trajectories, tickets = cell.steps(), cell.tickets()
    for method in METHODS.values():
        steps = trajectories[trajectories["method"] == method.name]
        accepted = steps[steps["accepted"]]
        last = (accepted if len(accepted) else steps).iloc[-1]
        pruner, good = _pruner(cell, method), tickets[method.good].subnetwork
        full = pruner.full
        for told, kept, step in (
            ("full model", full, steps.iloc[0]),
            ("good subnetwork", good, last),
        ):
            if kept.shapes != full.shapes:
                yield f"{cell}: the {method.name} {told} is of another encoder: {kept!r}"
                continue
            score, sparsity = pruner.assess(kept).score, pruner.sparsity(kept)
            yield (
                None
                if _close(score, step["score"], tolerance)
                else (
                    f"{cell}: the {told} scores {score:.9g} in the {method.name} search, recorded is"
                    f" {step['score']:.9g}"
                )
            )
            yield (
                None
                if _close(sparsity, step["sparsity"], tolerance)
                else (
                    f"{cell}: the {told} has a {method.name} sparsity of {sparsity:.9g}, recorded is"
                    f" {step['sparsity']:.9g}"
                )
            )
