"""The section on the run: its facts in one table, its tasks, what was left out, and whether the machinery works."""

from collections import defaultdict
from collections.abc import Iterator

from lottery.analysis.frames import rows
from lottery.report import numbers
from lottery.report.blocks import Block, Folded, Paragraph, Table
from lottery.report.material import Material
from lottery.report.provenance import core_hours
from lottery.report.reasons import reasons
from lottery.report.sections import setting
from lottery.tickets.methods import method_title
from lottery.tickets.parameters import RetrainParameters
from lottery.vocabulary import METRICS
from lottery.wording import counted, listed, number

CHOICE = "as in `params.yaml`; the default's were chosen on other seeds (`docs/parameters.md`)"
"""Origin of the hyper-parameters."""
CONTROLS = {
    "published": ("the authors' published scores, secondary claims", "decided"),
    "random": ("one random mask against another", "undecided"),
}
"""Data on which the tests are tried, and what they should say."""


def run(material: Material) -> Iterator[Block]:
    """Facts, tasks, cells that were left out, controls of the verdicts; folded: origins, all parameters."""
    yield _facts(material)
    yield _tasks(material)
    yield from _unlearned(material)
    yield from _left_out(material)
    yield from _controls(material)
    yield Folded("Origin and licences of encoder and data", list(setting.origins(material)))
    yield Folded("All parameters", [setting.parameters(material.parameters)])


def _facts(material: Material) -> Table:
    seeds = ", ".join(map(str, material.seeds))
    hours = core_hours(material.provenance.spent)
    facts = [
        ("cells", f"{len(material.tasks)} tasks x {len(material.seeds)} seeds ({seeds})"),
        ("encoder", f"{material.encoder}, {_parameters(material)}"),
        ("language", _languages(material)),
        ("hyper-parameters", CHOICE),
        (
            "compute",
            f"{number(hours, 1)} core-hours" if hours else "not recorded: restored from the cache",
        ),
        (
            "claims fixed in",
            f"`claims.py`, whose SHA-256 begins with `{(material.provenance.claims or 'unknown')[:16]}`",
        ),
    ]
    return Table(
        "The run in short. Sources: `params.yaml`, `provenance.json`, `data/meta/<task>.json`.",
        ["what", "value"],
        [[what, value] for what, value in facts],
    )


def _languages(material: Material) -> str:
    """The languages of the tasks, with the titles of these."""
    titles = defaultdict[str, list[str]](list)
    for task, language in material.languages.items():
        titles[language].append(material.titles[task])
    if len(titles) == 1:
        return f"{next(iter(titles))}, all tasks"
    return "; ".join(f"{language} ({listed(tasks)})" for language, tasks in titles.items())


def _parameters(material: Material) -> str:
    """Numbers of the encoder's parameters: all, and those that pruning may remove."""
    sizes = material.tables["sizes"]
    prunable = sizes.loc[sizes["unit"] == "weights", "total"]
    total = next((meta.get("parameters") for meta in material.meta.values()), None)
    layers, heads = material.shape
    shape = f"{layers} layers of {heads} heads"
    counts = [f"{number(total / 1e6, 1)} million parameters"] if total else []
    counts += (
        [f"{number(prunable.iloc[0] / 1e6, 1)} million of them prunable"] if len(prunable) else []
    )
    return ", ".join([shape, *counts])


def _tasks(material: Material) -> Table:
    sizes = ["train", "select", "dev"]
    return Table(
        "Tasks: examples of each split, tokens of a dev example, scores on dev of the majority class and of the full"
        " model. Sources: `tables/tasks.csv`, `data/meta/<task>.json`.",
        ["task", "metric", *sizes, "tokens", "majority", "full"],
        [
            [
                task.title,
                METRICS[task.metric],
                *(setting.size(material.meta[task.task]["splits"], split) for split in sizes),
                numbers.number(material.meta[task.task]["splits"]["dev"].get("tokens_mean"), 1),
                numbers.number(task.majority),
                numbers.number(task.full),
            ]
            for task in rows(material.tasks)
        ],
    )


def _unlearned(material: Material) -> Iterator[Paragraph]:
    """A warning that names the tasks on which a bag of words scores higher than the full model, over seeds."""
    results = material.tables["results"]
    words = results[results["reported"] & (results["kind"] == "words") & (results["share"] > 1)]
    tasks = [title for task, title in material.titles.items() if task in set(words["task"])]
    if tasks:
        yield Paragraph(
            f"**On {listed(tasks)} a bag of words scores higher than the full model**, which has not learned the task:"
            " what is said of its subnetworks there says little of lottery tickets."
        )


def _left_out(material: Material) -> Iterator[Block]:
    """Tickets that enter no average and no verdict with the reason, and searches that ended early."""
    cells, searches = material.tables["cells"], material.tables["searches"]
    tickets = cells[
        cells["reported"]
        & ~cells["usable"]
        & (cells["state"] == "pruned")
        & cells["matched"].isna()
    ]
    unusable = tickets[tickets["kind"].isin(["good", "super"])]
    alike = unusable.groupby(["task", "method", "kind", "reason"], sort=False, as_index=False).agg(
        seed=("seed", lambda seeds: ", ".join(map(str, seeds)))
    )
    if len(unusable):
        yield Table(
            "What counts for nothing: these tickets and their controls are in no average and in no verdict. Source:"
            " `tables/cells.csv`.",
            ["task", "seeds", "pruning", "subnetwork", "reason"],
            [
                [material.titles[row.task], row.seed, method_title(row.method), row.kind, why]
                for row in rows(alike)
                for why in reasons(row.reason)
            ],
        )
    else:
        yield Paragraph(
            "Every cell is sound and every good subnetwork usable; nothing is left out."
        )
    for key, seeds in material.parameters[RetrainParameters].absent(material.seeds).items():
        yield Paragraph(
            f"`retrain.{key}` names seeds that `grid.seeds` does not have: {listed(map(str, seeds))}."
        )
    if censored := int(searches["censored"].sum()):
        yield Paragraph(
            f"{counted(censored, 'search', 'searches')} of {len(searches)} ended while the last step was still"
            " accepted: smaller good subnetworks could have been found."
        )


def _controls(material: Material) -> Iterator[Table]:
    """Do the tests find what is there, and keep quiet where nothing is?"""
    yield Table(
        "Controls of the verdicts: how many claims the same tests decide on data where they should, and on data where"
        " they should not. Source: `tables/controls.csv`.",
        ["data", "should be", "decided", "of"],
        [
            [*CONTROLS[row.name], numbers.number(row.decided, 0), numbers.number(row.of, 0)]
            for row in rows(material.tables["controls"])
        ],
    )
