"""Counts that follow from the parameters of a run: sizes and overlaps of tickets, steps of searches."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

import numpy as np

from lottery.ticket import Key, Ticket
from lottery.tickets.methods import METHODS, Method
from lottery.tickets.search import score_threshold
from lottery.verification.run import CellOutputs, Findings
from lottery.vocabulary import MEASURED, WHOLE
from lottery.wording import counted, listed

Step = dict[Any, Any]


def sizes(cell: CellOutputs) -> Findings:
    """A control has the size of the good ticket; a bad one shares with it no more than is unavoidable."""
    tickets = cell.tickets()
    for ticket in tickets.values():
        method = METHODS[ticket.method]
        good = method.by_unit(tickets[method.good].subnetwork)
        for unit, kept in method.by_unit(ticket.subnetwork).items():
            label, size = f"{cell}: {ticket.name}", good[unit].size
            same = kept.size == size or _has_random_size(cell, ticket)
            yield None if same else f"{label} keeps {kept.size} {unit}, the good ticket {size}"
            if ticket.kind == "bad" and not _is_from_smallest(cell, method):
                shared, least = (kept & good[unit]).size, max(0, 2 * size - kept.total)
                text = f"{label} shares {shared} {unit} with the good ticket, expected {least}"
                yield None if shared == least else text


def _has_random_size(cell: CellOutputs, ticket: Ticket) -> bool:
    """Whether the ticket has the size of the good one only on average."""
    controls, method = cell.run.settings.controls, METHODS[ticket.method]
    return controls.random == "bernoulli" and ticket.kind == "random" and not method.prunes_weights


def _is_from_smallest(cell: CellOutputs, method: Method) -> bool:
    """Whether bad tickets keep the smallest weights, whatever they share with the good one."""
    return cell.run.settings.controls.bad == "smallest" and method.prunes_weights


def steps(cell: CellOutputs) -> Findings:
    """Each search prunes at its rate, respects its threshold, and ends with its good ticket."""
    trajectories, tickets = cell.steps(), cell.tickets()
    for method in METHODS.values():
        good = method.by_unit(tickets[method.good].subnetwork)
        steps = trajectories[trajectories["method"] == method.name].to_dict("records")
        totals = {unit: subnetwork.total for unit, subnetwork in good.items()}
        yield from _trajectory(cell, method, steps, totals)
        last = [steps[0], *(step for step in steps if step["accepted"])][-1]
        for unit, kept in good.items():
            text = f"{method.name} search ends with {last[unit]} {unit}, the good ticket has {kept.size}"
            yield None if last[unit] == kept.size else f"{cell}: {text}"


def _trajectory(
    cell: CellOutputs, method: Method, steps: list[Step], totals: dict[str, int]
) -> Findings:
    settings = cell.run.settings
    full = best = previous = steps[0]
    threshold = score_threshold(full["score"], settings.prune)
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
