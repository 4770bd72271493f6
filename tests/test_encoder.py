"""The encoder equals transformers', gates equal zeroed weights, removal equals gates."""

from pathlib import Path
from typing import cast

import numpy as np
import pytest
import torch
from torch.nn import functional as F
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
    """The batch as padded input of transformers."""
    shape = (len(examples), int(examples.lengths_N.max()))
    mask = torch.arange(shape[1]) < torch.tensor(examples.lengths_N)[:, None]
    ids, types = torch.zeros(shape, dtype=torch.long), torch.zeros(shape, dtype=torch.long)
    ids[mask] = torch.tensor(examples.ids_T, dtype=torch.long)
    types[mask] = torch.tensor(examples.types_T, dtype=torch.long)
    return {"input_ids": ids, "token_type_ids": types, "attention_mask": mask.long()}


@pytest.fixture
def encoder_and_bert(tmp_path: Path) -> tuple[Encoder, BertForSequenceClassification]:
    encoder = toys.encoder(seed=1, classes=3)
    checkpoint.save(encoder, tmp_path)
    bert: BertForSequenceClassification = BertForSequenceClassification.from_pretrained(tmp_path)
    return encoder, cast(BertForSequenceClassification, bert.train(False))


def test_logits_equal_transformers(
    encoder_and_bert: tuple[Encoder, BertForSequenceClassification],
) -> None:
    encoder, bert = encoder_and_bert
    examples = toys.sentences(9)
    with torch.no_grad():
        expected = bert(**padded(examples)).logits
        torch.testing.assert_close(encoder(toys.tokens(examples)), expected, atol=1e-5, rtol=0)


def test_weight_gradients_equal_transformers(
    encoder_and_bert: tuple[Encoder, BertForSequenceClassification],
) -> None:
    encoder, bert = encoder_and_bert
    examples = toys.sentences(9)
    encoder(toys.tokens(examples)).square().sum().backward()
    bert(**padded(examples)).logits.square().sum().backward()
    gradient = encoder.get_parameter("layers.0.attention.query.weight").grad
    expected = bert.get_parameter("bert.encoder.layer.0.attention.self.query.weight").grad
    torch.testing.assert_close(gradient, expected, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize(("precision", "tolerance"), [(torch.float, 1e-5), (torch.bfloat16, 0.03)])
def test_attention_in_training_equals_torch_but_for_dropout(
    precision: torch.dtype, tolerance: float
) -> None:
    """Outputs and gradients, with dropout of a probability that drops nothing."""
    attention, tokens = toys.encoder().typed_layers[0].attention, toys.tokens(toys.sentences(9))
    attention.train().dropout.p = 1e-9
    torch.manual_seed(0)
    upstream, *inputs = torch.randn(4, 9, 4, tokens.longest, 8, dtype=precision).unbind()
    query, key, value = (part.requires_grad_() for part in inputs)
    mask = tokens.attention_mask_B11S
    results = [
        (context, *torch.autograd.grad(context, (query, key, value), upstream))
        for context in (
            attention._context(query, key, value, mask),
            F.scaled_dot_product_attention(query, key, value, mask),
        )
    ]
    for ours, theirs in zip(*results, strict=True):
        torch.testing.assert_close(ours, theirs, atol=tolerance, rtol=tolerance)


def test_logits_do_not_depend_on_the_batch() -> None:
    encoder, examples = toys.encoder(), toys.sentences(7)
    with torch.no_grad():
        batched = encoder(toys.tokens(examples))
        single = [encoder(toys.tokens(examples.take(np.array([row])))) for row in range(7)]
    torch.testing.assert_close(batched, torch.cat(single), atol=1e-5, rtol=0)


@pytest.mark.parametrize("seed", range(4))
def test_gates_at_zero_equal_zeroed_weights(seed: int) -> None:
    encoder, kept = toys.encoder(seed), toys.subnetwork(seed)
    zeroed, size = toys.encoder(seed), encoder.config.head_size
    with torch.no_grad():
        for index, heads in enumerate(kept["heads"]):
            output = layer(zeroed, index).attention.output.weight
            for head in np.flatnonzero(~heads):
                output[:, head * size : (head + 1) * size] = 0
            if not kept["mlps"][index]:
                zeroed.get_parameter(f"layers.{index}.mlp.contract.weight").zero_()
                zeroed.get_parameter(f"layers.{index}.mlp.contract.bias").zero_()
        tokens = toys.tokens(toys.sentences(5))
        torch.testing.assert_close(encoder(tokens, gates(kept)), zeroed(tokens), atol=1e-6, rtol=0)


@pytest.mark.parametrize("seed", range(4))
def test_gates_at_zero_equal_removal(seed: int) -> None:
    encoder, kept = toys.encoder(seed), toys.subnetwork(seed)
    small, tokens = encoder.extract(kept), toys.tokens(toys.sentences(5))
    with torch.no_grad():
        torch.testing.assert_close(small(tokens), encoder(tokens, gates(kept)), atol=1e-5, rtol=0)
    assert small.config.survivors == kept
    assert size(small) < size(encoder)


def size(encoder: Encoder) -> int:
    return sum(weight.numel() for weight in encoder.parameters())


def test_removal_in_two_steps_equals_one() -> None:
    encoder, first = toys.encoder(), toys.subnetwork(1)
    second, tokens = first & toys.subnetwork(2), toys.tokens(toys.sentences(5))
    with torch.no_grad():
        one_step, two_steps = encoder.extract(second), encoder.extract(first).extract(second)
        assert torch.equal(one_step(tokens), two_steps(tokens))


def test_removed_parts_cannot_be_extracted() -> None:
    first = toys.subnetwork(1)
    pruned = toys.encoder().extract(first & toys.subnetwork(2))
    with pytest.raises(ValueError, match="no longer has"):
        pruned.extract(first)


def test_an_encoder_without_heads_and_mlps_predicts() -> None:
    encoder = toys.encoder()
    nothing = ~Subnetwork.full(encoder.config.shapes)
    logits = encoder.extract(nothing)(toys.tokens(toys.sentences(5)))
    assert logits.shape == (5, 2)
    assert torch.isfinite(logits).all()


def test_pruning_shares_whole_tensors_and_changes_none() -> None:
    encoder = toys.encoder()
    before = {name: weight.clone() for name, weight in encoder.state_dict().items()}
    small = encoder.extract(toys.subnetwork(0))
    assert small.classifier.weight.data_ptr() == encoder.classifier.weight.data_ptr()
    weights = Subnetwork({"layers.0.mlp.expand.weight": np.zeros((48, 32), bool)})
    assert not encoder.pruned(weights).get_parameter("layers.0.mlp.expand.weight").any()
    assert all(torch.equal(before[name], weight) for name, weight in encoder.state_dict().items())


def test_prunable_are_the_matrices_of_attention_and_mlp() -> None:
    names = toys.encoder().prunable()
    assert len(names) == 3 * 6
    assert sum(w.numel() for w in names.values()) == 3 * (4 * 32 * 32 + 2 * 32 * 48)
    with_biases = toys.encoder().prunable(biases=True)
    assert len(with_biases) == 3 * 11
    assert not any("contract.bias" in name or "norm" in name for name in with_biases)
