"""The section on size and speed of retrained good subnetworks, where they were measured."""

from collections.abc import Iterator
from typing import Any

import pandas as pd

from lottery.analysis.columns import SEARCH
from lottery.analysis.frames import rows
from lottery.report import numbers
from lottery.report.blocks import Block, Entry, Folded, Paragraph, Table
from lottery.report.material import Material
from lottery.tickets.methods import METHODS, STRUCTURED
from lottery.vocabulary import WHOLE
from lottery.wording import NONE, counted, listed, number

EXACT = "onnxruntime"
"""The program whose speed the text compares."""


def speed(material: Material) -> Iterator[Block]:
    """Size and speed of the good subnetworks by program; nothing if nobody measured it."""
    measured = material.speed
    if measured is None:
        return
    if not _of_this_run(measured, material.tables["searches"]):
        yield Paragraph(
            "`speed.csv` is about other subnetworks than this run's. `make measure` measures again."
        )
        return
    yield Paragraph(_summary(measured))
    yield _overview(material, measured)
    yield Folded("Every program", [_details(material, measured)])


def _of_this_run(measured: pd.DataFrame, searches: pd.DataFrame) -> bool:
    """True if the good subnetworks that were measured have the sizes that this run's searches ended with."""
    good = measured[measured["kind"] == "good"].merge(searches, on=SEARCH, how="left")
    removed = 1 - good["left"] / good["prunable"]
    return bool(((removed - good["sparsity"]).abs() < 1e-3).all())


def _summary(measured: pd.DataFrame) -> str:
    """Speed of good subnetworks relative to the full model, and the machine."""
    times = measured[measured["batch"] == 1].pivot(
        index="task", columns=["method", "program"], values="ms"
    )
    gains = [
        f"{_range(times[WHOLE, EXACT] / times[name, EXACT])} times as fast as full after {method.title}"
        for name, method in METHODS.items()
        if name in times
    ]
    bits = ""
    if STRUCTURED.name in times:
        gain = times[WHOLE, "transformers"] / times[STRUCTURED.name, "int8"]
        bits = f" With eight bits too, {STRUCTURED.title} is {_range(gain)} times as fast as full in transformers."
    machine, rounds = measured["machine"].iloc[0], counted(int(measured["rounds"].iloc[0]), "round")
    return (
        f"Retrained, good subnetworks are {listed(gains)} in {EXACT}, one example at a time: none"
        f" of the programs that were timed skips single zeros.{bits} Times are medians over {rounds}, all programs"
        f" in turns, on one thread of {machine}."
    )


def _range(ratios: "pd.Series[float]") -> str:
    low, high = number(ratios.min(), 1), number(ratios.max(), 1)
    return low if low == high else f"{low} to {high}"


def _overview(material: Material, measured: pd.DataFrame) -> Table:
    programs = measured["program"].unique().tolist()
    singles = measured[measured["batch"] == 1]
    times = singles.pivot(index=SEARCH, columns="program", values="ms")
    models = singles.drop_duplicates(SEARCH)
    return Table(
        "Full models (no pruning) and retrained good subnetworks: parameters, multiply-adds of one example of median"
        " length (the last layer computes the first token only), both in millions, and CPU milliseconds for it in each"
        " program; int8: onnxruntime with weights of eight bits. Zeros of m-pruning count as parameters. Source:"
        " `speed.csv`.",
        ["task", "pruning", "parameters", "multiply-adds", *programs],
        [
            [
                material.titles[row.task],
                _pruning(row),
                numbers.number(row.parameters / 1e6, 1),
                numbers.number(row.multiply_adds / 1e6, 0),
                *(
                    numbers.number(times[program][row.task, row.seed, row.method], 1)
                    for program in programs
                ),
            ]
            for row in rows(models)
        ],
    )


def _details(material: Material, measured: pd.DataFrame) -> Table:
    batches = (counted(batch, "example") for batch in measured["batch"].unique())
    return Table(
        "Every model in every program: size of the file of its weights; score on dev, computed in float32; label"
        " loyalty, the share of dev examples with the label that full gives (for a regression the correlation of the"
        " outputs); probability loyalty, 1 minus the Jensen-Shannon distance of the probabilities; CPU milliseconds of"
        " a batch of median length, with [fastest, slowest] round. Source: `speed.csv`.",
        [
            "task",
            "pruning",
            "program",
            "MB",
            "score",
            "label loyalty",
            "probability loyalty",
            *(f"ms, {batch}" for batch in batches),
        ],
        [
            _detail(material, group)
            for _, group in measured.groupby([*SEARCH, "program"], sort=False)
        ],
    )


def _detail(material: Material, group: pd.DataFrame) -> list[Entry]:
    """One model in one program; the rows of the group differ in their batches."""
    spans = group.rename(columns={"ms": "mean", "fastest": "low", "slowest": "high"})
    row = next(rows(group))
    return [
        material.titles[row.task],
        _pruning(row),
        row.program,
        numbers.number(row.bytes / 1e6, 1),
        numbers.number(row.score),
        numbers.number(row.label_loyalty),
        numbers.number(row.probability_loyalty),
        *(numbers.estimate(span, 1) for span in rows(spans)),
    ]


def _pruning(row: Any) -> str:
    return NONE if row.method == WHOLE else METHODS[row.method].title
