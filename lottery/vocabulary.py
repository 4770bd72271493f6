"""How methods, kinds and states are called and in which order they stand, in every table and figure."""

from collections.abc import Mapping

METHODS: Mapping[str, str] = {
    "full": "",
    "structured": "s-pruning",
    "magnitude": "m-pruning",
}
PRUNINGS = ("structured", "magnitude")
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
CONTRASTS = ("good", "random", "bad")
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
