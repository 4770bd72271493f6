"""Recompute results of a finished run: pruned scores, controls, and the first and last steps of its searches.

Retrained weights are not stored, so retrained scores cannot be recomputed.
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
from lottery.tickets.pruning import Search
from lottery.tickets.retraining import SplitScores, score_splits
from lottery.verification.counts import good_step
from lottery.verification.run import CellOutputs, Findings
from lottery.vocabulary import WHOLE


def pruned_scores(cell: CellOutputs, tolerance: float) -> Findings:
    """The full model, and the model pruned to every ticket, have the recorded scores."""
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
    """Super-survivors and their controls, drawn again."""
    return [
        ticket
        for method in METHODS.values()
        if method.super_survivors
        for ticket in scoring.super_tickets(
            cell.good_of_all_seeds(method), cell.seed, rng("super", cell.task.name)
        )
    ]


def _recorded(cell: CellOutputs) -> dict[tuple[str, ...], float]:
    """Scores of everything that was not retrained, by method, kind, draw, split and metric."""
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
            label = f"{cell}: {metric} of {method} {kind} {draw} on {split}"
            yield _difference(label, value, expected, tolerance)


def _difference(label: str, value: float, recorded: float, tolerance: float) -> str | None:
    """None if a recomputed value agrees with the recorded one, else both."""
    both_undefined = math.isnan(value) and math.isnan(recorded)
    if both_undefined or abs(value - recorded) <= tolerance:
        return None
    return f"{label} is {value:.9g}, recorded is {recorded:.9g}"


def draws(cell: CellOutputs) -> Findings:
    """Controls are those that the seed draws; good and pre-trained tickets do not contradict their method."""
    tickets = cell.tickets()
    for method in METHODS.values():
        inputs = _inputs(cell, method)
        pruner = inputs.pruner()
        pretrained = inputs.pretrained_pruner() if method.by_weights else pruner
        for key, ticket in tickets.items():
            if key.method != method.name:
                continue
            kept, label = ticket.subnetwork, f"{cell}: {ticket.name}"
            binding = pretrained if key.kind == "pretrained" else pruner
            good, controls = tickets[key.good].subnetwork, cell.run.settings.controls
            redrawn = pruning.ticket_subnetwork(
                binding, key, good, cell.task.name, cell.seed, controls
            )
            if redrawn.shapes != kept.shapes:
                yield f"{label} is of another encoder: {kept!r}"
            elif redrawn != kept:
                yield f"{label} is not what the seed draws, {(redrawn - kept).size} differ"
            else:
                yield None
            violation = binding.violation(kept) if key.kind in {"good", "pretrained"} else None
            yield f"{label} {violation}" if violation else None


def _inputs(cell: CellOutputs, method: Method) -> Search:
    """The inputs of a search of the cell."""
    run = cell.run
    examples = cell.splits()[run.settings.prune.data]
    folders = cell.model, run.encoder
    return Search(method, cell.task, cell.seed, *folders, examples, run.settings, run.compute)


def searches(cell: CellOutputs, tolerance: float) -> Findings:
    """The full model and the good tickets have the score and sparsity that the search recorded for them."""
    trajectories, tickets = cell.steps(), cell.tickets()
    for method in METHODS.values():
        steps = trajectories[trajectories["method"] == method.name].to_dict("records")
        pruner = _inputs(cell, method).pruner()
        full, candidates = pruner.full, [("full model", pruner.full, steps[0])]
        for matched in (None, *cell.run.settings.controls.matched):
            ticket = tickets[method.good._replace(matched=matched)]
            candidates.append((ticket.name, ticket.subnetwork, good_step(steps, matched)))
        # m-pruning zeroes weights in place, so the largest subnetwork comes first.
        for name, kept, step in sorted(candidates, key=lambda candidate: candidate[2]["sparsity"]):
            label = f"{cell}: {method.name} search, {name}"
            if kept.shapes != full.shapes:
                yield f"{label} is of another encoder: {kept!r}"
                continue
            score, sparsity = pruner.assess(kept).score, pruner.sparsity(kept)
            yield _difference(f"{label}: score", score, step["score"], tolerance)
            yield _difference(f"{label}: sparsity", sparsity, step["sparsity"], tolerance)
