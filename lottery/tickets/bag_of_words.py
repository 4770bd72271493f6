"""Bag of words: a baseline without an encoder, and the only code that needs scikit-learn, whose import takes long."""

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, hstack
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression, Ridge

from lottery.data.examples import Examples, sentences_T
from lottery.predictions import Logits
from lottery.tasks import Task
from lottery.tickets.retraining import Splits


def logits(task: Task, train: Examples, splits: Splits) -> Logits:
    """A logistic regression on TF-IDF of tokens, those of both sentences, and the cosine between them.

    For a regression that cosine alone or, where there are no second sentences, a ridge regression on TF-IDF.
    """
    bag = TfidfVectorizer(analyzer=np.ndarray.tolist).fit(
        _sentences(train, 0) + _sentences(train, 1)
    )
    if task.regression:
        if sentences_T(train).any():
            return {name: _features(bag, at)[:, [-1]].toarray() for name, at in splits.items()}
        ridge = Ridge().fit(_features(bag, train), train.labels_N)
        return {name: ridge.predict(_features(bag, at))[:, None] for name, at in splits.items()}
    model = LogisticRegression(max_iter=1000).fit(_features(bag, train), train.labels_N)
    by_split = {}
    for name, split in splits.items():
        logits_NC = np.full((len(split), task.classes), -np.inf)  # classes absent from train
        logits_NC[:, model.classes_.astype(int)] = model.predict_log_proba(_features(bag, split))
        by_split[name] = logits_NC
    return by_split


def _features(bag: TfidfVectorizer, examples: Examples) -> csr_array:
    """TF-IDF of the first sentence, of the second (0 if there is none), and their cosine, [N, 2 * words + 1]."""
    first, second = (csr_array(bag.transform(_sentences(examples, part))) for part in (0, 1))
    cosine_N1 = first.multiply(second).sum(axis=1)[:, None]
    return csr_array(hstack([first, second, csr_array(cosine_N1)]))


def _sentences(examples: Examples, part: int) -> list[NDArray[np.int32]]:
    """The tokens of the first (0) or second (1) sentence of each example."""
    ends = np.cumsum(examples.lengths_N)[:-1]
    sentences = np.split(sentences_T(examples), ends)
    pairs = zip(np.split(examples.ids_T, ends), sentences, strict=True)
    return [ids[parts == part] for ids, parts in pairs]
