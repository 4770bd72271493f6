"""One measured number and who it belongs to."""

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
