"""Metrics of GLUE; scikit-learn and scipy are the oracles."""

import warnings

import numpy as np
import pytest
import scipy.stats
import sklearn.metrics
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from lottery.metrics import METRICS

classes = arrays(float, (2, 30), elements=st.integers(0, 1).map(float))
numbers = arrays(float, (2, 30), elements=st.integers(-50, 50).map(float))


@given(classes)
def test_classification_metrics_equal_scikit_learn(pair: np.ndarray) -> None:
    predicted, labels = pair
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        oracle = {
            "accuracy": sklearn.metrics.accuracy_score(labels, predicted),
            "f1": sklearn.metrics.f1_score(labels, predicted, zero_division=0.0),
            "matthews": sklearn.metrics.matthews_corrcoef(labels, predicted),
        }
    for name, expected in oracle.items():
        assert METRICS[name](predicted, labels) == pytest.approx(expected, abs=1e-9)


@given(numbers)
def test_correlations_equal_scipy(pair: np.ndarray) -> None:
    predicted, labels = pair
    if np.ptp(predicted) == 0 or np.ptp(labels) == 0:
        assert np.isnan(METRICS["pearson"](predicted, labels))
        return
    pearson = scipy.stats.pearsonr(predicted, labels).statistic
    spearman = scipy.stats.spearmanr(predicted, labels).statistic
    assert METRICS["pearson"](predicted, labels) == pytest.approx(pearson, abs=1e-9)
    assert METRICS["spearman"](predicted, labels) == pytest.approx(spearman, abs=1e-9)
    both = METRICS["pearson_spearman"](predicted, labels)
    assert both == pytest.approx((pearson + spearman) / 2, abs=1e-9)


@given(st.floats(-1e6, 1e6), st.integers(2, 400))
def test_a_constant_correlates_with_nothing(constant: float, size: int) -> None:
    predicted, labels = np.full(size, constant), np.arange(size) * 0.1
    for pair in ((predicted, labels), (labels, predicted), (predicted, predicted)):
        assert all(np.isnan(METRICS[name](*pair)) for name in ("pearson", "spearman"))
        assert METRICS["matthews"](*pair) == 0
