"""The comparison of experiments as Markdown: the frames of `comparison` in words and tables."""

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
from lottery.report.markdown import figure, section, table
from lottery.wording import MINUS, NONE, counted, listed, number

SCORED = (
    "Headline numbers: scores of the good subnetworks and of the full model on dev, and the share of encoder weights"
    " removed"
)
MARGIN = "Margins: how far good subnetworks lie above random ones of their size, on dev"
WORDS = ("reproduced", "contradicted", "undecided")
HOW = """\
```sh
make sweep NAME=rate                 # a grid that matters: rate, threshold, reduction, data, seeds
dvc exp run -S prune.rate=0.2        # one value of one parameter
make compare                         # this page again
```"""


def render(
    runs: Sequence[Experiment], commit: bool, without: Mapping[str, str], picture: str
) -> str:
    """The whole comparison. The first of `runs` is the baseline, `commit` says whether it is a commit's own results
    or, for want of those, an experiment; `without` tells what became of experiments that hold no results.
    """
    parts = ["# Experiments side by side", *_which(runs, commit, without)]
    if len(runs) > 1:
        parts += [
            section("What was changed", _changed(runs)),
            section("What came out", *_outcome(runs, picture)),
            section("Which verdicts flip", *_verdicts(runs)),
            section("What was not run again", _reused(runs)),
        ]
    elif runs:
        parts.append(section("What came out", _headline(runs, [*SCORES, *REMOVED])))
    if len(runs) < 2:
        parts.append(section("How to run experiments", HOW))
    return "\n\n".join(parts) + "\n"


def _which(runs: Sequence[Experiment], commit: bool, without: Mapping[str, str]) -> Iterator[str]:
    if not runs:
        yield (
            "There is nothing to compare: no results are committed (`reports/` and `dvc.lock`), and no experiment"
            " has any."
        )
    elif len(runs) == 1:
        yield f"`{runs[0].name}` has results, and no experiment stands beside it yet."
    elif commit:
        yield (
            f"{counted(len(runs) - 1, 'experiment')} beside the baseline `{runs[0].name}`, the commit"
            f" `{runs[0].revision[:7]}` that they started from."
        )
    else:
        yield (
            f"{counted(len(runs), 'experiment')}. The commit they started from holds no results, so"
            f" `{runs[0].name}` serves as the baseline; to have another, commit `reports/` and `dvc.lock` after"
            " `make repro`."
        )
    if without:
        said = listed(f"`{name}` ({state})" for name, state in without.items())
        yield f"Without results, and so not here: {said}."


def _changed(runs: Sequence[Experiment]) -> str:
    given = differing(runs)
    if given.empty:
        return "No parameter differs: whatever differs below comes from code or data."
    body = [
        [f"`{name}`", f"`{run.revision[:7]}`", *(f"`{value}`" for value in line)]
        for name, run, line in zip(given.index, runs, given.to_numpy().tolist(), strict=True)
    ]
    header = ["experiment", "revision", *(f"`{name}`" for name in given)]
    return table(
        "Parameters in which the experiments differ. Source: `params.yaml`.", header, body, 2
    )


def _outcome(runs: Sequence[Experiment], picture: str) -> Iterator[str]:
    yield _headline(runs, [*SCORES, *REMOVED])
    yield figure(
        picture,
        f"Line plots, a panel for each task and pruning: score on the selection data against the share of encoder"
        f" weights removed, a line for each of {counted(len(runs), 'experiment')}.",
        "The way down in every experiment: mean over seeds of the score on the selection data; markers are the mean"
        f" place of the chosen subnetworks. `{runs[0].name}` is black. Source: `tables/curves.csv` of each.",
    )
    yield _headline(runs, [f"{name}, margin" for name in MARGINS], MARGIN)


def _headline(runs: Sequence[Experiment], wanted: Sequence[str], what: str = SCORED) -> str:
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
    return table(caption, header, body)


def _counted(numbers: Iterator[int]) -> str:
    found = sorted(set(numbers))
    if len(found) == 1:
        return counted(found[0], "seed")
    return f"{found[0]} to {found[-1]} seeds" if found else "no seed"


def _cell(found: Compared | None, baseline: bool) -> str:
    if found is None or not found.own.n:
        return NONE
    own = _between(found.own)
    if baseline:
        return own
    gap = found.difference
    return f"{own}<br>{_between(gap, signed=True) if gap.n else NONE}"


def _between(value: Interval, signed: bool = False) -> str:
    mean = number(value.mean)
    if signed and not mean.startswith(MINUS):
        mean = f"+{mean}"
    return f"{mean} [{number(value.low)}, {number(value.high)}]" if value.n > 1 else mean


def _verdicts(runs: Sequence[Experiment]) -> Iterator[str]:
    body = [[f"`{run.name}`", *(str(counts(run).get(word, 0)) for word in WORDS)] for run in runs]
    yield table("Verdicts by experiment. Source: `tables/verdicts.csv` of each.",
                ["experiment", *WORDS], body)  # fmt: skip
    found = flips(runs[1:], runs[0])
    if found.empty:
        yield f"No verdict is another than in `{runs[0].name}`."
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
    yield table(caption, header, lines, 3)


def _effect(row: Any, whose: str) -> str:
    mean, low, high, n = (
        getattr(row, f"{name}_{whose}") for name in ("effect", "low", "high", "n")
    )
    between = "" if pd.isna(low) else f" [{number(low)}, {number(high)}]"
    return f"{number(mean)}{between}, n = {n}" if n else NONE


def _reused(runs: Sequence[Experiment]) -> str:
    found = shared(runs[1:], runs[0])
    stages = list(found["stage"].drop_duplicates())
    cells = {(row.run, row.stage): f"{row.same} of {row.instances}" for row in rows(found)}
    body = [
        [f"`{run.name}`", *(cells.get((run.name, stage), NONE) for stage in stages)]
        for run in runs[1:]
    ]
    return table(
        f"Instances of each stage that are locked exactly as in `{runs[0].name}`: same command, inputs, parameters and"
        " outputs, so DVC took them as they were and ran the others. Source: `dvc.lock` of each.",
        ["experiment", *stages],
        body,
    )
