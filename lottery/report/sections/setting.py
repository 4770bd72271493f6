"""The section on what was run: grid, data, origins, parameters."""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
import pandas as pd

from lottery.analysis.frames import rows
from lottery.data.examples import DataParameters
from lottery.params import Sections
from lottery.report import numbers
from lottery.report.blocks import Block, Bullets, Entry, Folded, Paragraph, Table
from lottery.report.material import Material
from lottery.vocabulary import METRICS
from lottery.wording import counted, flat

Meta = Mapping[str, Mapping[str, Any]]
"""Descriptions of the data by task, as `lottery.data.summary` writes them."""
DEGENERATE = (
    "A task is degenerate (†) if with some seed the full model does not clearly beat the majority class or a search"
    " keeps nothing. It is left out of averages of scores and of sparsity; a mean over all tasks is shown for"
    " comparison"
    " only. Overlap and attention use all tasks, verdicts every cell whose full model clearly beats the majority class:"
    " by more than 1.645 standard errors of a guess."
)


def setting(material: Material) -> Iterator[Block]:
    """The grid, the tasks with their sizes and baselines, the origin of data and encoder, all parameters."""
    tasks, seeds = counted(len(material.tasks), "task"), counted(len(material.seeds), "seed")
    held_out = material.parameters[DataParameters].select != 0
    select = " Part of the training data (select) is held out for the searches." if held_out else ""
    yield Paragraph(
        f"{counted(len(material.tasks) * len(material.seeds), 'cell')}: {tasks} x {seeds}"
        f" ({', '.join(map(str, material.seeds))}). Scores are on dev unless a caption says otherwise.{select}"
    )
    yield _data(material.tasks, material.meta, seeds)
    degenerate = material.tasks[material.tasks["degenerate"]]
    for task in rows(degenerate):
        yield Paragraph(f"† {task.title}: {task.reason}.")
    if len(degenerate):
        yield Paragraph(DEGENERATE)
    yield _origins(material.tasks, material.meta)
    yield Folded("All parameters", [_parameters(material.parameters)])


def _data(tasks: pd.DataFrame, meta: Meta, seeds: str) -> Table:
    sizes = ["train", "select", "dev"]
    header = ["task", "metric", *sizes, "tokens", "majority, select", "majority, dev", "full model"]
    return Table(
        "The data: examples in each split, mean number of tokens of a dev example, score of the majority class on"
        f" select (accuracy) and on dev, and score of the full model on dev (mean over {seeds}). Sources:"
        " `tables/tasks.csv`, `data/meta/<task>.json`.",
        header,
        [
            [
                task.title + (" †" if task.degenerate else ""),
                METRICS[task.metric],
                *(_size(meta[task.task]["splits"], split) for split in sizes),
                numbers.number(meta[task.task]["splits"]["dev"].get("tokens_mean"), 1),
                _majority(meta[task.task]["splits"].get("select", {})),
                numbers.number(task.majority),
                numbers.number(task.full),
            ]
            for task in rows(tasks)
        ],
    )


def _size(splits: Meta, split: str) -> Entry:
    return numbers.number(splits.get(split, {}).get("examples") or None, 0)


def _majority(split: Mapping[str, Any]) -> Entry:
    """The accuracy of the most frequent class; none for a regression."""
    classes = split.get("classes", {}).values()
    return numbers.number(max(classes) / sum(classes) if classes else None)


def _origins(tasks: pd.DataFrame, meta: Meta) -> Bullets:
    """Origin, licence and notes of the encoder and of each task's data."""
    encoder = next(iter(meta.values()))["encoder"] if meta else None
    origins = [
        ("Encoder", encoder),
        *((task.title, meta[task.task]["data"]) for task in rows(tasks)),
    ]
    return Bullets([_origin(title, origin) for title, origin in origins if origin])


def _origin(title: str, origin: Mapping[str, Any]) -> str:
    archives = [archive for part in origin["parts"] for archive in part]
    licences = dict.fromkeys(archive["licence"] for archive in archives if "licence" in archive)
    licence = f"; licence: {'; '.join(licences)}" if licences else ""
    return f"**{title}** ({origin['name']}{licence}). {' '.join(origin['notes'])}".rstrip()


def _parameters(parameters: Sections) -> Table:
    tree = {kind.section(): msgspec.to_builtins(section) for kind, section in parameters.items()}
    body = [[f"`{key}`", value] for key, value in flat(tree)]
    return Table("All parameters. Source: `params.yaml`.", ["parameter", "value"], body)
