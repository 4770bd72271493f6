"""The five clauses of the paper's abstract in words, and what claims are called in tables and figures."""

from collections.abc import Mapping

import pandas as pd

from lottery.analysis.frames import rows
from lottery.analysis.hypotheses import Unit

CLAUSES: Mapping[str, str] = {
    "P1": "Good tickets exist",
    "P2": "Bad below random",
    "P3": "No losing tickets",
    "P4": "s-masks are unstable",
    "P5": "Survivors mean no more",
}
SENTENCES: Mapping[str, str] = {
    "P1": "pruning finds subnetworks that score higher than random ones of their size",
    "P2": "subnetworks made of what s-pruning removed score lower than random ones",
    "P3": "retrained, even bad subnetworks of s-pruning learn the task",
    "P4": "which heads survive s-pruning depends on the seed",
    "P5": "heads that survive attend no more meaningfully than others",
}
EFFECTS: Mapping[str, str] = {
    "P1": "pairs won \N{MINUS SIGN} \N{VULGAR FRACTION ONE HALF}",
    "P2": "pairs won \N{MINUS SIGN} \N{VULGAR FRACTION ONE HALF}",
    "P3": "r over \N{VULGAR FRACTION ONE HALF} and words",
    "P4": "0.6 \N{MINUS SIGN} kappa",
    "P5": "kept \N{MINUS SIGN} pruned heads",
}
"""The effect of each clause, in a few words; the tests in full are in the table of claims."""
UNITS: Mapping[Unit, str] = {
    "share": "score r",
    "kappa": "Cohen's kappa",
    "probability": EFFECTS["P1"],
    "maps": "share of maps",
    "slope": "difference of shares of maps",
    "heads": "share of heads",
    "std": "standard deviation of a share",
}
"""Names of the units of effects."""
BY_DRAWS = "probability"
"""The unit of effects that need draws: the authors published none, so their effect is a difference of r instead."""


def primary(claims: pd.DataFrame) -> pd.DataFrame:
    """The claims that decide on the clauses, in the order of the clauses."""
    return claims[claims["family"] == "primary"].sort_values("clause", kind="stable")


def names(claims: pd.DataFrame) -> dict[str, str]:
    """The name of each claim: of a primary one its clause, if it is the only one of it."""
    alone = primary(claims)["clause"].value_counts() == 1
    return {row.claim: _name(row, bool(alone.get(row.clause, False))) for row in rows(claims)}


def _name(row: object, alone: bool) -> str:
    claim, family, clause = (getattr(row, column) for column in ("claim", "family", "clause"))
    return f"{clause} {CLAUSES[clause]}" if family == "primary" and alone else str(claim)
