"""The section of verdicts on the paper's claims."""

from collections.abc import Iterator
from typing import Any

import pandas as pd

from lottery.analysis.frames import rows
from lottery.analysis.significance import ALPHA, smallest_p
from lottery.report import numbers
from lottery.report.blocks import Block, Entry, Folded, Number, Table
from lottery.report.material import Material
from lottery.tickets.methods import METHODS
from lottery.wording import NONE, listed, number


def verdicts(material: Material) -> Iterator[Block]:
    """The paper's claims with verdict and evidence, then a reader's own, and folded away what each of them says."""
    families = {"the paper's claims": "verdicts", "claims that are not the paper's": "own-verdicts"}
    for subject, name in families.items():
        if name in material.tables:
            yield _verdicts(material.tables[name], subject, name)
    claims = pd.concat(
        [material.tables[name] for name in families.values() if name in material.tables]
    )
    table = Table(
        "Each claim in full, with its test. A term names the method, kind and state of a scored subnetwork"
        f" ({listed(f'`{method.name}`: {method.title}' for method in METHODS.values())}) or another quantity of a cell."
        f" Source: {listed(f'`tables/{name}.csv`' for name in families.values() if name in material.tables)}.",
        ["claim", "sentence", "test, on the mean over cells", "section of the paper"],
        [[row.claim, row.sentence, f"`{row.test}`", str(row.section)] for row in rows(claims)],
    )
    yield Folded("The claims in full", [table])


def _verdicts(frame: pd.DataFrame, subject: str, name: str) -> Table:
    header = [
        "claim",
        "verdict",
        "effect [95 % interval]",
        "n",
        "p (Holm)",
        "the paper's effect (n)",
    ]
    return Table(
        f"Verdicts on {subject}. The effect is the left side of the claim's test (see The claims in full), its mean"
        " over n cells, each a task with a seed, with a t interval; a positive effect supports the claim. p is"
        " one-sided, in the direction of the effect, from flipping signs over the cells, and corrected over the claims"
        f" of this table by Holm's method{_floor(frame)}. A claim is reproduced if its effect is positive and p is at"
        f" most {ALPHA:g}, contradicted if its effect is negative and p is at most {ALPHA:g}, else undecided. The"
        f" paper's effects are over tasks, or over cells. Source: `tables/{name}.csv`.",
        [*header, "evidence"],
        [
            [
                row.claim,
                f"**{row.verdict}**",
                numbers.estimate(row),
                numbers.number(row.n, 0),
                numbers.probability(row.p_holm),
                _published(row),
                row.evidence,
            ]
            for row in rows(frame.rename(columns={"effect": "mean"}))
        ],
    )


def _published(row: Any) -> Entry:
    """The effect in the paper's own results, and their number."""
    if not row.published_n:
        return NONE
    return Number(f"{number(row.published)} ({row.published_n})", row.published)


def _floor(frame: pd.DataFrame) -> str:
    """The smallest possible p, where that is near the significance level."""
    tests = int(frame["p"].notna().sum())
    least = min(1.0, tests * smallest_p(int(frame["n"].max())))
    near = tests and least > ALPHA / 5
    return f"; it cannot fall below {number(least)} with this many cells" if near else ""
