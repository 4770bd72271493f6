"""Words for kinds, states, units and metrics, in the order of every table and figure."""

from collections.abc import Mapping
from typing import Literal

Kind = Literal["full", "majority", "good", "random", "bad", "super", "super-random", "super-bad"]
State = Literal["finetuned", "pruned", "retrained"]

WHOLE = "full"
"""The `method` of the full model and of the majority baseline: nothing is pruned."""
UNITS: Mapping[str, str] = {"heads": "heads", "mlps": "MLPs", "weights": "weights"}
KINDS: Mapping[str, str] = {
    "majority": "majority class",
    "full": "full model",
    "good": "good",
    "random": "random",
    "bad": "bad",
    "super": "super-survivors",
    "super-random": "super-random",
    "super-bad": "super-bad",
}
GOOD_AND_CONTROLS: tuple[Kind, ...] = ("good", "random", "bad")
"""A good ticket and its controls."""
SUPERS: tuple[Kind, ...] = ("super", "super-random", "super-bad")
MEASURED: tuple[State, ...] = ("pruned", "retrained")
"""The states in which a ticket is scored."""
TICKET_STATE = ["method", "kind", "state"]
"""The columns that say which subnetwork was scored, and in which state."""
STATES: Mapping[str, str] = {
    "finetuned": "fine-tuned",
    "pruned": "pruned",
    "retrained": "retrained",
}
METRICS: Mapping[str, str] = {
    "accuracy": "accuracy",
    "f1": "F1",
    "matthews": "Matthews correlation",
    "pearson": "Pearson correlation",
    "spearman": "Spearman correlation",
    "pearson_spearman": "mean of Pearson and Spearman correlation",
}
