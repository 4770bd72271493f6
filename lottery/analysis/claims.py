"""The paper's claims: statements that an experiment can contradict, each with a linear combination of quantities.

Prasanna, Rogers and Rumshisky, EMNLP 2020 (arXiv 2005.00561). The quantities are columns of `quantities`; a positive
combination supports the claim. The family is closed: it is about the paper's own methods, whatever other methods a run
has.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from lottery.tickets.methods import MAGNITUDE, STRUCTURED
from lottery.vocabulary import MEASURED

PAPER_METHODS = (STRUCTURED, MAGNITUDE)
SUBSTANTIAL_KAPPA = 0.6
"""Cohen's kappa above this is substantial agreement (Landis and Koch 1977)."""
MARGIN = 0.1
"""Smaller differences in the share of heterogeneous maps count as none (our choice)."""


@dataclass(frozen=True)
class Claim:
    """A claim in our words, and its test: the mean over cells of sum(factor * column) + constant is above 0."""

    name: str
    section: str
    sentence: str
    terms: Mapping[str, float]
    constant: float = 0.0

    @property
    def test(self) -> str:
        """The test as a formula."""
        parts = [_signed(factor, f" {column}") for column, factor in self.terms.items()]
        if self.constant:
            parts.append(_signed(self.constant, ""))
        return f"{' '.join(parts).removeprefix('+ ')} > 0"


def _signed(factor: float, term: str) -> str:
    size = "" if abs(factor) == 1 and term else f"{abs(factor):g}"
    return f"{'-' if factor < 0 else '+'} {(size + term).strip()}"


def _scores() -> Iterator[Claim]:
    for method in PAPER_METHODS:
        yield Claim(
            f"{method.title}: good keeps 90 %",
            "4",
            "Good subnetworks keep at least 90 % of the full model's score.",
            {f"{method.name} good pruned": 1, "full": -0.9},
        )
    for better, worse in (("good", "random"), ("random", "bad")):
        for method in PAPER_METHODS:
            for state in MEASURED:
                yield Claim(
                    f"{method.title}, {state}: {worse} below {better}",
                    "4",
                    f"{worse.capitalize()} subnetworks score lower than {better} ones of their size.",
                    {f"{method.name} {better} {state}": 1, f"{method.name} {worse} {state}": -1},
                )
    for method in PAPER_METHODS:
        yield Claim(
            f"{method.title}: retrained above pruned",
            "4",
            "A good subnetwork scores higher retrained than pruned.",
            {f"{method.name} good retrained": 1, f"{method.name} good pruned": -1},
        )


def _losing_tickets() -> Iterator[Claim]:
    midpoint = "the midpoint of majority class and full model"
    yield Claim(
        f"{STRUCTURED.title}: bad is trainable",
        "abstract, 4",
        f"There are no losing tickets: even bad subnetworks retrain well; here: to a score above {midpoint}.",
        {f"{STRUCTURED.name} bad retrained": 1, "full": -0.5, "majority": -0.5},
    )
    yield Claim(
        f"{MAGNITUDE.title}: bad is not trainable",
        "4",
        f"Bad subnetworks of {MAGNITUDE.title} do not retrain well; here: to a score below {midpoint}.",
        {f"{MAGNITUDE.name} bad retrained": -1, "full": 0.5, "majority": 0.5},
    )


def _stability() -> Iterator[Claim]:
    for others in ("seeds", "tasks"):
        yield Claim(
            f"{MAGNITUDE.title}: alike across {others}",
            "5",
            f"{MAGNITUDE.title} keeps largely the same weights for different {others}.",
            {f"weights across {others}": 1},
            -SUBSTANTIAL_KAPPA,
        )
    for unit, title in (("heads", "heads"), ("mlps", "MLPs")):
        yield Claim(
            f"{STRUCTURED.title}: unstable {title}",
            "5",
            f"Which {title} survive depends on the seed.",
            {f"{unit} across seeds": -1},
            SUBSTANTIAL_KAPPA,
        )
    yield Claim(
        "importance: mostly equally low",
        "5",
        "Most heads are about equally unimportant; here: their importance is in the lowest third of its range.",
        {"unimportant heads": 1},
        -0.5,
    )
    for state in MEASURED:
        yield Claim(
            f"{STRUCTURED.title}, {state}: super-survivors not enough",
            "5",
            "The components that survive with every seed do not, on their own, score as well as good subnetworks.",
            {f"{STRUCTURED.name} good {state}": 1, f"{STRUCTURED.name} super {state}": -1},
        )


def _attention() -> Iterator[Claim]:
    yield Claim(
        f"{STRUCTURED.title}: survivors no more meaningful",
        "abstract, 5",
        "Heads that survive with every seed show heterogeneous, potentially meaningful attention no more often than all"
        f" heads do; here: less than {100 * MARGIN:g} percentage points more of the sentences.",
        {"heterogeneous all": 1, "heterogeneous super": -1},
        MARGIN,
    )


CLAIMS = (*_scores(), *_losing_tickets(), *_stability(), *_attention())
OWN_CLAIMS: tuple[Claim, ...] = ()
"""Claims that are not the paper's: a family of its own, which leaves the p values of the paper's claims as they are."""
FAMILIES: Mapping[str, Sequence[Claim]] = {"verdicts": CLAIMS, "own-verdicts": OWN_CLAIMS}
"""The claims that are corrected together, by the name of the table of their verdicts."""
