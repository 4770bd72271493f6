"""`python -m benchmarks.error_rates`: simulated error rates and power of the verdicts, as a table in Markdown.

In a world of nulls every claim is false by the least that is possible, so that the share of its runs with a false
verdict is the error rate. Power is the share of runs of a likely world, or of one with the numbers of a run that was
found, in which a clause is reproduced.
"""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import numpy as np
import pandas as pd
from rich.console import Console
from typer import Option

from benchmarks.worlds import LIKELY, NULLS, World, measured, run
from lottery.analysis.claims import PRIMARY, SECONDARY
from lottery.analysis.columns import CELL
from lottery.analysis.evidence import Evidence
from lottery.analysis.hypotheses import Above, Within
from lottery.analysis.looks import ALPHA, level
from lottery.analysis.verdicts import decide
from lottery.seeds import rng
from stages.shell import cli

console = Console(highlight=False)


def decided(worlds: dict[str, World], seeds: int, runs: int, alpha: float) -> Counter[str]:
    """In how many runs each clause is reproduced, and in how many `any` is."""
    counts: Counter[str] = Counter()
    for number in range(runs):
        evidence = run(worlds, seeds, rng("error rates", seeds, number))
        verdicts = decide({"primary": PRIMARY}, evidence, (), alpha)
        names = [
            decision.claim.name for decision in verdicts if decision.overall.verdict == "reproduced"
        ]
        counts.update([*names, *(["any"] if names else [])])
    return counts


def secondary_null(seeds: int, number: int, alpha: float) -> set[str]:
    """Clauses whose secondary family says `reproduced` of a false claim, in one run with all gates open."""
    random = rng("secondary", seeds, number)
    borders = {
        name: (_margin(part) - part.constant) / part.terms[name] if len(part.terms) == 1 else 0.5
        for claim in SECONDARY
        for part in claim.parts
        if isinstance(part, Above | Within)
        for name in part.terms
    }
    index = pd.MultiIndex.from_product([list(NULLS), range(seeds)], names=CELL)
    spread = np.repeat([0.02, 0.05, 0.15], seeds)[:, None]
    noise = random.normal(size=(len(index), len(borders))) * spread
    cells = pd.DataFrame(np.array(list(borders.values())) + noise, index, columns=list(borders))
    verdicts = decide(
        {"secondary": SECONDARY}, Evidence(cells, seeds=seeds), (), alpha, of_means=True
    )
    return {
        decision.claim.clause for decision in verdicts if decision.overall.verdict == "reproduced"
    }


def _margin(part: Above | Within) -> float:
    """The effect at which a hypothesis is false by the least that is possible."""
    return part.margin if isinstance(part, Within) else 0.0


def table(runs: int, worlds: dict[str, dict[str, World]]) -> Iterator[str]:
    """The lines of the table: nulls, other worlds by name, secondary families."""
    yield "| runs of | seeds | level | P1 | P2 | P3 | P4 | P5 | any |"
    yield "|---|---|---|---|---|---|---|---|---|"
    plans = [(3, level(3, (3, 5))), (5, level(5, (3, 5))), (3, ALPHA), (5, ALPHA)]
    for name, tasks in {"nulls": NULLS, **worlds}.items():
        count = runs if name == "nulls" else runs // 4
        for seeds, alpha in plans[2:] if name == "nulls" else plans:
            counts = decided(tasks, seeds, count, alpha)
            shares = [
                f"{counts[clause] / count:.3f}" for clause in ("P1", "P2", "P3", "P4", "P5", "any")
            ]
            yield f"| {name} | {seeds} | {alpha:.4f} | {' | '.join(shares)} |"
    for seeds in (3, 5):
        false: Counter[str] = Counter()
        for number in range(runs):
            false.update(secondary_null(seeds, number, ALPHA))
        shares = [f"{false[clause] / runs:.3f}" for clause in ("P1", "P2", "P3", "P4", "P5")]
        yield f"| nulls, secondary families | {seeds} | {ALPHA:.4f} | {' | '.join(shares)} | |"


def main(
    runs: Annotated[
        int, Option(min=4, help="Simulated runs of nulls; a quarter of other worlds.")
    ] = 400,
    tables: Annotated[
        Path | None, Option(help="Tables of a run whose numbers make one more world, `found`.")
    ] = None,
) -> None:
    """Simulate error rates and power, and print the table."""
    worlds = {"likely": LIKELY} | ({"found": measured(tables)} if tables else {})
    for line in table(runs, worlds):
        console.print(line, soft_wrap=True)


if __name__ == "__main__":
    cli.run(main)
