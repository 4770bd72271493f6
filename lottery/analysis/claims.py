"""The paper's sentences that an experiment can contradict, each as a sum over what its cells measure.

Prasanna, Rogers and Rumshisky, EMNLP 2020 (arXiv 2005.00561). The columns that the sums name are those of
`observations`. A positive sum speaks for the claim.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from lottery.vocabulary import METHODS, PRUNINGS

ALIKE = 0.6
"""Cohen's kappa above this is substantial agreement (Landis and Koch 1977)."""
MARGIN = 0.1
"""A difference in the share of heterogeneous maps that is less than this counts as none (our choice)."""


@dataclass(frozen=True)
class Claim:
    """A sentence in our words, and its test: sum(factor * column) + constant > 0 in the mean over cells."""

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


def _signed(factor: float, what: str) -> str:
    size = "" if abs(factor) == 1 and what else f"{abs(factor):g}"
    return f"{'-' if factor < 0 else '+'} {(size + what).strip()}"


def _scores() -> Iterator[Claim]:
    for method in PRUNINGS:
        yield Claim(
            f"{METHODS[method]}: good keeps 90 %",
            "4",
            "Good subnetworks keep at least 90 % of the full model's score.",
            {f"{method} good pruned": 1, "full": -0.9},
        )
    for better, worse in (("good", "random"), ("random", "bad")):
        for method in PRUNINGS:
            for state in ("pruned", "retrained"):
                yield Claim(
                    f"{METHODS[method]}, {state}: {worse} below {better}",
                    "4",
                    f"{worse.capitalize()} subnetworks score lower than {better} ones of their size.",
                    {f"{method} {better} {state}": 1, f"{method} {worse} {state}": -1},
                )
    for method in PRUNINGS:
        yield Claim(
            f"{METHODS[method]}: retrained above pruned",
            "4",
            "A good subnetwork scores higher retrained than as cut from the fine-tuned model.",
            {f"{method} good retrained": 1, f"{method} good pruned": -1},
        )


def _losers() -> Iterator[Claim]:
    halfway = "half-way from the majority class to the full model"
    yield Claim(
        "s-pruning: bad is trainable",
        "abstract, 4",
        f"There are no losing tickets: even the worst subnetworks retrain well, here beyond {halfway}.",
        {"structured bad retrained": 1, "full": -0.5, "majority": -0.5},
    )
    yield Claim(
        "m-pruning: bad is not trainable",
        "4",
        f"Bad magnitude subnetworks do not retrain well, here not even {halfway}.",
        {"magnitude bad retrained": -1, "full": 0.5, "majority": 0.5},
    )


def _survivors() -> Iterator[Claim]:
    for others in ("seeds", "tasks"):
        yield Claim(
            f"m-pruning: alike across {others}",
            "5",
            f"Magnitude pruning keeps much the same weights whichever of the {others}.",
            {f"weights across {others}": 1},
            -ALIKE,
        )
    for unit, title in (("heads", "heads"), ("mlps", "MLPs")):
        yield Claim(
            f"s-pruning: unstable {title}",
            "5",
            f"Which {title} survive depends on the seed.",
            {f"{unit} across seeds": -1},
            ALIKE,
        )
    yield Claim(
        "importance: mostly equally low",
        "5",
        "Most heads are about equally unimportant, here within the lowest third of their range.",
        {"unimportant heads": 1},
        -0.5,
    )
    for state in ("pruned", "retrained"):
        yield Claim(
            f"s-pruning, {state}: super-survivors not enough",
            "5",
            "The components that survive with every seed do not alone do what good subnetworks do.",
            {f"structured good {state}": 1, f"structured super {state}": -1},
        )


def _meaning() -> Iterator[Claim]:
    yield Claim(
        "s-pruning: survivors no more meaningful",
        "abstract, 5",
        "Heads that survive with every seed do not show more heterogeneous, potentially meaningful attention than all"
        f" heads, here not by {100 * MARGIN:g} % of the sentences.",
        {"heterogeneous all": 1, "heterogeneous super": -1},
        MARGIN,
    )


CLAIMS = (*_scores(), *_losers(), *_survivors(), *_meaning())
