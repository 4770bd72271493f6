"""Controls of the machine that gives verdicts: data on which it should decide, and data on which it should not."""

from collections.abc import Mapping, Sequence

import pandas as pd

from lottery.analysis.claims import MARGIN, PAPER_METHODS, Claim
from lottery.analysis.columns import CELL
from lottery.analysis.evidence import Evidence
from lottery.analysis.frames import stacked
from lottery.analysis.hypotheses import Above, DrawsBelow, GoodAmongRandom
from lottery.analysis.verdicts import DECIDED, ClaimDecision, decide

PRETENDERS = tuple(
    Claim(f"{method.name}: {name}", "", "", sentence, [hypothesis])
    for method in PAPER_METHODS
    for name, sentence, hypothesis in (
        (
            "first among random",
            "The first random mask is a good one.",
            GoodAmongRandom(method.name),
        ),
        (
            "even below odd",
            "Even random masks are bad ones.",
            DrawsBelow(method.name, "odd", "even"),
        ),
        (
            "first above second",
            "The first random mask scores higher than the second.",
            Above({f"{method.name} 0": 1, f"{method.name} 1": -1}, margin=MARGIN),
        ),
    )
)
"""Claims about random masks: false, but for chance."""


def controls(published: Sequence[ClaimDecision], random: Sequence[ClaimDecision]) -> pd.DataFrame:
    """Both controls: of the claims that could be tested on their data, how many are reproduced or contradicted.

    `published`: secondary claims about scores, by the means that the authors published; most should be decided.
    `random`: random masks in the place of good and of bad ones; none should be decided.
    """
    about_scores = [
        decision
        for decision in published
        if decision.family == "secondary" and decision.claim.parts[0].unit == "share"
    ]
    return pd.DataFrame([_row("published", about_scores), _row("random", random)])


def _row(name: str, decisions: Sequence[ClaimDecision]) -> Mapping[str, object]:
    verdicts = [
        decision.overall.verdict for decision in decisions if decision.overall.verdict != "untested"
    ]
    decided = sum(verdict in DECIDED - {"equivalent"} for verdict in verdicts)
    return {"name": name, "decided": decided, "of": len(verdicts)}


def negative_control(evidence: Evidence, tasks: Sequence[str], level: float) -> list[ClaimDecision]:
    """Verdicts on PRETENDERS, by the random masks of a run."""
    random = evidence.draws[evidence.draws["kind"] == "random"]
    first, odd = random["draw"] == 0, random["draw"] % 2 == 1
    good = random[first].assign(kind="good")
    halves = random.assign(kind=odd.map({True: "odd", False: "even"}))
    pairs = random[random["draw"] < 2].assign(
        quantity=lambda rows: rows["method"] + " " + rows["draw"].astype(str)
    )
    pretended = Evidence(
        cells=pairs.pivot(index=CELL, columns="quantity", values="share"),
        draws=stacked([good, random[~first], halves]),
    )
    return decide({"random": PRETENDERS}, pretended, tasks, level)
