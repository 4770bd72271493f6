"""Claims of other papers, written down before they were tested: a family for each paper.

They are tested as the paper's claims are, corrected within their own family, and change no verdict of another one. Only
runs that rewind or transfer masks test them. Effects are differences of corrected scores of trained masks;
`quantities` says how each quantity is measured.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from lottery.analysis.claims import MARGIN, Claim
from lottery.analysis.hypotheses import Above, Hypothesis, Within

FULL, REWOUND, LOW_REWOUND, LOW_PRETRAINED = (
    f"rewound {name}" for name in ("full", "mask", "mask at 40 %", "pretrained at 40 %")
)
RANDOM, REINITIALISED = "rewound random", "rewound reinitialised"
OWN, ANOTHER, PRETRAINED = (
    f"transferred {origin}" for origin in ("own", "another", "pre-trained weights")
)
RETRAINED, LIGHTLY_PRUNED = "structured good retrained", "structured lightly pruned"


@dataclass(frozen=True)
class Paper:
    """A paper by its authors and year, its title and arXiv number, and its claims in our words."""

    name: str
    title: str
    arxiv: str
    claims: Sequence[Claim]


def _claim(name: str, section: str, sentence: str, part: Hypothesis) -> Claim:
    return Claim(name, "", section, sentence, [part])


def _above(higher: str, lower: str) -> Above:
    return Above({higher: 1.0, lower: -1.0}, margin=MARGIN)


def _no_worse(quantity: str, than: str) -> Above:
    return Above({quantity: 1.0, than: -1.0}, MARGIN)


FRANKLE = Paper(
    "Frankle and Carbin 2019",
    "The Lottery Ticket Hypothesis: Finding Sparse, Trainable Neural Networks",
    "1803.03635",
    [
        _claim(
            "Frankle: winning tickets match",
            "abstract",
            "Masks of iterative pruning, trained from their first weights, score as the full model does; here: not more"
            f" than {MARGIN:g} below, at the sparsities of controls.",
            _no_worse(REWOUND, FULL),
        ),
        _claim(
            "Frankle: first weights matter",
            "abstract",
            "Winning tickets score higher than the same masks on random weights.",
            _above(REWOUND, REINITIALISED),
        ),
        _claim(
            "Frankle: structure matters",
            "not verified",
            "Winning tickets score higher than random masks of their size.",
            _above(REWOUND, RANDOM),
        ),
    ],
)
CHEN = Paper(
    "Chen et al. 2020",
    "The Lottery Ticket Hypothesis for Pre-trained BERT Networks",
    "2007.12223",
    [
        _claim(
            "Chen: matching at 40 %",
            "abstract",
            "Iterative pruning finds matching subnetworks of the pre-trained model at 40 to 90 % sparsity, by task;"
            f" here: at 40 % not more than {MARGIN:g} below the full model.",
            _no_worse(LOW_REWOUND, FULL),
        ),
        _claim(
            "Chen: above random",
            "3, not verified",
            "Subnetworks of iterative pruning score higher than random ones of their size.",
            _above(REWOUND, RANDOM),
        ),
        _claim(
            "Chen: limited transfer",
            "abstract",
            "Masks of a task transfer in a limited fashion, if at all; here: on a task, its own mask scores higher than"
            " those of other tasks.",
            _above(OWN, ANOTHER),
        ),
        _claim(
            "Chen: pre-trained masks are universal",
            "abstract",
            "Masks of the pre-training task transfer universally; here: the largest pre-trained weights score not more"
            f" than {MARGIN:g} below a task's own mask.",
            _no_worse(PRETRAINED, OWN),
        ),
    ],
)
GORDON = Paper(
    "Gordon et al. 2020",
    "Compressing BERT: Studying the Effects of Weight Pruning on Transfer Learning",
    "2002.08307",
    [
        _claim(
            "Gordon: 40 % for free",
            "abstract",
            "Pruning 30 to 40 % of the weights before fine-tuning does not affect transfer; here: masks of the"
            f" pre-trained weights at up to 40 % score not more than {MARGIN:g} below the full model.",
            _no_worse(LOW_PRETRAINED, FULL),
        ),
        _claim(
            "Gordon: pruned once for all tasks",
            "abstract",
            "Fine-tuning on a task does not improve prunability; here: a task's own mask and that of the pre-trained"
            f" weights are within {MARGIN:g} of each other.",
            Within({OWN: 1.0, PRETRAINED: -1.0}, 0.0, MARGIN),
        ),
    ],
)
LIANG = Paper(
    "Liang et al. 2021",
    "Super Tickets in Pre-Trained Language Models: From Model Compression to Improving Generalization",
    "2105.12002",
    [
        _claim(
            "Liang: super tickets",
            "abstract",
            "At some sparsities winning tickets generalise better than the full model; here: retrained good tickets of"
            " s-pruning, at the size of their search.",
            Above({RETRAINED: 1.0}, -1.0, MARGIN),
        ),
        _claim(
            "Liang: light pruning helps",
            "abstract",
            "With more pruning, generalisation first improves; here: steps of s-pruning at up to 20 %, not retrained,"
            " on the data of the search.",
            Above({LIGHTLY_PRUNED: 1.0}, -1.0, MARGIN),
        ),
    ],
)
PAPERS = (FRANKLE, CHEN, GORDON, LIANG)
