"""Counts that a finished run must have, derived from its parameters: scores, sizes, overlaps, steps."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

import numpy as np

from lottery.ticket import Key, Ticket
from lottery.tickets.methods import METHODS, Method
from lottery.tickets.search import score_threshold
from lottery.verification.run import CellOutputs, Findings
from lottery.vocabulary import WHOLE

IDENTITY = ["method", "kind", "draw", "state", "split", "metric"]
Step = dict[Any, Any]


def rows(cell: CellOutputs) -> Findings:
    """Every score that the parameters ask for is there once, and no other; each counts its split's examples."""
    scores, splits = cell.scores(), cell.splits()
    keys: list[Key] = [(WHOLE, "full", 0), (WHOLE, "majority", 0), *cell.tickets()]
    keys += [key for method in METHODS.values() for key in method.super_keys()]
    expected = _expected(cell, keys, splits)
    counts = Counter(map(tuple, scores[IDENTITY].to_numpy().tolist()))
    for identity in sorted(expected | counts.keys()):
        times, wanted = counts[identity], int(identity in expected)
        text = f"the score of {' '.join(map(str, identity))} is there {times} times, not {wanted}"
        yield None if times == wanted else f"{cell}: {text}"
    for split, of_split in scores.groupby("split"):
        recorded, size = set(of_split["n"]), len(splits.get(str(split), ()))
        text = f"its scores count {recorded} examples of {split}, the data {size}"
        yield None if recorded == {size} else f"{cell}: {text}"


def _expected(
    cell: CellOutputs, keys: Iterable[Key], splits: Iterable[str]
) -> set[tuple[Any, ...]]:
    """The identity of every score of these tickets."""
    splits = list(splits)
    return {
        (method, kind, draw, state, split, metric)
        for method, kind, draw in keys
        for state in (("pruned", "retrained") if method != WHOLE else ("finetuned",))
        for split in splits
        if split != "select" or (kind in {"full", "good"} and state != "retrained")
        for metric in cell.task.metrics
    }


def sizes(cell: CellOutputs) -> Findings:
    """A control is as large as the good ticket; a bad one shares with it no more than it must."""
    tickets = cell.tickets()
    for ticket in tickets.values():
        method = METHODS[ticket.method]
        good = method.by_unit(tickets[method.good].subnetwork)
        for unit, kept in method.by_unit(ticket.subnetwork).items():
            told, size = f"{cell}: {ticket.method} {ticket.kind} {ticket.draw}", good[unit].size
            right = kept.size == size or _has_random_size(cell, ticket)
            yield None if right else f"{told} keeps {kept.size} {unit}, the good one {size}"
            if ticket.kind == "bad" and not _is_from_smallest(cell, method):
                shared, least = (kept & good[unit]).size, max(0, 2 * size - kept.total)
                text = f"{told} shares {shared} {unit} with the good one, not {least}"
                yield None if shared == least else text


def _has_random_size(cell: CellOutputs, ticket: Ticket) -> bool:
    """Whether the ticket is as large as the good one only on average."""
    controls, method = cell.run.settings.controls, METHODS[ticket.method]
    return controls.random == "bernoulli" and ticket.kind == "random" and not method.prunes_weights


def _is_from_smallest(cell: CellOutputs, method: Method) -> bool:
    """Whether bad tickets may share anything with the good one."""
    return cell.run.settings.controls.bad == "smallest" and method.prunes_weights


def steps(cell: CellOutputs) -> Findings:
    """Each search prunes as its rate says, keeps to its threshold, and ends in its good ticket."""
    trajectories, tickets = cell.steps(), cell.tickets()
    for method in METHODS.values():
        good = method.by_unit(tickets[method.good].subnetwork)
        steps = trajectories[trajectories["method"] == method.name].to_dict("records")
        totals = {unit: subnetwork.total for unit, subnetwork in good.items()}
        yield from _trajectory(cell, method, steps, totals)
        last = ([step for step in steps if step["accepted"]] or steps)[-1]
        for unit, subnetwork in good.items():
            text = (
                f"the {method.name} search ends with {last[unit]} {unit}, the good subnetwork has"
                f" {subnetwork.size}"
            )
            yield None if last[unit] == subnetwork.size else f"{cell}: {text}"


def _trajectory(
    cell: CellOutputs, method: Method, steps: list[Step], totals: dict[str, int]
) -> Findings:
    settings = cell.run.settings
    full = best = before = steps[0]
    threshold = score_threshold(full["score"], settings.prune)
    for number, step in enumerate(steps):
        told = f"{cell}: the {method.name} search: step {number}"
        yield None if step["step"] == number else f"{told} is numbered {step['step']}"
        same = (step["full_score"], step["threshold"]) == (full["score"], threshold)
        yield (
            None
            if same or np.isnan(threshold)
            else f"{told} has another threshold than {threshold}"
        )
        held = not step["accepted"] or step["score"] >= threshold
        yield None if held else f"{told} is accepted below its threshold"
        start = before if step["phase"] == before["phase"] else best
        kept = {unit: int(start[unit]) for unit in totals}
        removed = method.pruner().step_size(settings, step["phase"], kept, totals) if number else {}
        for unit, total in totals.items():
            due = kept[unit] - min(removed.get(unit, 0), kept[unit]) if number else total
            yield None if step[unit] == due else f"{told} keeps {step[unit]} {unit}, not {due}"
        best, before = (step if step["accepted"] else best), step
