"""Random numbers as a saliency, the floor of all others."""

import hashlib
from collections.abc import Collection

import numpy as np
import torch

from lottery.checkpoint.layout import classifier_shapes, tensor_shapes
from lottery.data.examples import Examples
from lottery.model.encoder import Encoder
from lottery.seeds import rng
from lottery.tasks import Task
from lottery.tickets.saliency.weights import WeightSaliency, arrays, named


def random(
    encoder: Encoder, _examples: Examples, task: Task, names: Collection[str]
) -> WeightSaliency:
    """Uniform random numbers.

    The stream is seeded by a hash of the classifier's weights, which no search prunes, so that each fine-tuned model
    has numbers of its own. They are drawn for the whole encoder: a weight has the same number at all steps of a search.
    """
    [classifier] = arrays({"classifier": encoder.classifier.weight}).values()
    stream = rng("random saliency", task.name, hashlib.sha256(classifier.tobytes()).hexdigest())
    whole = encoder.config.whole
    shapes = tensor_shapes(whole) | classifier_shapes(whole, encoder.classes)
    numbers = {
        name: torch.from_numpy(stream.random(shape, dtype=np.float32))
        for name, shape in shapes.items()
    }
    left = Encoder.of(whole, encoder.classes, numbers).extract(encoder.config.survivors)
    return WeightSaliency(arrays(named(left, names)))
