"""The comparison of experiments: the frames of `lottery.analysis.experiments` as text and tables."""

from collections.abc import Iterator, Sequence
from typing import Any

import pandas as pd

from lottery.analysis.experiments import (
    MARGINS,
    REMOVED,
    SCORES,
    Comparison,
    Experiment,
    all_tasks,
    changed_parameters,
    changed_verdicts,
    compare,
    reused_stages,
    verdict_counts,
)
from lottery.analysis.frames import rows
from lottery.analysis.intervals import Interval
from lottery.analysis.learning_curves import points
from lottery.report import learning_curves, numbers, saliencies
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
from lottery.report.numbering import numbered
from lottery.wording import MINUS, NONE, counted, listed, number

SCORED = (
    "Headline numbers: scores of the good subnetworks and of the full model on dev, and the share of encoder weights"
    " removed"
)
MARGIN = "Margins: how much higher good subnetworks score than random ones of their size, on dev"
TRAJECTORIES, LEARNING = "curves.png", "learning.png"
"""File names of the figures."""
VERDICTS = ("reproduced", "contradicted", "equivalent", "undecided")
COMMANDS = """\
make sweep NAME=rate                 # a prepared grid; docs/experiments.md lists all
dvc exp run -S prune.rate=0.2        # one value of one parameter
make compare                         # write this page again"""


def compose(
    runs: Sequence[Experiment], commit: bool, without: Sequence[str], pictures: str
) -> Document:
    """The whole comparison as values.

    The first of `runs` is the baseline; `commit` says whether it is the results of the commit or, if that has none, an
    experiment. `without` names the experiments without results, `pictures` is the folder of the figures.
    """
    sections = []
    if len(runs) > 1:
        sections += [
            Section("Changed parameters", [_changed(runs)]),
            Section("Results", list(_results(runs, f"{pictures}/{TRAJECTORIES}"))),
            *_lengths(runs, f"{pictures}/{LEARNING}"),
            *saliencies.sections(runs),
            Section("Changed verdicts", list(_verdicts(runs))),
            Section("Reused stages", [_reused(runs)]),
        ]
    elif runs:
        sections.append(Section("Results", [_headline(runs, [*SCORES, *REMOVED])]))
    if len(runs) < 2:
        sections.append(Section("How to run experiments", [Code("sh", COMMANDS)]))
    overview = list(_overview(runs, commit, without))
    return numbered(Document("Comparison of experiments", overview, sections))


def _overview(
    runs: Sequence[Experiment], commit: bool, without: Sequence[str]
) -> Iterator[Paragraph]:
    if not runs:
        yield Paragraph(
            "There is nothing to compare: no results are committed (`reports/` and `dvc.lock`), and no experiment"
            " has any."
        )
    elif len(runs) == 1:
        yield Paragraph(
            f"`{runs[0].name}` has results, but there is no experiment to compare it with yet."
        )
    elif commit:
        yield Paragraph(
            f"{counted(len(runs) - 1, 'experiment')} and the baseline `{runs[0].name}`, the commit"
            f" `{runs[0].revision[:7]}` from which they started."
        )
    else:
        yield Paragraph(
            f"{counted(len(runs), 'experiment')}. The commit from which they started has no results, so"
            f" `{runs[0].name}` serves as the baseline; for another baseline, commit `reports/` and `dvc.lock` after"
            " `make repro`."
        )
    if without:
        names = listed(f"`{name}`" for name in without)
        yield Paragraph(f"Left out, for want of results: {names}.")


def _changed(runs: Sequence[Experiment]) -> Block:
    values = changed_parameters(runs)
    if values.empty:
        return Paragraph("No parameter differs: all differences below come from code or data.")
    return Table(
        "Parameters in which the experiments differ. Source: `params.yaml`.",
        ["experiment", "revision", *(f"`{name}`" for name in values)],
        [
            [f"`{run.name}`", f"`{run.revision[:7]}`", *(f"`{value}`" for value in row)]
            for run, row in zip(runs, values.to_numpy().tolist(), strict=True)
        ],
    )


def _results(runs: Sequence[Experiment], picture: str) -> Iterator[Block]:
    yield _headline(runs, [*SCORES, *REMOVED])
    yield Figure(
        picture,
        f"Line plots, a panel for each task and pruning method: score on the data of the search against the share of"
        f" encoder weights removed, a line for each of {counted(len(runs), 'experiment')}.",
        "Trajectories of the searches: score on the data of the search against sparsity, mean over seeds; markers"
        f" are the mean of the chosen subnetworks. `{runs[0].name}` is black. Source: `tables/curves.csv` of each"
        " experiment.",
    )
    yield _headline(runs, [f"{name}, margin" for name in MARGINS], MARGIN)


def _lengths(runs: Sequence[Experiment], picture: str) -> Iterator[Section]:
    """The section on learning curves, if there are any."""
    if len(curves := points(runs)):
        yield learning_curves.section(curves, all_tasks(runs), picture)


def _headline(runs: Sequence[Experiment], names: Sequence[str], title: str = SCORED) -> Table:
    """One row per run: each quantity with its interval, and below it the difference from the baseline with its own."""
    quantities = {(row.run, row.quantity): row for row in compare(runs, runs[0])}
    below = ", and below it the difference from the baseline" if len(runs) > 1 else ""
    pairs = (
        f" Differences are paired over the cells that both have; {NONE} if there are none."
        if len(runs) > 1
        else ""
    )
    return Table(
        f"{title}. Means over the tasks whose full model beats the majority class and over"
        f" {_seeds(row.estimate.n for row in quantities.values())}, with [95 % interval over seeds]{below}.{pairs}"
        " Source: `tables/cells.csv`, `tables/sizes.csv` of each experiment.",
        ["experiment", *(name.removesuffix(", margin") for name in names)],
        [
            [
                f"`{run.name}`",
                *(_quantity(quantities.get((run.name, name)), run is runs[0]) for name in names),
            ]
            for run in runs
        ],
    )


def _seeds(counts: Iterator[int]) -> str:
    distinct = set(counts) or {0}
    fewest, most = min(distinct), max(distinct)
    return counted(most, "seed") if fewest == most else f"{fewest} to {most} seeds"


def _quantity(comparison: Comparison | None, baseline: bool) -> Entry:
    if comparison is None or not comparison.estimate.n:
        return NONE
    text, difference = _estimate(comparison.estimate), comparison.difference
    if not baseline:
        text += f"<br>{_estimate(difference, signed=True) if difference.n else NONE}"
    return Number(text, comparison.estimate.mean)


def _estimate(estimate: Interval, signed: bool = False) -> str:
    """A mean and its interval; a `signed` mean has its plus sign too."""
    mean = number(estimate.mean)
    if signed and not mean.startswith(MINUS):
        mean = f"+{mean}"
    if estimate.n < 2:
        return mean
    return f"{mean} [{number(estimate.low)}, {number(estimate.high)}]"


def _verdicts(runs: Sequence[Experiment]) -> Iterator[Block]:
    yield Table(
        "Verdicts by experiment. Source: `tables/verdicts.csv` of each experiment.",
        ["experiment", *VERDICTS],
        [
            [
                f"`{run.name}`",
                *(numbers.number(verdict_counts(run).get(word, 0), 0) for word in VERDICTS),
            ]
            for run in runs
        ],
    )
    changes = changed_verdicts(runs[1:], runs[0])
    if changes.empty:
        yield Paragraph(f"All verdicts are those of `{runs[0].name}`.")
        return
    yield Table(
        "Verdicts that differ from the baseline's, with effects [the interval that decides, of *closed* claims that of"
        " 95 %] and n replicates. A changed verdict does not prove a difference: compare the intervals. Source:"
        " `tables/verdicts.csv` of each experiment.",
        ["claim", "experiment", "verdict", "effect, baseline", "effect, experiment"],
        [
            [
                row.claim,
                f"`{row.run}`",
                f"{row.verdict_base} → **{row.verdict_run}**",
                _effect(row, "base"),
                _effect(row, "run"),
            ]
            for row in rows(changes)
        ],
    )


def _effect(row: Any, run: str) -> Entry:
    """The effect of one of the two runs of a row, `base` or `run`."""
    mean, low, high, n = (
        getattr(row, f"{name}_{run}") for name in ("effect", "low", "high", "cells")
    )
    interval = "" if pd.isna(low) else f" [{number(low)}, {number(high)}]"
    return Number(f"{number(mean)}{interval}, n = {n}", mean) if n else NONE


def _reused(runs: Sequence[Experiment]) -> Table:
    reused = reused_stages(runs[1:], runs[0])
    stages = list(reused["stage"].drop_duplicates())
    instances = {
        (row.run, row.stage): Number(f"{row.same} of {row.instances}", row.same)
        for row in rows(reused)
    }
    return Table(
        f"Instances of each stage that are locked exactly as in `{runs[0].name}` (same command, inputs, parameters and"
        " outputs), so that DVC did not run them again. Source: `dvc.lock` of each experiment.",
        ["experiment", *stages],
        [
            [f"`{run.name}`", *(instances.get((run.name, stage), NONE) for stage in stages)]
            for run in runs[1:]
        ],
    )
