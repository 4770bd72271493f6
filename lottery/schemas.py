"""Records on disk: scores, steps of a search, importance of components."""

import msgspec
import numpy as np
from numpy.typing import NDArray

from lottery.vocabulary import Kind, State


class Score(msgspec.Struct, frozen=True, kw_only=True):
    """One metric of one ticket on one split.

    `state` says which weights were scored: those of the fine-tuned model (`finetuned`), the same pruned to the
    ticket (`pruned`), or pre-trained or random weights trained under its mask (`retrained`, `reinitialised`). `method`
    is the name of a pruning method, or `full` if nothing is pruned. `matched` is the sparsity at which tickets of all
    cells are compared, null for a ticket of the size of its search. `n` counts the examples of the split.
    """

    task: str
    seed: int
    method: str
    kind: Kind
    draw: int
    matched: float | None
    state: State
    split: str
    metric: str
    value: float
    n: int


class Prediction(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """The logits of one ticket for every example of one split, and the labels; its scores follow from them.

    `logits` are row-major [N, classes]; a regression has one output, in the units of its (standardised) labels.
    """

    task: str
    seed: int
    method: str
    kind: Kind
    draw: int
    matched: float | None
    state: State
    split: str
    logits: NDArray[np.float16]
    labels: NDArray[np.float32]


class StepRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One step of a search: the size of its subnetwork, and the score on the data that drive the search.

    `heads`, `mlps`, `neurons` and `weights` count survivors, null for what the method does not prune; `sparsity` is
    the share of all prunable encoder weights that is removed. `threshold` is the lowest score that is accepted.
    """

    task: str
    seed: int
    method: str
    phase: str
    step: int
    heads: int | None
    mlps: int | None
    neurons: int | None
    weights: int | None
    sparsity: float
    score: float
    accepted: bool
    threshold: float
    full_score: float


class RewindScore(msgspec.Struct, frozen=True, kw_only=True):
    """One metric on one split of a mask that iterative magnitude pruning with rewinding has trained, or of a control.

    `control` is `rewound` for the masks of the method itself, of which that of sparsity 0 is the full model. Other
    masks of the size are `random`, `one-shot` (by magnitude in the fine-tuned model) and `pretrained` (in the
    pre-trained one); `reinitialised` is the same mask on random weights.
    """

    task: str
    seed: int
    control: str
    draw: int
    sparsity: float
    split: str
    metric: str
    value: float
    n: int


class ImportanceRecord(msgspec.Struct, frozen=True, kw_only=True):
    """Importance of one head or MLP of the unpruned model; `index` is null for an MLP.

    `first_half` and `second_half` are its importance by every other example, null if it was not computed so.
    """

    task: str
    seed: int
    method: str
    unit: str
    layer: int
    index: int | None
    importance: float
    first_half: float | None
    second_half: float | None
