"""Baselines without an encoder: the majority class, and a bag of words."""

from collections.abc import Callable, Iterable, Mapping

from lottery.data.examples import Examples
from lottery.predictions import Logits, majority_logits, prediction
from lottery.schemas import Prediction
from lottery.tasks import Task
from lottery.ticket import MAJORITY, WORDS, Key
from lottery.tickets.measurements import Measurement
from lottery.tickets.retraining import Cell, Splits


def predict_baselines(
    cell: Cell, measurements: Iterable[Measurement], splits: Splits
) -> list[Prediction]:
    """Predictions of those of the measurements that are baselines, in their order."""
    return [
        prediction(cell.task, cell.seed, *measurement, split, logits_NC, splits[split].labels_N)
        for measurement in measurements
        if measurement.key in PREDICTORS
        for split, logits_NC in PREDICTORS[measurement.key](cell.task, cell.train, splits).items()
    ]


def majority(task: Task, splits: Splits) -> Logits:
    """Logits of the class that is most frequent in each split."""
    return {name: majority_logits(task, name, split.labels_N) for name, split in splits.items()}


def words(task: Task, train: Examples, splits: Splits) -> Logits:
    """Logits of a bag of words."""
    from lottery.tickets import bag_of_words

    return bag_of_words.logits(task, train, splits)


PREDICTORS: Mapping[Key, Callable[[Task, Examples, Splits], Logits]] = {
    MAJORITY: lambda task, _, splits: majority(task, splits),
    WORDS: words,
}
"""From the training examples, and all splits to predict, to logits."""
