"""What was measured, and who it belongs to: scores, the steps of a search, the importance of parts."""

from typing import Literal

import msgspec

Method = Literal["full", "structured", "magnitude"]
Kind = Literal["full", "majority", "good", "random", "bad", "super", "super-random", "super-bad"]
State = Literal["finetuned", "pruned", "retrained"]


class Score(msgspec.Struct, frozen=True, kw_only=True):
    """A metric of one subnetwork on one split.

    `state` says whose weights were scored: the fine-tuned model's as they are (`finetuned`), the same with
    the subnetwork cut out (`pruned`), or pre-trained weights fine-tuned under the mask (`retrained`).
    `n` counts the examples of the split.
    """

    task: str
    seed: int
    method: Method
    kind: Kind
    draw: int
    state: State
    split: str
    metric: str
    value: float
    n: int


class StepRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One step of a search: what was left, and how good it was on the data that drives the search.

    `heads`, `mlps` and `weights` count survivors, null where the method does not prune them; `sparsity` is the
    share of all prunable encoder weights that is gone. `threshold` is the score to keep.
    """

    task: str
    seed: int
    method: Method
    phase: str
    step: int
    heads: int | None
    mlps: int | None
    weights: int | None
    sparsity: float
    score: float
    accepted: bool
    threshold: float
    full_score: float


class ImportanceRecord(msgspec.Struct, frozen=True, kw_only=True):
    """The importance of one head or MLP of the unpruned model; `index` is null for an MLP."""

    task: str
    seed: int
    unit: str
    layer: int
    index: int | None
    importance: float
