"""Overlap of two tickets of one method: shared components, Jaccard index, Cohen's kappa, and their values at chance."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from lottery.subnetwork import Subnetwork
from lottery.ticket import Ticket
from lottery.tickets.methods import METHODS

NAN = float("nan")


@dataclass(frozen=True)
class Overlap:
    """Two tickets compared by one unit, of which there are `total`: their sizes, and what both keep."""

    unit: str
    total: int
    size_a: int
    size_b: int
    shared: int

    @property
    def expected(self) -> float:
        """What independent tickets of these sizes would share, |A||B| / total."""
        return self.size_a * self.size_b / self.total

    @property
    def jaccard(self) -> float:
        """|A and B| / |A or B|; NaN for two empty tickets."""
        return self._jaccard(self.shared)

    @property
    def expected_jaccard(self) -> float:
        """The Jaccard index at the expected overlap."""
        return self._jaccard(self.expected)

    @property
    def kappa(self) -> float:
        """Cohen's kappa; NaN where both tickets keep everything, or both nothing."""
        mean_size = (self.size_a + self.size_b) / 2
        if mean_size <= self.expected:
            return NAN
        return (self.shared - self.expected) / (mean_size - self.expected)

    def _jaccard(self, shared: float) -> float:
        together = self.size_a + self.size_b
        return shared / (together - shared) if together else NAN


def by_unit(ticket: Ticket) -> Mapping[str, Subnetwork]:
    """The ticket's subnetwork by the units its method prunes: heads and MLPs, or weights."""
    return METHODS[ticket.method].by_unit(ticket.subnetwork)


def overlaps(a: Ticket, b: Ticket) -> Iterator[Overlap]:
    """Compare two tickets of one method, unit by unit."""
    of_b = by_unit(b)
    for unit, in_a in by_unit(a).items():
        in_b = of_b[unit]
        yield Overlap(unit, in_a.total, in_a.size, in_b.size, (in_a & in_b).size)
