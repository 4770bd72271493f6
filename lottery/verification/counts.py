"""What a finished run must hold, counted again from its parameters: scores, sizes, overlaps, steps."""

from collections import Counter
from typing import Any

import numpy as np

from lottery.tickets.search import score_threshold
from lottery.verification.run import CellOutputs, Looks, Who, groups

IDENTITY = ["method", "kind", "draw", "state", "split", "metric"]
SUPERS = ("super", "super-random", "super-bad")
STATES = ("pruned", "retrained")


def rows(cell: CellOutputs) -> Looks:
    """Every score that the parameters ask for is there once, and no other; each counts its split's examples."""
    scored, splits = cell.scores(), cell.splits()
    whole: set[Who] = {("full", "full", 0), ("full", "majority", 0)}
    supers: set[Who] = {("structured", kind, 0) for kind in SUPERS}
    wanted = _due(cell, whole | cell.subnetworks().keys() | supers, list(splits))
    found = Counter(map(tuple, scored[IDENTITY].to_numpy().tolist()))
    for name in sorted(wanted | found.keys()):
        yield (
            None
            if found[name] == (name in wanted)
            else (
                f"{cell}: the score of {' '.join(map(str, name))} is there {found[name]} times,"
                f" not {int(name in wanted)}"
            )
        )
    for split, own in scored.groupby("split"):
        sizes, size = set(own["n"]), len(splits.get(str(split), ()))
        yield (
            None
            if sizes == {size}
            else (f"{cell}: its scores count {sizes} examples of {split}, the data {size}")
        )


def _due(cell: CellOutputs, entrants: set[Who], splits: list[str]) -> set[tuple[Any, ...]]:
    """The identity of every score of these entrants."""
    return {
        (*who, state, split, metric)
        for who in entrants
        for state in (STATES if who[0] != "full" else ("finetuned",))
        for split in splits
        if split != "select" or (who[1] in {"full", "good"} and state != "retrained")
        for metric in cell.task.metrics
    }


def sizes(cell: CellOutputs) -> Looks:
    """A contrast is as large as the good one, a bad one shares with it what it must; a super has what all keep."""
    how, found = cell.run.how.controls, cell.subnetworks()
    for (method, kind, draw), kept in found.items():
        good = groups(method, found[method, "good", 0])
        by_chance = how.random == "bernoulli" and (method, kind) == ("structured", "random")
        smallest = how.bad == "smallest" and method == "magnitude"
        for group, own in groups(method, kept).items():
            told, size = f"{cell}: {method} {kind} {draw}", int(good[group].sum())
            yield (
                None
                if by_chance or own.sum() == size
                else (f"{told} keeps {own.sum()} {group}, the good one {size}")
            )
            if kind == "bad" and not smallest:
                shared, least = int((own & good[group]).sum()), max(0, 2 * size - own.size)
                yield (
                    None
                    if shared == least
                    else (f"{told} shares {shared} {group} with the good one, not {least}")
                )


def steps(cell: CellOutputs) -> Looks:
    """Each search goes down as its rate says, keeps to its threshold, and ends in its good subnetwork."""
    every, found = cell.steps(), cell.subnetworks()
    for method in ("structured", "magnitude"):
        good = found[method, "good", 0]
        own = every[every["method"] == method].to_dict("records")
        totals = {group: bits.size for group, bits in groups(method, good).items()}
        yield from _way(cell, method, own, totals)
        last = ([step for step in own if step["accepted"]] or own)[-1]
        for group, bits in groups(method, good).items():
            yield (
                None
                if last[group] == bits.sum()
                else (
                    f"{cell}: the {method} search ends with {last[group]} {group}, the good subnetwork"
                    f" has {bits.sum()}"
                )
            )


def _way(
    cell: CellOutputs, method: str, steps: list[dict[Any, Any]], totals: dict[str, int]
) -> Looks:
    rule, best, before = cell.run.how.rule, steps[0], steps[0]
    bars = score_threshold(steps[0]["score"], rule)
    for number, step in enumerate(steps):
        told = f"{cell}: the {method} search: step {number}"
        yield None if step["step"] == number else f"{told} is numbered {step['step']}"
        same = (step["full_score"], step["threshold"]) == (steps[0]["score"], bars)
        yield None if same or np.isnan(bars) else f"{told} has another threshold than {bars}"
        held = not step["accepted"] or step["score"] >= bars
        yield None if held else f"{told} is accepted below its threshold"
        start = before if step["phase"] == before["phase"] else best
        for group, total in totals.items():
            due = total if not number else start[group] - _cut(cell, step["phase"], group, start, total)  # fmt: skip
            yield None if step[group] == due else f"{told} keeps {step[group]} {group}, not {due}"
        best, before = (step if step["accepted"] else best), step


def _cut(cell: CellOutputs, phase: str, group: str, start: dict[Any, Any], total: int) -> int:
    """How many of a group a step takes away."""
    left, how = int(start[group]), cell.run.how
    if group == "weights":
        rate = how.rule.rate if how.weights.rate is None else how.weights.rate
        return max(1, int(rate * left))
    if group == "mlps":
        return 0 if phase == "heads" else min(1, left)
    share = max(1, int(how.rule.rate * total))
    share = {"both": share, "heads": max(1, share // 2), "mlps": 0}[phase]
    return min(share, left)
