"""Looks at the data of a run that may grow: which share of the error rate each of them may spend.

A run that adds seeds until its claims are decided tests them more than once. Lan and DeMets (1983) spend the error rate
as information grows; here with the function that resembles Pocock's test. The look at n of N seeds gets what the
function has spent at n, less what earlier looks spent: whatever their dependence, the looks together err with at most
ALPHA. A run that was planned with a single look spends everything at it.
"""

from collections.abc import Sequence
from math import e, log
from typing import Annotated

from msgspec import Meta

from lottery.errors import UserError
from lottery.params import Parameters

ALPHA = 0.05
"""Error rate of each word of a verdict (reproduced, contradicted, equivalent) in each family of claims."""


class EvidenceParameters(Parameters, frozen=True):
    """The looks that were planned: numbers of seeds, ascending, at which the claims are tested."""

    looks: Annotated[tuple[Annotated[int, Meta(ge=1, le=1000)], ...], Meta(min_length=1)]

    def __post_init__(self) -> None:
        if list(self.looks) != sorted(set(self.looks)):
            raise UserError(
                f"parameters: evidence.looks = {list(self.looks)}: expected ascending numbers"
            )


def level(seeds: int, looks: Sequence[int]) -> float:
    """Error rate that the look at this many seeds may spend.

    A look that was not planned counts in place of the next one that was; one after the last spends as the last.
    """
    last = looks[-1]
    now = next((look for look in looks if look >= seeds), last)
    earlier = max((look for look in looks if look < now), default=0)
    return spent(now / last) - spent(earlier / last)


def spent(information: float) -> float:
    """Error rate spent when this share of the information is in (Lan and DeMets 1983, after Pocock)."""
    return ALPHA * log(1 + (e - 1) * min(information, 1.0))
