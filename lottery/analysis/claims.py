"""The paper's claims, written down before the run: this file is the pre-registration, and the report gives its hash.

Prasanna, Rogers and Rumshisky, EMNLP 2020 (arXiv 2005.00561). The five clauses of the abstract are the primary family.
Each secondary claim hangs on a clause: the claims of a clause are a family of their own, which is tested once the
clause is decided. Everything else in the report is description, with intervals and without a word.
docs/evidence.md says how claims are decided. The families are about the paper's own methods, whatever others a run has.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lottery.analysis.evidence import MATCHED
from lottery.analysis.heads import INSTRUMENTS
from lottery.analysis.hypotheses import (
    Above,
    DrawsBelow,
    GoodAmongRandom,
    Hypothesis,
    Within,
)
from lottery.tickets.methods import MAGNITUDE, STRUCTURED
from lottery.vocabulary import GOOD_AND_CONTROLS, MEASURED

PAPER_METHODS = (STRUCTURED, MAGNITUDE)
SUBSTANTIAL_KAPPA = 0.6
"""Cohen's kappa above this is substantial agreement (Landis and Koch 1977)."""
MARGIN = 0.1
"""Smaller differences count as none: of the corrected score, of shares of maps and of heads (our choice)."""
HALF_WAY = 0.5
"""The corrected score half-way from the majority class to the full model: beyond it, a ticket is trainable."""
S, M = STRUCTURED.name, MAGNITUDE.name


@dataclass(frozen=True)
class Claim:
    """A statement of the paper in our words, and the hypotheses that must all hold for it to hold.

    clause: the primary claim that it hangs on, or that it is. of_means: the hypotheses that stand in for `parts` where
    only means and standard deviations over seeds are known, as in the authors' tables.
    """

    name: str
    clause: str
    section: str
    sentence: str
    parts: Sequence[Hypothesis]
    of_means: Sequence[Hypothesis] = ()

    @property
    def test(self) -> str:
        """The test in words or as a formula."""
        return " and ".join(part.words for part in self.parts)


def _difference(method: str, higher: str, lower: str, state: str, size: str = "") -> Above:
    terms = {f"{method} {higher} {state}{size}": 1.0, f"{method} {lower} {state}{size}": -1.0}
    return Above(terms, margin=MARGIN)


PRIMARY = (
    Claim(
        "P1",
        "P1",
        "abstract, 4",
        "Good tickets exist: both prunings find subnetworks that score higher than random ones of their size.",
        [GoodAmongRandom(method.name) for method in PAPER_METHODS],
        [_difference(method.name, "good", "random", "pruned") for method in PAPER_METHODS],
    ),
    Claim(
        "P2",
        "P2",
        "abstract, 4",
        "Subnetworks sampled from the rest of the model score lower than random ones.",
        [DrawsBelow(S, "random", "bad")],
        [_difference(S, "random", "bad", "pruned")],
    ),
    Claim(
        "P3",
        "P3",
        "abstract, 4",
        "There are no losing tickets with structured pruning: even bad subnetworks retrain well; here: beyond half-way"
        " from the majority class to the full model, and above a bag of words.",
        [
            Above({f"{S} bad retrained": 1}, -HALF_WAY),
            Above({f"{S} bad retrained": 1, "words": -1}),
        ],
        [Above({f"{S} bad retrained": 1}, -HALF_WAY)],
    ),
    Claim(
        "P4",
        "P4",
        "abstract, 5",
        "Which heads structured pruning keeps is unstable over seeds; here: agreement of masks of one size is less than"
        " substantial.",
        [Above({f"heads across seeds{MATCHED}": -1}, SUBSTANTIAL_KAPPA, unit="kappa")],
        [Above({"heads across seeds": -1}, SUBSTANTIAL_KAPPA, unit="kappa")],
    ),
    Claim(
        "P5",
        "P5",
        "abstract, 5",
        "Heads that survive are not more meaningful: their attention is heterogeneous as often as that of other heads"
        " of their layer.",
        [Within({f"slope {name}": 1}, 0.0, MARGIN, unit="slope") for name in INSTRUMENTS],
    ),
)


def _orders(clause: str, higher: str, lower: str) -> Iterator[Claim]:
    """The order of two kinds of tickets: pruned, retrained, and pruned at matched size."""
    settings = [(state, "", state) for state in MEASURED] + [("pruned", MATCHED, "matched size")]
    for method in PAPER_METHODS:
        for state, size, words in settings:
            yield Claim(
                f"{method.title}, {words}: {lower} below {higher}",
                clause,
                "4",
                f"{lower.capitalize()} subnetworks score lower than {higher} ones of their size.",
                [_difference(method.name, higher, lower, state, size)],
            )


def _training() -> Iterator[Claim]:
    for method in PAPER_METHODS:
        for kind in GOOD_AND_CONTROLS:
            terms = {f"{method.name} {kind} retrained": 1.0, f"{method.name} {kind} pruned": -1.0}
            yield Claim(
                f"{method.title}, {kind}: retrained above pruned",
                "P3",
                "4",
                f"A {kind} subnetwork scores higher retrained than pruned.",
                [Above(terms, margin=MARGIN)],
            )
    yield Claim(
        f"{MAGNITUDE.title}: bad is not trainable",
        "P3",
        "4",
        f"Bad subnetworks of {MAGNITUDE.title} do not retrain well; here: not half-way to the full model.",
        [Above({f"{M} bad retrained": -1}, HALF_WAY)],
    )


def _agreement(name: str, sentence: str, quantity: str, alike: bool) -> Claim:
    sign = 1.0 if alike else -1.0
    hypothesis = Above({quantity: sign}, -sign * SUBSTANTIAL_KAPPA, unit="kappa")
    return Claim(name, "P4", "5", sentence, [hypothesis])


def _alike() -> Iterator[Claim]:
    """Agreement of masks of one size."""
    s, m = STRUCTURED.title, MAGNITUDE.title
    for others in ("seeds", "tasks"):
        yield _agreement(
            f"{m}: alike across {others}",
            f"{m} keeps largely the same weights for different {others}; here: at one size.",
            f"weights across {others}{MATCHED}",
            True,
        )
    yield _agreement(
        f"{m}: like the pre-trained mask",
        f"The mask of {m} is largely that of the pre-trained weights; here: at one size.",
        f"weights like pre-trained{MATCHED}",
        True,
    )
    yield _agreement(
        f"{s}: heads differ across tasks",
        "Different tasks keep different heads; here: agreement at one size is less than substantial.",
        f"heads across tasks{MATCHED}",
        False,
    )
    yield _agreement(
        f"{s}: unstable MLPs",
        "Which MLPs survive depends on the seed; here: agreement at one size is less than substantial.",
        f"mlps across seeds{MATCHED}",
        False,
    )


def _stability() -> Iterator[Claim]:
    s, m = STRUCTURED.title, MAGNITUDE.title
    yield Claim(
        f"{s}: 70 % of heads unstable",
        "P4",
        "5",
        "About 70 % of the heads survive with some of five seeds only.",
        [Within({"unstable heads": 1}, -0.7, MARGIN, unit="heads", seeds=5)],
    )
    yield Claim(
        f"{m}: std about 0.01",
        "P4",
        "5",
        "The share of a head's weights that survive varies by about 0.01 between seeds.",
        [Within({"survival std": 1}, -0.01, 0.01, unit="std")],
    )
    yield Claim(
        "importance: mostly equally low",
        "P4",
        "5",
        "Most heads are about equally unimportant; here: their importance is in the lowest third of its range.",
        [Above({"unimportant heads": 1}, -0.5, unit="heads")],
    )
    yield Claim(
        f"{s}: super-survivors above random",
        "P4",
        "5",
        "The components that survive with every seed score higher, pruned, than random ones, as many.",
        [_difference(S, "super", "super-random", "pruned")],
    )


def _attention() -> Claim:
    return Claim(
        f"{STRUCTURED.title}: survivors not mostly meaningful",
        "P5",
        "5",
        "The heads that survive with every seed do not show heterogeneous attention predominantly.",
        [Above({f"super {name}": -1}, 0.5, unit="maps") for name in INSTRUMENTS],
    )


SECONDARY = (
    *_orders("P1", "good", "random"),
    *_orders("P2", "random", "bad"),
    *_training(),
    *_alike(),
    *_stability(),
    _attention(),
)
OWN_CLAIMS: tuple[Claim, ...] = ()
"""Claims that are not the paper's: a family of its own, which leaves the verdicts on the paper's claims as they are."""
FAMILIES: Mapping[str, Sequence[Claim]] = {
    "primary": PRIMARY,
    "secondary": SECONDARY,
    "own": OWN_CLAIMS,
}


def claims_hash() -> str:
    """The SHA-256 of this file: what was registered."""
    return hashlib.sha256(Path(__file__).read_bytes()).hexdigest()
