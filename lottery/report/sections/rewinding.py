"""The section on iterative magnitude pruning with rewinding, in runs that did it."""

from collections.abc import Iterator, Sequence

import pandas as pd

from lottery.analysis.frames import rows
from lottery.analysis.rewinding import sparsest
from lottery.report import numbers
from lottery.report.blocks import Block, Entry, Figure, Folded, Paragraph, Table
from lottery.report.material import Material
from lottery.report.provenance import Spent
from lottery.tickets.parameters import RewindParameters
from lottery.tickets.rewound import CONTROLS, REWOUND
from lottery.vocabulary import METRICS
from lottery.wording import NONE, counted, percent, seeds, setting

CONTROL_WORDS = {control.name: control.words for control in CONTROLS}
COLUMNS = (REWOUND, *CONTROL_WORDS)
WORDS = {True: "yes", False: "no"}


def rewinding(material: Material) -> Iterator[Block]:
    """The masks that match and win, by task and sparsity; nothing if nothing was rewound in a sound cell."""
    means = material.tables.get("rewinding")
    if means is None or means.empty:
        return
    parameters = material.parameters[RewindParameters]
    yield Paragraph(_procedure(parameters) + _cost(parameters, material.provenance.spent))
    yield Figure(
        material.figure("rewinding"),
        "Line plots of the score of trained masks against the share of weights removed, a panel for every task, with"
        " points for control masks.",
        f"Trained masks of iterative pruning: mean and 95 % interval over {seeds(means['n'])}; 0 % is the full model."
        " Points: controls of the same size, slightly apart. Source: `tables/rewinding.csv`.",
    )
    yield _largest(material, means)
    yield _differences(material.tables["rewinding-differences"])
    yield Folded("Every round", [_scores(material, means)])


def _procedure(rewind: RewindParameters) -> str:
    to = f"those after {counted(rewind.step, 'step')}" if rewind.step else "the pre-trained ones"
    return (
        "The paper's searches never train. Iterative magnitude pruning does (Frankle and Carbin 2019): after each"
        f" training the smallest {setting(rewind.rate)} of all weights are pruned, and the others are set back to {to}."
        " A mask *matches* if its mean score is at least that of the full model less one standard deviation of the"
        " latter over seeds (Chen et al. 2020), and *wins* if it matches and is above random masks of its size and"
        " above the same mask on random weights. All masks are trained as the full model was."
    )


def _cost(rewind: RewindParameters, spent: Sequence[Spent]) -> str:
    """Trainings of a cell, and its time next to that of the paper's searches, as far as the log of the run has it."""
    seconds = {
        stage.stage: stage.core_seconds / stage.instances
        for stage in spent
        if stage.core_seconds is not None
    }
    trainings = f" Each cell takes {counted(rewind.rounds, 'training')}, and those of the controls"
    if not {"rewind", "finetune", "prune"} <= set(seconds):
        return f"{trainings}."
    return (
        f"{trainings}: {seconds['rewind']:.0f} core-seconds together, where one fine-tuning took"
        f" {seconds['finetune']:.0f} and the paper's searches {seconds['prune']:.0f}."
    )


def _largest(material: Material, means: pd.DataFrame) -> Table:
    return Table(
        "The largest share of weights removed at which the mask of iterative pruning matches the full model, and at"
        f" which it wins, of those at which controls were trained. On dev, {seeds(means['n'])}. Source:"
        " `tables/rewinding.csv`.",
        ["task", "matches", "wins"],
        [
            [title, *(_largest_of(means, column, task) for column in ("matches", "wins"))]
            for task, title in material.titles.items()
            if task in set(means["task"])
        ],
    )


def _largest_of(means: pd.DataFrame, column: str, task: str) -> Entry:
    if means.loc[means["task"] == task, column].isna().all():
        return NONE
    sparsity = sparsest(means, column, task)
    return "at no round" if sparsity is None else numbers.percent(sparsity, 0)


def _differences(differences: pd.DataFrame) -> Table:
    return Table(
        "Rewound masks less their controls: mean difference of scores over tasks, in their metrics, with its 95 %"
        " interval (t test over tasks and seeds), and n cells. A description, not a claim. Source:"
        " `tables/rewinding-differences.csv`.",
        ["control", "removed", "difference", "n"],
        [
            [
                CONTROL_WORDS[row.control],
                numbers.percent(row.sparsity, 0),
                numbers.estimate(row),
                numbers.number(row.cells, 0),
            ]
            for row in rows(differences)
        ],
    )


def _scores(material: Material, means: pd.DataFrame) -> Table:
    entries = {(row.task, row.sparsity, row.control): numbers.estimate(row) for row in rows(means)}
    matching = means[means["control"] == REWOUND].set_index(["task", "sparsity"])["matches"]
    return Table(
        "Scores of masks, trained, by the share of weights removed, with [95 % interval over seeds]; 0 % is the full"
        " model. Source: `tables/rewinding.csv`.",
        ["task", "removed", "matches", "iterative", *COLUMNS[1:]],
        [
            [
                f"{material.titles[task]}, {METRICS[metric]}",
                percent(sparsity, 0),
                WORDS.get(matching[task, sparsity], NONE) if sparsity else NONE,
                *(entries.get((task, sparsity, column), NONE) for column in COLUMNS),
            ]
            for task, metric in zip(material.tasks["task"], material.tasks["metric"], strict=True)
            for sparsity in sorted({key[1] for key in matching.index if key[0] == task})
        ],
    )
