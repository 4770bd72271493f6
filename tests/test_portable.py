"""Pruned encoders as ordinary BERTs: padded with zeros, they compute the same in transformers."""

from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import AutoConfig

from lottery.export import portable
from lottery.export.forms import transformers
from lottery.export.ready import logits
from lottery.model.evaluation import predict
from lottery.tasks import get_task
from tests import toys

CLASSES = {"stsb": 1, "rte": 2, "mnli": 3}


@pytest.mark.parametrize("task", CLASSES)
@pytest.mark.parametrize("seed", range(3))
def test_logits_of_transformers_equal_those_of_the_pruned_encoder(
    tmp_path: Path, task: str, seed: int
) -> None:
    pruned = toys.encoder(seed, CLASSES[task]).extract(toys.subnetwork(seed))
    examples = toys.sentences(20, seed)
    portable.write(portable.zero_filled(pruned), get_task(task), tmp_path)
    logits_NC = logits(transformers.load(tmp_path / "model.safetensors"), examples)
    np.testing.assert_allclose(logits_NC, predict(pruned, examples), rtol=0, atol=1e-5)


@pytest.mark.parametrize("seed", range(3))
def test_padding_is_undone_by_pruning(seed: int) -> None:
    pruned = toys.encoder(seed).extract(toys.subnetwork(seed))
    again = portable.zero_filled(pruned).extract(toys.subnetwork(seed)).state_dict()
    assert again.keys() == pruned.state_dict().keys()
    assert all(torch.equal(again[name], tensor) for name, tensor in pruned.state_dict().items())


def test_a_whole_encoder_is_not_changed() -> None:
    encoder = toys.encoder()
    assert portable.zero_filled(encoder).config == encoder.config
    for name, tensor in portable.zero_filled(encoder).state_dict().items():
        assert torch.equal(tensor, encoder.state_dict()[name])


@pytest.mark.parametrize(
    ("task", "labels", "problem"),
    [
        ("sst2", {0: "negative", 1: "positive"}, "single_label_classification"),
        ("stsb", {0: "score"}, "regression"),
    ],
)
def test_the_configuration_names_the_classes(
    tmp_path: Path, task: str, labels: dict[int, str], problem: str
) -> None:
    portable.write(toys.encoder(0, len(labels)), get_task(task), tmp_path)
    config = AutoConfig.from_pretrained(tmp_path)
    assert (config.model_type, config.id2label, config.problem_type) == ("bert", labels, problem)
    assert config.label2id == {name: index for index, name in labels.items()}
