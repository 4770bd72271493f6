"""Loyalty of a smaller model: agreement of its answers with those of the full one, whatever is right (Xu et al. 2021).

Legend for array suffixes: N examples, C classes.
"""

import numpy as np
from scipy.special import rel_entr, softmax

from lottery.export.ready import Logits
from lottery.metrics import pearson
from lottery.predictions import predicted_labels
from lottery.tasks import Task


def of_labels(task: Task, full_NC: Logits, logits_NC: Logits) -> float:
    """Share of the examples with the same predicted class; for a regression, the Pearson correlation of the outputs."""
    full_N, predicted_N = (
        predicted_labels(task, outputs_NC) for outputs_NC in (full_NC, logits_NC)
    )
    if task.regression:
        return pearson(full_N, predicted_N)
    return float(np.mean(full_N == predicted_N))


def of_probabilities(task: Task, full_NC: Logits, logits_NC: Logits) -> float:
    """1 minus the Jensen-Shannon distance of the class probabilities, averaged over examples; NaN for a regression."""
    if task.regression:
        return float("nan")
    p_NC, q_NC = softmax(full_NC, axis=1), softmax(logits_NC, axis=1)
    mean_NC = (p_NC + q_NC) / 2
    divergence_N = (rel_entr(p_NC, mean_NC) + rel_entr(q_NC, mean_NC)).sum(axis=1) / (2 * np.log(2))
    # Rounding makes the divergence of nearly equal probabilities negative, for which scipy's distance is NaN.
    return 1 - float(np.sqrt(divergence_N.clip(min=0)).mean())
