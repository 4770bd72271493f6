"""The section on transfer, in runs that train tasks under masks of others."""

from collections.abc import Iterator

import pandas as pd

from lottery.analysis.frames import rows
from lottery.analysis.transfer import ORIGINS, titles
from lottery.report import numbers
from lottery.report.blocks import Block, Figure, Folded, Paragraph, Table
from lottery.report.material import Material
from lottery.tickets.methods import METHODS, method_title
from lottery.wording import listed, seeds

PROCEDURE = (
    "Is a mask about its task, or about the pre-trained model? Each task is trained, from the pre-trained weights,"
    " under its own good masks, under those of the other tasks with the same seed, and under masks that saw none of"
    " its data: what most other tasks keep (by count, chance deciding between equals) and, for {methods}, the"
    " largest pre-trained weights. Masks of a task have the size that its search left; the others have that of the task"
    " they are trained on. The gain is the score less that of a random mask of equal size, trained alike: on dev, in"
    " the metric of the task."
)


def transfer(material: Material) -> Iterator[Block]:
    """Gains of masks on other tasks; nothing if none were trained in a sound cell."""
    gains = material.tables.get("transfer")
    if gains is None or gains.empty:
        return
    methods = (method.title for method in METHODS.values() if method.has_pretrained)
    yield Paragraph(PROCEDURE.format(methods=listed(methods)))
    tasks = listed(title for task, title in material.titles.items() if task in set(gains["task"]))
    yield Figure(
        material.figure("transfer"),
        f"Matrices of the gains of masks, by the source of the mask and the task that is trained: {tasks}.",
        "Gain of masks over random ones of their size: mean and 95 % interval over"
        f" {seeds(gains['n'])}. Bold: a task under its own mask. Source: `tables/transfer.csv`.",
    )
    yield _means(material.tables["transfer-means"])
    yield Folded("Scores of masks of other tasks", [_scores(material, gains)])


def _means(means: pd.DataFrame) -> Table:
    return Table(
        "Mean gain over random masks, over tasks, with its 95 % interval (t test over tasks and seeds), and n cells. A"
        " description, not a claim. Source: `tables/transfer-means.csv`.",
        ["method", "mask of", "gain", "n"],
        [
            [
                method_title(row.method),
                ORIGINS[row.origin],
                numbers.estimate(row),
                numbers.number(row.cells, 0),
            ]
            for row in rows(means)
        ],
    )


def _scores(material: Material, gains: pd.DataFrame) -> Table:
    sources = titles(material.titles, [*dict.fromkeys(gains["source"])])
    return Table(
        "Scores under masks of each source and under random ones of their size, means over seeds. Source:"
        " `tables/transfer.csv`.",
        ["method", "mask of", "trained on", "removed", "score", "random", "gain"],
        [
            [
                method_title(row.method),
                sources[row.source],
                material.titles[row.task],
                numbers.percent(row.sparsity, 0),
                numbers.number(row.score),
                numbers.number(row.random),
                numbers.estimate(row),
            ]
            for row in rows(gains)
        ],
    )
