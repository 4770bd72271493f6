"""Baselines without an encoder: the majority class, and a bag of words."""

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, hstack
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from lottery.data.examples import Examples
from lottery.tasks import Task
from lottery.vocabulary import Kind

Splits = Mapping[str, Examples]
Logits = Mapping[str, NDArray[np.float64]]
"""Logits [N, C] by split."""


def majority(task: Task, train: Examples, splits: Splits) -> Logits:
    """Always the class that is most frequent in the split; for a regression a constant."""
    return {name: _most_frequent(task, split) for name, split in splits.items()}


def _most_frequent(task: Task, split: Examples) -> NDArray[np.float64]:
    logits_NC = np.zeros((len(split), task.classes))
    if not task.regression:
        classes, counts = np.unique(split.labels_N, return_counts=True)
        logits_NC[:, int(classes[counts.argmax()])] = 1
    return logits_NC


def words(task: Task, train: Examples, splits: Splits) -> Logits:
    """A logistic regression on TF-IDF of tokens; for a regression the similarity of the two sentences.

    Its features are those of both sentences, and the cosine between them.
    """
    bag = TfidfVectorizer(analyzer=np.ndarray.tolist).fit(_sentences(train, 0) + _sentences(train, 1))
    if task.regression:
        return {name: _features(bag, split)[:, [-1]].toarray() for name, split in splits.items()}
    model = LogisticRegression(max_iter=1000).fit(_features(bag, train), train.labels_N)
    logits = {}
    for name, split in splits.items():
        logits[name] = np.full((len(split), task.classes), -np.inf)  # classes absent from train
        logits[name][:, model.classes_.astype(int)] = model.predict_log_proba(_features(bag, split))
    return logits


def _features(bag: TfidfVectorizer, examples: Examples) -> csr_array:
    """TF-IDF of the first sentence, of the second (0 if there is none), and their cosine, [N, 2 * words + 1]."""
    first, second = (csr_array(bag.transform(_sentences(examples, part))) for part in (0, 1))
    cosine_N1 = first.multiply(second).sum(axis=1)[:, None]
    return csr_array(hstack([first, second, csr_array(cosine_N1)]))


def _sentences(examples: Examples, part: int) -> list[NDArray[np.int32]]:
    """The tokens of the first (0) or second (1) sentence of each example."""
    ends = np.cumsum(examples.lengths_N)[:-1]
    pairs = zip(np.split(examples.ids_T, ends), np.split(examples.types_T, ends), strict=True)
    return [ids[types == part] for ids, types in pairs]


BASELINES: Mapping[Kind, Callable[[Task, Examples, Splits], Logits]] = {
    "majority": majority,
    "words": words,
}
"""Predictions on every split, of something that was fitted to the training data, by kind."""
