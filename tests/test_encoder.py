"""The encoder against transformers', gates against zeroed weights, removal against gates."""

from pathlib import Path
from typing import cast

import numpy as np
import pytest
import torch
from transformers import BertForSequenceClassification

from lottery.data.examples import Examples
from lottery.model import checkpoint
from lottery.model.encoder import Encoder, Gates, Layer
from lottery.subnetwork import Subnetwork
from tests import toys


def layer(encoder: Encoder, index: int) -> Layer:
    return cast(Layer, encoder.layers[index])


def gates(subnetwork: Subnetwork) -> Gates:
    return Gates(*(torch.tensor(subnetwork[part], dtype=torch.float) for part in ("heads", "mlps")))


def padded(examples: Examples) -> dict[str, torch.Tensor]:
    """The batch as transformers wants it."""
    shape = (len(examples), int(examples.lengths_N.max()))
    mask = torch.arange(shape[1]) < torch.tensor(examples.lengths_N)[:, None]
    ids, types = torch.zeros(shape, dtype=torch.long), torch.zeros(shape, dtype=torch.long)
    ids[mask] = torch.tensor(examples.ids_T, dtype=torch.long)
    types[mask] = torch.tensor(examples.types_T, dtype=torch.long)
    return {"input_ids": ids, "token_type_ids": types, "attention_mask": mask.long()}


@pytest.fixture
def oracle(tmp_path: Path) -> tuple[Encoder, BertForSequenceClassification]:
    ours = toys.encoder(seed=1, classes=3)
    checkpoint.save(ours, tmp_path)
    theirs: BertForSequenceClassification = BertForSequenceClassification.from_pretrained(tmp_path)
    return ours, cast(BertForSequenceClassification, theirs.train(False))


def test_logits_equal_those_of_transformers(
    oracle: tuple[Encoder, BertForSequenceClassification],
) -> None:
    ours, theirs = oracle
    examples = toys.sentences(9)
    with torch.no_grad():
        expected = theirs(**padded(examples)).logits
        torch.testing.assert_close(ours(toys.tokens(examples)), expected, atol=1e-5, rtol=0)


def test_weight_gradients_equal_those_of_transformers(
    oracle: tuple[Encoder, BertForSequenceClassification],
) -> None:
    ours, theirs = oracle
    examples = toys.sentences(9)
    ours(toys.tokens(examples)).square().sum().backward()
    theirs(**padded(examples)).logits.square().sum().backward()
    expected = theirs.get_parameter("bert.encoder.layer.0.attention.self.query.weight").grad
    found = ours.get_parameter("layers.0.attention.query.weight").grad
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-4)


def test_a_batch_does_not_change_its_sentences() -> None:
    ours, examples = toys.encoder(), toys.sentences(7)
    with torch.no_grad():
        together = ours(toys.tokens(examples))
        alone = [ours(toys.tokens(examples.take(np.array([row])))) for row in range(7)]
    torch.testing.assert_close(together, torch.cat(alone), atol=1e-5, rtol=0)


@pytest.mark.parametrize("seed", range(4))
def test_gates_at_zero_equal_zeroed_weights(seed: int) -> None:
    ours, kept = toys.encoder(seed), toys.subnetwork(seed)
    zeroed, size = toys.encoder(seed), ours.config.head_size
    with torch.no_grad():
        for index, heads in enumerate(kept["heads"]):
            output = layer(zeroed, index).attention.output.weight
            for head in np.flatnonzero(~heads):
                output[:, head * size : (head + 1) * size] = 0
            if not kept["mlps"][index]:
                zeroed.get_parameter(f"layers.{index}.mlp.contract.weight").zero_()
                zeroed.get_parameter(f"layers.{index}.mlp.contract.bias").zero_()
        tokens = toys.tokens(toys.sentences(5))
        torch.testing.assert_close(ours(tokens, gates(kept)), zeroed(tokens), atol=1e-6, rtol=0)


@pytest.mark.parametrize("seed", range(4))
def test_gates_at_zero_equal_removal(seed: int) -> None:
    ours, kept = toys.encoder(seed), toys.subnetwork(seed)
    small, tokens = ours.extract(kept), toys.tokens(toys.sentences(5))
    with torch.no_grad():
        torch.testing.assert_close(small(tokens), ours(tokens, gates(kept)), atol=1e-5, rtol=0)
    assert small.config.survivors == kept
    assert sum(w.numel() for w in small.parameters()) < sum(w.numel() for w in ours.parameters())


def test_removal_in_two_steps_equals_one() -> None:
    ours, first = toys.encoder(), toys.subnetwork(1)
    second, tokens = first & toys.subnetwork(2), toys.tokens(toys.sentences(5))
    with torch.no_grad():
        at_once, in_turn = ours.extract(second), ours.extract(first).extract(second)
        assert torch.equal(at_once(tokens), in_turn(tokens))
    with pytest.raises(ValueError, match="has lost"):
        ours.extract(second).extract(first)


def test_nothing_left_still_answers() -> None:
    ours = toys.encoder()
    nothing = ~Subnetwork.full(ours.config.shapes)
    logits = ours.extract(nothing)(toys.tokens(toys.sentences(5)))
    assert logits.shape == (5, 2)
    assert torch.isfinite(logits).all()


def test_cutting_leaves_the_original_alone() -> None:
    ours = toys.encoder()
    before = {name: weight.clone() for name, weight in ours.state_dict().items()}
    small = ours.extract(toys.subnetwork(0))
    assert small.classifier.weight.data_ptr() == ours.classifier.weight.data_ptr()
    weights = Subnetwork({"layers.0.mlp.expand.weight": np.zeros((48, 32), bool)})
    assert not ours.cut(weights).get_parameter("layers.0.mlp.expand.weight").any()
    assert all(torch.equal(before[name], weight) for name, weight in ours.state_dict().items())


def test_prunable_are_the_matrices_of_attention_and_mlp() -> None:
    names = toys.encoder().prunable()
    assert len(names) == 3 * 6
    assert sum(w.numel() for w in names.values()) == 3 * (4 * 32 * 32 + 2 * 32 * 48)
    with_biases = toys.encoder().prunable(biases=True)
    assert len(with_biases) == 3 * 11
    assert not any("contract.bias" in name or "norm" in name for name in with_biases)
