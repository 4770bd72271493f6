"""Random weights have the distribution of BERT's initial ones, and follow from their seed."""

import pytest
import torch
from transformers import BertConfig, BertModel

from lottery.model.encoder import Encoder
from lottery.model.initial import reinitialise
from tests import toys

CONFIG = toys.CONFIG


def test_random_weights_follow_from_the_seed_and_leave_the_classifier() -> None:
    before, first, repeat, other = (toys.encoder(seed) for seed in (1, 1, 2, 1))
    for encoder, seed in ((first, 7), (repeat, 7), (other, 8)):
        assert reinitialise(encoder, seed) is encoder
    for name, weight in before.state_dict().items():
        if name.startswith("classifier."):
            assert torch.equal(first.state_dict()[name], weight)
            continue
        assert torch.equal(first.state_dict()[name], repeat.state_dict()[name])
        assert not torch.equal(first.state_dict()[name], weight)
        is_random = "norm" not in name and name.endswith("weight")
        differs = not torch.equal(first.state_dict()[name], other.state_dict()[name])
        assert differs == is_random


def test_random_weights_are_distributed_as_those_of_transformers() -> None:
    names = ("hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size")
    shape = {name: getattr(CONFIG, name) for name in names}
    oracle = BertModel(BertConfig(vocab_size=CONFIG.vocab_size, **shape))
    encoder = reinitialise(Encoder(CONFIG, 2), 3)
    expected = {
        kind: torch.cat([weight.flatten() for name, weight in oracle.named_parameters() if kind(name)])
        for kind in (_is_norm, _is_bias, _is_matrix)
    }
    for kind, values in expected.items():
        weights = [w.flatten() for n, w in encoder.named_parameters() if "classifier" not in n and kind(n)]
        ours = torch.cat(weights).detach()
        assert float(ours.mean()) == pytest.approx(float(values.mean()), abs=1e-3)
        assert float(ours.std()) == pytest.approx(float(values.std()), rel=0.02)
