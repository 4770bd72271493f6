"""Counts that follow from the parameters of a run: sizes and overlaps of tickets, steps of searches."""

from typing import Any

import numpy as np

from lottery.ticket import Ticket
from lottery.tickets.methods import METHODS, Method
from lottery.tickets.neurons import NEURONS
from lottery.tickets.pruning import score_floor
from lottery.tickets.search import score_threshold
from lottery.verification.run import CellOutputs, Findings

Step = dict[Any, Any]


def sizes(cell: CellOutputs) -> Findings:
    """A ticket has the size of the good one; a bad one shares with it no more than is unavoidable."""
    tickets = cell.tickets()
    for ticket in tickets.values():
        method = METHODS[ticket.method]
        good = method.by_unit(tickets[ticket.key.good].subnetwork)
        for unit, kept in method.by_unit(ticket.subnetwork).items():
            label, size = f"{cell}: {ticket.name}", good[unit].size
            same = kept.size == size or _has_random_size(cell, ticket)
            yield None if same else f"{label} keeps {kept.size} {unit}, the good ticket {size}"
            # The neurons of a bad ticket are those of its own MLPs, so that it may have to share more of them.
            free = unit != NEURONS and not _is_from_smallest(cell, method)
            if ticket.kind == "bad" and free:
                shared, least = (kept & good[unit]).size, max(0, 2 * size - kept.total)
                text = f"{label} shares {shared} {unit} with the good ticket, expected {least}"
                yield None if shared == least else text


def _has_random_size(cell: CellOutputs, ticket: Ticket) -> bool:
    """True if the ticket has the size of the good one only on average."""
    controls, method = cell.run.settings.controls, METHODS[ticket.method]
    return controls.random == "bernoulli" and ticket.kind == "random" and not method.prunes_weights


def _is_from_smallest(cell: CellOutputs, method: Method) -> bool:
    """True if bad tickets keep the smallest weights, whatever they share with the good one."""
    return cell.run.settings.controls.bad == "smallest" and method.prunes_weights


def steps(cell: CellOutputs) -> Findings:
    """Each search prunes at its rate and respects its threshold; its good tickets are steps of it."""
    trajectories, tickets = cell.steps(), cell.tickets()
    for method in METHODS.values():
        steps = trajectories[trajectories["method"] == method.name].to_dict("records")
        full = method.by_unit(tickets[method.good].subnetwork)
        totals = {unit: subnetwork.total for unit, subnetwork in full.items()}
        yield from _trajectory(cell, method, steps, totals)
        for matched in (None, *cell.run.settings.controls.matched):
            ticket, step = tickets[method.good._replace(matched=matched)], good_step(steps, matched)
            for unit, kept in method.by_unit(ticket.subnetwork).items():
                text = f"{ticket.name} keeps {kept.size} {unit}, its step {step[unit]}"
                yield None if step[unit] == kept.size else f"{cell}: {text}"


def good_step(steps: list[Step], matched: float | None) -> Step:
    """The step of a good ticket: the last accepted one, or that of the first phase with the nearest sparsity."""
    if matched is None:
        return [steps[0], *(step for step in steps if step["accepted"])][-1]
    phase = [step for step in steps if step["phase"] == steps[1]["phase"]] if steps[1:] else steps
    return min(phase, key=lambda step: abs(float(step["sparsity"]) - matched))


def _trajectory(
    cell: CellOutputs, method: Method, steps: list[Step], totals: dict[str, int]
) -> Findings:
    settings = cell.run.settings
    full = best = previous = steps[0]
    floor = score_floor(settings.prune, cell.task, cell.splits()[settings.prune.data])
    threshold = score_threshold(full["score"], settings.prune, floor)
    for number, step in enumerate(steps):
        label = f"{cell}: {method.name} search, step {number}"
        yield None if step["step"] == number else f"{label} is numbered {step['step']}"
        same = (step["full_score"], step["threshold"]) == (full["score"], threshold)
        text = f"{label} records another full score or threshold than {full['score']}, {threshold}"
        yield None if same or np.isnan(threshold) else text
        valid = not step["accepted"] or step["score"] >= threshold
        yield None if valid else f"{label} is accepted below its threshold"
        start = previous if step["phase"] == previous["phase"] else best
        kept = {unit: int(start[unit]) for unit in totals}
        pruned = method.pruner().step_size(settings, step["phase"], kept, totals) if number else {}
        for unit, total in totals.items():
            due = kept[unit] - min(pruned.get(unit, 0), kept[unit]) if number else total
            yield (
                None if step[unit] == due else f"{label} keeps {step[unit]} {unit}, expected {due}"
            )
        best, previous = (step if step["accepted"] else best), step
