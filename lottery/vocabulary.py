"""Words for kinds, states, units and metrics, in the order of every table and figure."""

from collections.abc import Mapping
from typing import Literal

Kind = Literal[
    "majority",
    "words",
    "full",
    "good",
    "random",
    "bad",
    "pretrained",
    "super",
    "super-random",
    "super-bad",
]
State = Literal["finetuned", "pruned", "retrained", "reinitialised"]

WHOLE = "full"
"""The `method` of the full model and of the baselines: nothing is pruned."""
UNITS: Mapping[str, str] = {
    "heads": "heads",
    "mlps": "MLPs",
    "neurons": "neurons",
    "weights": "weights",
}
KINDS: Mapping[str, str] = {
    "majority": "majority class",
    "words": "bag of words",
    "full": "full model",
    "good": "good",
    "random": "random",
    "bad": "bad",
    "pretrained": "by pre-trained weights",
    "super": "super-survivors",
    "super-random": "super-random",
    "super-bad": "super-bad",
}
GOOD_AND_CONTROLS: tuple[Kind, ...] = ("good", "random", "bad")
"""A good ticket and its controls."""
DRAWN: frozenset[Kind] = frozenset({"random", "bad", "super-random", "super-bad"})
"""The kinds that are drawn at random, numbered by draw."""
SUPERS: tuple[Kind, ...] = ("super", "super-random", "super-bad")
MEASURED: tuple[State, ...] = ("pruned", "retrained")
"""The states of tickets that the report compares."""
TICKET_STATE = ["method", "kind", "state"]
"""The columns that say which subnetwork was scored, and in which state."""
STATES: Mapping[str, str] = {
    "finetuned": "fine-tuned",
    "pruned": "pruned",
    "retrained": "retrained",
    "reinitialised": "trained from random weights",
}
METRICS: Mapping[str, str] = {
    "accuracy": "accuracy",
    "f1": "F1",
    "matthews": "Matthews correlation",
    "pearson": "Pearson correlation",
    "spearman": "Spearman correlation",
    "pearson_spearman": "mean of Pearson and Spearman correlation",
}
