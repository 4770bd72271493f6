"""The comparison of experiments: the frames of `lottery.analysis.experiments` as words and tables."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

from lottery.analysis.experiments import (
    MARGINS,
    REMOVED,
    SCORES,
    Compared,
    Experiment,
    compare,
    counts,
    differing,
    flips,
    shared,
)
from lottery.analysis.frames import rows
from lottery.analysis.intervals import Interval
from lottery.report import numbers
from lottery.report.blocks import (
    Block,
    Code,
    Document,
    Entry,
    Figure,
    Number,
    Paragraph,
    Section,
    Table,
)
from lottery.wording import MINUS, NONE, counted, listed, number

SCORED = (
    "Headline numbers: scores of the good subnetworks and of the full model on dev, and the share of encoder weights"
    " removed"
)
MARGIN = "Margins: how far good subnetworks lie above random ones of their size, on dev"
WORDS = ("reproduced", "contradicted", "undecided")
HOW = """\
make sweep NAME=rate                 # a grid that matters: rate, threshold, reduction, data, seeds
dvc exp run -S prune.rate=0.2        # one value of one parameter
make compare                         # this page again"""


def compose(
    runs: Sequence[Experiment], commit: bool, without: Mapping[str, str], picture: str
) -> Document:
    """The whole comparison. The first of `runs` is the baseline, `commit` says whether it is a commit's own results
    or, for want of those, an experiment; `without` tells what became of experiments that hold no results.
    """
    sections = []
    if len(runs) > 1:
        sections += [
            Section("What was changed", [_changed(runs)]),
            Section("What came out", list(_outcome(runs, picture))),
            Section("Which verdicts flip", list(_verdicts(runs))),
            Section("What was not run again", [_reused(runs)]),
        ]
    elif runs:
        sections.append(Section("What came out", [_headline(runs, [*SCORES, *REMOVED])]))
    if len(runs) < 2:
        sections.append(Section("How to run experiments", [Code("sh", HOW)]))
    return Document("Experiments side by side", list(_which(runs, commit, without)), sections)


def _which(
    runs: Sequence[Experiment], commit: bool, without: Mapping[str, str]
) -> Iterator[Paragraph]:
    if not runs:
        yield Paragraph(
            "There is nothing to compare: no results are committed (`reports/` and `dvc.lock`), and no experiment"
            " has any."
        )
    elif len(runs) == 1:
        yield Paragraph(f"`{runs[0].name}` has results, and no experiment stands beside it yet.")
    elif commit:
        yield Paragraph(
            f"{counted(len(runs) - 1, 'experiment')} beside the baseline `{runs[0].name}`, the commit"
            f" `{runs[0].revision[:7]}` that they started from."
        )
    else:
        yield Paragraph(
            f"{counted(len(runs), 'experiment')}. The commit they started from holds no results, so"
            f" `{runs[0].name}` serves as the baseline; to have another, commit `reports/` and `dvc.lock` after"
            " `make repro`."
        )
    if without:
        said = listed(f"`{name}` ({state})" for name, state in without.items())
        yield Paragraph(f"Without results, and so not here: {said}.")


def _changed(runs: Sequence[Experiment]) -> Block:
    given = differing(runs)
    if given.empty:
        return Paragraph("No parameter differs: whatever differs below comes from code or data.")
    body = [
        [f"`{name}`", f"`{run.revision[:7]}`", *(f"`{value}`" for value in line)]
        for name, run, line in zip(given.index, runs, given.to_numpy().tolist(), strict=True)
    ]
    header = ["experiment", "revision", *(f"`{name}`" for name in given)]
    return Table("Parameters in which the experiments differ. Source: `params.yaml`.", header, body)


def _outcome(runs: Sequence[Experiment], picture: str) -> Iterator[Block]:
    yield _headline(runs, [*SCORES, *REMOVED])
    yield Figure(
        picture,
        f"Line plots, a panel for each task and pruning: score on the selection data against the share of encoder"
        f" weights removed, a line for each of {counted(len(runs), 'experiment')}.",
        "The way down in every experiment: mean over seeds of the score on the selection data; markers are the mean"
        f" place of the chosen subnetworks. `{runs[0].name}` is black. Source: `tables/curves.csv` of each.",
    )
    yield _headline(runs, [f"{name}, margin" for name in MARGINS], MARGIN)


def _headline(runs: Sequence[Experiment], wanted: Sequence[str], what: str = SCORED) -> Table:
    """One line per run: each quantity with its interval, and below it the difference to the baseline with its own."""
    found = {(each.run, each.quantity): each for each in compare(runs, runs[0])}
    body = [
        [f"`{run.name}`", *(_cell(found.get((run.name, name)), run is runs[0]) for name in wanted)]
        for run in runs
    ]
    below = "; in the second line the difference to the baseline" if len(runs) > 1 else ""
    pairs = (
        f" The difference is paired over the cells that both have; {NONE} where there are none."
        if len(runs) > 1
        else ""
    )
    caption = (
        f"{what}: mean over the tasks whose full model beats the majority class, over"
        f" {_counted(each.own.n for each in found.values())}, and [95 % interval over seeds]{below}.{pairs} Source:"
        " `tables/cells.csv`, `tables/sizes.csv` of each."
    )
    header = ["experiment", *(name.removesuffix(", margin") for name in wanted)]
    return Table(caption, header, body)


def _counted(numbers: Iterator[int]) -> str:
    found = sorted(set(numbers))
    if len(found) == 1:
        return counted(found[0], "seed")
    return f"{found[0]} to {found[-1]} seeds" if found else "no seed"


def _cell(found: Compared | None, baseline: bool) -> Entry:
    if found is None or not found.own.n:
        return NONE
    own = _between(found.own)
    if baseline:
        return Number(own, found.own.mean)
    gap = found.difference
    difference = _between(gap, signed=True) if gap.n else NONE
    return Number(f"{own}<br>{difference}", found.own.mean)


def _between(value: Interval, signed: bool = False) -> str:
    mean = number(value.mean)
    if signed and not mean.startswith(MINUS):
        mean = f"+{mean}"
    return f"{mean} [{number(value.low)}, {number(value.high)}]" if value.n > 1 else mean


def _verdicts(runs: Sequence[Experiment]) -> Iterator[Block]:
    body = [
        [f"`{run.name}`", *(numbers.number(counts(run).get(word, 0), 0) for word in WORDS)]
        for run in runs
    ]
    yield Table("Verdicts by experiment. Source: `tables/verdicts.csv` of each.",
                ["experiment", *WORDS], body)  # fmt: skip
    found = flips(runs[1:], runs[0])
    if found.empty:
        yield Paragraph(f"No verdict is another than in `{runs[0].name}`.")
        return
    lines = [
        [
            row.claim,
            f"`{row.run}`",
            f"{row.verdict_base} → **{row.verdict_run}**",
            _effect(row, "base"),
            _effect(row, "run"),
        ]
        for row in rows(found)
    ]
    caption = (
        "Verdicts that are others than the baseline's, with effects [95 % intervals] and n cells. A verdict that flips"
        " is no proof of a difference: compare the intervals. Source: `tables/verdicts.csv` of each."
    )
    header = ["claim", "experiment", "verdict", "effect, baseline", "effect, experiment"]
    yield Table(caption, header, lines)


def _effect(row: Any, whose: str) -> Entry:
    mean, low, high, n = (
        getattr(row, f"{name}_{whose}") for name in ("effect", "low", "high", "n")
    )
    between = "" if pd.isna(low) else f" [{number(low)}, {number(high)}]"
    return Number(f"{number(mean)}{between}, n = {n}", mean) if n else NONE


def _reused(runs: Sequence[Experiment]) -> Table:
    found = shared(runs[1:], runs[0])
    stages = list(found["stage"].drop_duplicates())
    cells = {
        (row.run, row.stage): Number(f"{row.same} of {row.instances}", row.same)
        for row in rows(found)
    }
    body = [
        [f"`{run.name}`", *(cells.get((run.name, stage), NONE) for stage in stages)]
        for run in runs[1:]
    ]
    return Table(
        f"Instances of each stage that are locked exactly as in `{runs[0].name}`: same command, inputs, parameters and"
        " outputs, so DVC took them as they were and ran the others. Source: `dvc.lock` of each.",
        ["experiment", *stages],
        body,
    )
