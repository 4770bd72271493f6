"""The abstract: question, setting and outcome, every number from the tables."""

from collections.abc import Iterator

import pandas as pd

from lottery.analysis.frames import rows
from lottery.report.blocks import Paragraph
from lottery.report.material import Material
from lottery.tickets.methods import METHODS, Method
from lottery.tickets.parameters import PruneParameters
from lottery.vocabulary import GOOD_AND_CONTROLS, MEASURED, UNITS
from lottery.wording import between, counted, listed, number, percent, setting


def abstract(material: Material) -> Iterator[Paragraph]:
    """The abstract as one paragraph."""
    averages = material.tables["averages"]
    averages = averages[averages["scope"] == "sound"]
    if averages.empty:
        none = "Every task is degenerate (see What was run), so there is no average."
        yield Paragraph(f"{_question(material)} {none}")
        return
    verdicts = material.tables["verdicts"]["verdict"]
    counts = listed(f"{count} {name}" for name, count in verdicts.value_counts().items())
    sentences = [
        _question(material),
        _full_model(material.tasks, averages),
        *(_outcome(material, averages, method) for method in METHODS.values()),
        f"Verdicts on {counted(len(verdicts), 'claim')} of the paper: {counts}.",
    ]
    yield Paragraph(" ".join(sentences))


def _question(material: Material) -> str:
    threshold = material.parameters[PruneParameters].threshold
    methods = listed(
        f"once by removing {listed(UNITS[unit] for unit in method.units)} ({method.title})"
        for method in METHODS.values()
    )
    tasks = f"{counted(len(material.tasks), 'task')} ({listed(material.titles.values())})"
    seeds = counted(len(material.seeds), "seed")
    return (
        "We repeat the experiments of Prasanna et al. (2020), here called the paper. We fine-tune"
        f" {material.encoder} on {tasks} with {seeds} each and prune every model as far as it keeps at least"
        f" {setting(threshold)} of its score in the search, {methods}; what remains is the *good* subnetwork. We ask"
        " whether good subnetworks differ from random and bad ones of the same size, both as pruned from the fine-tuned"
        " model and when retrained, that is, fine-tuned again from the pre-trained weights under the fixed mask."
    )


def _full_model(tasks: pd.DataFrame, averages: pd.DataFrame) -> str:
    full, majority = (
        next(rows(averages[averages["kind"] == kind])) for kind in ("full", "majority")
    )
    sound, degenerate = (tasks.loc[tasks["degenerate"] == flag, "title"] for flag in (False, True))
    be = "is" if len(degenerate) == 1 else "are"
    omitted = (
        f" ({listed(degenerate)} {be} left out as degenerate, see below)" if len(degenerate) else ""
    )
    return (
        f"{'Averaged over' if full.tasks > 1 else 'On'} {listed(sound)}{omitted}, the full model scores"
        f" {between(full)} on dev; the majority class reaches {number(majority.mean)},"
        f" {percent(majority.share, 0)} of that."
    )


def _outcome(material: Material, averages: pd.DataFrame, method: Method) -> str:
    """One method's sentence: sparsity, and the share of the full score that good, random and bad tickets reach."""
    survivors, tasks = material.tables["survivors"], material.tasks
    sound = survivors["task"].isin(tasks.loc[~tasks["degenerate"], "task"])
    sparsity = survivors[
        sound & (survivors["method"] == method.name) & (survivors["unit"] == "sparsity")
    ]["mean"].mean()
    shares = averages.set_index(["method", "kind", "state"])["share"].to_dict()
    pruned, retrained = (
        listed(percent(shares.get((method.name, kind, state)), 0) for kind in GOOD_AND_CONTROLS)
        for state in MEASURED
    )
    return (
        f"{method.title} removes {percent(sparsity, 0)} of the encoder's prunable weights; {listed(GOOD_AND_CONTROLS)}"
        f" subnetworks reach {pruned}, respectively, of the full model's score when pruned, and {retrained} when"
        " retrained."
    )
