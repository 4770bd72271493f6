"""A split with fewer classes than the model: predictions are decided first, then counted as its labels."""

from dataclasses import replace

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from sklearn.metrics import accuracy_score

from lottery.metrics import METRICS
from lottery.predictions import (
    Floats,
    decided_labels,
    majority_logits,
    measure,
    predicted_labels,
    prediction,
    scores,
)
from lottery.tasks import TASKS, Task, get_task
from lottery.ticket import FULL, WORDS
from lottery.tickets.baselines import PREDICTORS
from tests import toys

MNLI, HANS = get_task("mnli"), "dev-hans"
EXAMPLES = 20
VALUES = st.floats(-4, 4, width=16)
LOGITS = arrays(np.float64, (EXAMPLES, 3), elements=VALUES)
LABELS = arrays(np.float32, EXAMPLES, elements=st.sampled_from([0.0, 1.0]))
ENTAILMENT = 0


@given(LOGITS, LABELS)
def test_accuracy_is_that_of_the_merged_argmax(
    logits_NC: Floats, labels_N: NDArray[np.float32]
) -> None:
    merged_N = (logits_NC.argmax(axis=1) != ENTAILMENT).astype(int)
    expected = accuracy_score(labels_N, merged_N)
    assert measure(MNLI, HANS, logits_NC, labels_N) == {"accuracy": pytest.approx(expected)}
    record = prediction(MNLI, 1, FULL, "finetuned", HANS, logits_NC, labels_N)
    assert len(record.logits) == 3 * EXAMPLES
    assert [score.value for score in scores([record])] == [pytest.approx(expected)]


def test_entailment_need_not_be_more_likely_than_the_others_together() -> None:
    logits_NC = np.log([[0.4, 0.3, 0.3], [0.3, 0.4, 0.3], [0.3, 0.3, 0.4]])
    assert decided_labels(MNLI, HANS, logits_NC).tolist() == [0, 1, 1]


@pytest.mark.parametrize("name", TASKS)
@pytest.mark.parametrize("split", ["dev", "select", "dev-mismatched", "dev-paws", "dev-tweets"])
def test_other_splits_are_scored_as_before_to_the_bit(name: str, split: str) -> None:
    task, rng = TASKS[name], np.random.default_rng(1)
    logits_NC = rng.normal(size=(200, task.classes))
    labels_N = (rng.integers(0, task.classes, 200) + task.regression * rng.normal(size=200)).astype(
        np.float32
    )
    predicted_N = predicted_labels(task, logits_NC)
    np.testing.assert_array_equal(decided_labels(task, split, logits_NC), predicted_N, strict=True)
    expected = {
        metric: METRICS[metric](predicted_N, labels_N.astype(np.float64)) for metric in task.metrics
    }
    assert measure(task, split, logits_NC, labels_N) == expected


@given(LABELS, st.sampled_from([(0, 1, 1), (1, 0, 0), (1, 1, 0)]))
def test_the_majority_class_is_the_most_frequent_label_of_the_split(
    labels_N: NDArray[np.float32], merged: tuple[int, ...]
) -> None:
    task = msgspec.structs.replace(MNLI, merged={HANS: merged})
    share = max(np.mean(labels_N == label) for label in (0, 1))
    logits_NC = majority_logits(task, HANS, labels_N)
    assert measure(task, HANS, logits_NC, labels_N) == {"accuracy": pytest.approx(share)}


def test_a_bag_of_words_is_merged_as_tickets_are() -> None:
    train = toys.sentences(60, 1, classes=3)
    labels_N = (train.labels_N != ENTAILMENT).astype(np.float32)
    hans = replace(train, split=HANS, labels_N=labels_N)
    logits_NC = PREDICTORS[WORDS](MNLI, train, {HANS: hans})[HANS]
    expected = np.mean((logits_NC.argmax(axis=1) != ENTAILMENT) == labels_N)
    assert {2, 1, 0} == set(logits_NC.argmax(axis=1))
    assert measure(MNLI, HANS, logits_NC, labels_N)["accuracy"] == pytest.approx(expected)


@pytest.mark.parametrize("task", [task for task in TASKS.values() if task.merged])
def test_every_class_counts_as_a_label(task: Task) -> None:
    for split, labels in task.merged.items():
        assert split.startswith("dev-")
        assert len(labels) == task.classes
        assert {*labels} == {*range(len({*labels}))}
