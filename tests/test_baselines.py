"""The bag of words learns what words tell and nothing else; the majority class is a guess."""

from dataclasses import replace

import numpy as np
import pytest

from lottery.data.examples import Examples, sentences_T
from lottery.predictions import measure
from lottery.tasks import Task, get_task
from lottery.ticket import MAJORITY, WORDS, Key
from lottery.tickets.baselines import PREDICTORS, words
from tests import toys

CLS, SEP = 1, 2
SST2, RTE, MNLI, STSB = (get_task(name) for name in ("sst2", "rte", "mnli", "stsb"))


def examples(*rows: tuple[list[int], list[int], float]) -> Examples:
    """Examples of the words of a first sentence, those of a second, if any, and a label."""
    firsts = [[CLS, *first, SEP] for first, _, _ in rows]
    seconds = [[*second, SEP] if second else [] for _, second, _ in rows]
    pairs = list(zip(firsts, seconds, strict=True))
    types = [[0] * len(first) + [1] * len(second) for first, second in pairs]
    return Examples(
        "sst2",
        "dev",
        np.array([word for first, second in pairs for word in first + second], np.int32),
        np.array([part for row in types for part in row], np.int8),
        np.array([len(row) for row in types], np.int32),
        np.array([label for _, _, label in rows], np.float32),
    )


def score(key: Key, task: Task, train: Examples, dev: Examples) -> float:
    logits_NC = PREDICTORS[key](task, train, {"dev": dev})["dev"]
    assert logits_NC.shape == (len(dev), task.classes)
    return measure(task, "dev", logits_NC, dev.labels_N)[task.metrics[0]]


def test_sentences_are_told_apart_without_types() -> None:
    pairs = examples(([5, 6], [7], 0), ([5], [6, 7, 8], 1))
    assert sentences_T(replace(pairs, types_T=0 * pairs.types_T)).tolist() == pairs.types_T.tolist()


def labelled(rng: np.random.Generator, count: int, tell: int) -> Examples:
    """Sentences of random words of which one is `tell` with label 1 and its successor with label 0, in two thirds."""
    labels = [float(at % 3 != 0) for at in range(count)]
    words = [rng.permutation([*rng.integers(10, 40, 4), tell + int(label)]) for label in labels]
    return examples(*((row.tolist(), [], label) for row, label in zip(words, labels, strict=True)))


def test_words_learn_a_word_that_tells_the_class() -> None:
    rng = np.random.default_rng(0)
    train, dev = labelled(rng, 120, 50), labelled(rng, 60, 50)
    assert score(WORDS, SST2, train, dev) == 1
    assert score(MAJORITY, SST2, train, dev) == pytest.approx(2 / 3)


def test_words_that_tell_nothing_are_the_majority_class() -> None:
    """Also words that the training data do not have."""
    rows: list[tuple[list[int], list[int], float]]
    rows = [([7, 8], [], float(at % 3 != 0)) for at in range(30)]
    train, dev = examples(*rows), examples(*rows[:12], ([9], [], 1.0))
    assert score(WORDS, SST2, train, dev) == score(MAJORITY, SST2, train, dev) == 9 / 13


def test_words_of_a_pair_learn_from_their_overlap() -> None:
    """No word tells the class alone: a pair is of class 1 if both sentences are the same."""
    rng = np.random.default_rng(1)

    def pairs(count: int) -> Examples:
        rows: list[tuple[list[int], list[int], float]] = []
        for at in range(count):
            first, other = rng.integers(10, 60, (2, 6)).tolist()
            rows.append((first, first if at % 2 else other, float(at % 2)))
        return examples(*rows)

    train, dev = pairs(300), pairs(100)
    assert score(WORDS, RTE, train, dev) > 0.9


def test_similarity_of_a_pair_is_the_regression() -> None:
    train = examples(([5, 6], [5, 6], 5.0), ([5, 6], [5, 9], 2.0), ([5, 6], [8, 9], 0.0))
    assert score(WORDS, STSB, train, train) > 0.9
    assert np.isnan(score(MAJORITY, STSB, train, train))


def test_words_learn_the_scores_of_single_sentences() -> None:
    rng = np.random.default_rng(2)

    def scored(count: int) -> Examples:
        rows = [rng.integers(10, 40, 6).tolist() for _ in range(count)]
        return examples(*((row, [], float(sum(word < 25 for word in row))) for row in rows))

    assert score(WORDS, STSB, scored(200), scored(60)) > 0.8


def test_a_class_without_training_examples_is_never_predicted() -> None:
    dev = toys.sentences(30, 3, classes=3)
    train = toys.sentences(40, 4, classes=2)
    logits_NC = words(MNLI, train, {"dev": dev})["dev"]
    assert set(logits_NC.argmax(axis=1)) <= {0, 1}


def test_a_bag_of_words_does_not_see_the_labels_of_what_it_predicts() -> None:
    train, dev = toys.sentences(60, 1), toys.sentences(20, 2)
    (logits_NC,) = words(RTE, train, {"dev": dev}).values()
    reordered = np.arange(20)[::-1]
    (again_NC,) = words(RTE, train, {"dev": dev.take(reordered)}).values()
    np.testing.assert_array_equal(again_NC, logits_NC[reordered])
