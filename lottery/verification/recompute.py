"""Recompute results of a finished run: scores, controls, and the first and last steps of its searches.

Of retrained tickets only the good ones of some seeds are kept; the scores of the others cannot be recomputed.
"""

import math
from collections.abc import Mapping
from pathlib import Path

from lottery.model import checkpoint
from lottery.model.encoder import Encoder
from lottery.predictions import measure
from lottery.runtime.compute import chosen_device
from lottery.subnetwork import Subnetwork
from lottery.ticket import FULL, Key
from lottery.tickets import pruning
from lottery.tickets.measurements import Measurement
from lottery.tickets.methods import METHODS, Method
from lottery.tickets.pruning import Search
from lottery.tickets.retraining import predict_splits
from lottery.tickets.scoring import Tickets
from lottery.tickets.super_survivors import super_subnetworks
from lottery.verification.counts import good_step
from lottery.verification.run import CellOutputs, Findings
from lottery.verification.scored import Identity, identity


def pruned_scores(cell: CellOutputs, tolerance: float) -> Findings:
    """The full model, and the model pruned to all stored tickets and some that are not, have the recorded scores."""
    encoder, settings = _encoder(cell, cell.model), cell.run.settings
    examples = cell.splits()[settings.prune.data]
    stored = {key: ticket.subnetwork for key, ticket in cell.tickets().items()}
    tickets = Tickets(cell.task, cell.seed, stored | _supers(cell), examples, settings)
    recorded = {identity(score): score.value for score in cell.scores()}
    for key in (FULL, *tickets.stored, *_some_drawn(cell)):
        measurement = Measurement(key, "finetuned" if key == FULL else "pruned")
        pruned = encoder.pruned(tickets.subnetwork(key, encoder))
        yield from _scores(cell, measurement, pruned, recorded, tolerance)


def kept_scores(cell: CellOutputs, tolerance: float) -> Findings:
    """The retrained tickets whose weights the parameters keep are there, no others, and have the recorded scores."""
    recorded = {identity(score): score.value for score in cell.scores()}
    retrain = cell.run.settings.retrain
    for method in METHODS.values():
        measurement, folder = Measurement(method.good, "retrained"), cell.kept(method.good)
        kept = retrain.retrains(method.good, cell.seed) and retrain.keeps(method.good, cell.seed)
        if kept != (folder is not None):
            what = "are missing" if kept else "are there, though `retrain.kept` does not name it"
            yield f"{cell}: the trained weights of {method.good.name} {what}"
            continue
        yield None
        if folder is not None:
            encoder = _encoder(cell, folder)
            yield from _scores(cell, measurement, encoder, recorded, tolerance)


def _scores(
    cell: CellOutputs,
    measurement: Measurement,
    encoder: Encoder,
    recorded: Mapping[Identity, float],
    tolerance: float,
) -> Findings:
    """The encoder has the scores that were recorded for the measurement."""
    splits = measurement.scored_on(cell.splits())
    for split, logits_NC in predict_splits(encoder, splits).items():
        for metric, value in measure(cell.task, split, logits_NC, splits[split].labels_N).items():
            score = Identity(*measurement, split, metric)
            expected = recorded.get(score, math.nan)
            yield _difference(f"{cell}: {score}", value, expected, tolerance)


def _some_drawn(cell: CellOutputs) -> list[Key]:
    """One draw of each kind and size that is not stored."""
    settings = cell.run.settings
    keys = [
        key
        for method in METHODS.values()
        for key in method.drawn(settings.controls, settings.retrain)
    ]
    return [*{key._replace(draw=0): key for key in keys}.values()]


def _encoder(cell: CellOutputs, folder: Path) -> Encoder:
    return checkpoint.load(folder, cell.task.classes).to(chosen_device(cell.run.compute))


def _supers(cell: CellOutputs) -> dict[Key, Subnetwork]:
    """Super-survivors and their controls, drawn again."""
    supers: dict[Key, Subnetwork] = {}
    for method in METHODS.values():
        if keys := method.super_keys(cell.run.settings.controls):
            supers |= super_subnetworks(cell.good_of_all_seeds(method), keys)
    return supers


def _difference(label: str, value: float, recorded: float, tolerance: float) -> str | None:
    """None if a recomputed value agrees with the recorded one, else both."""
    both_undefined = math.isnan(value) and math.isnan(recorded)
    if both_undefined or abs(value - recorded) <= tolerance:
        return None
    return f"{label} is {value:.9g}, recorded is {recorded:.9g}"


def draws(cell: CellOutputs) -> Findings:
    """Controls are those that the seed draws, pre-trained tickets the largest weights; good ones fit their method."""
    tickets = cell.tickets()
    for method in METHODS.values():
        inputs = _inputs(cell, method)
        pruner = inputs.pruner()
        for key, ticket in tickets.items():
            if key.method != method.name:
                continue
            kept, label = ticket.subnetwork, f"{cell}: {ticket.name}"
            good = tickets[key.good].subnetwork
            redrawn = pruning.stored_subnetwork(inputs, pruner, key, good)
            if redrawn.shapes != kept.shapes:
                yield f"{label} is of another encoder: {kept!r}"
            elif redrawn != kept:
                yield f"{label} is not what seed and weights give, {(redrawn - kept).size} differ"
            else:
                yield None
            violation = pruner.violation(kept) if key.kind == "good" else None
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
