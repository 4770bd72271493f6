"""The section of a comparison of experiments on what their searches rank by."""

from collections.abc import Sequence

from lottery.analysis.experiments import Experiment
from lottery.analysis.frames import rows
from lottery.analysis.saliency_curves import MEASURES, compared, measures
from lottery.report import numbers
from lottery.report.blocks import Entry, Section, Table
from lottery.tickets.methods import MAGNITUDE, METHODS, STRUCTURED
from lottery.tickets.saliencies import SALIENCIES
from lottery.wording import NONE, seeds

PARAMETER = {STRUCTURED.name: "importance", MAGNITUDE.name: "magnitude"}
DEFAULT = {STRUCTURED.name: "gate", MAGNITUDE.name: "magnitude"}


def sections(runs: Sequence[Experiment]) -> list[Section]:
    """A table of the saliencies, if the experiments differ in any."""
    if not (methods := compared(runs)):
        return []
    means = measures(runs)
    entries = {(row.run, row.method, row.measure): numbers.estimate(row) for row in rows(means)}
    table = Table(
        "What searches rank by. Passes: forward and backward ones over the search data for each ranking, and its"
        " optimiser steps, if it trains. Area: mean"
        " chance-corrected score over all sparsities of the first phase of the search, 1 if pruning cost nothing."
        " Sparsity: share of the weights removed up to which 90 % of the full model's score is kept. Rank correlation:"
        f" Spearman's, of the importance of heads in the unpruned model with that of `{runs[0].name}`. Means over tasks"
        f" with [95 % interval over seeds], {seeds(means['n'])}; sound cells only. Source: `tables/curves.csv`,"
        " `tables/rankings.csv` of each experiment.",
        ["pruning", "saliency", "experiment", "passes", "area", "sparsity", "rank correlation"],
        [
            [
                METHODS[method].title,
                *_saliency(run, method),
                *(entries.get((run.name, method, measure), NONE) for measure in MEASURES),
            ]
            for method in methods
            for run in runs
        ],
    )
    return [Section("Saliencies", [table])]


def _saliency(run: Experiment, method: str) -> list[Entry]:
    """Title of the saliency of a run, the run, and the passes of one ranking."""
    name = run.parameters.get(PARAMETER[method], {}).get("saliency", DEFAULT[method])
    saliency = SALIENCIES[name]
    return [saliency.title, f"`{run.name}`", saliency.cost]
