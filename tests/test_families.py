"""Every family of encoders computes what transformers computes; gates and removal work in all."""

from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
import torch
from transformers import MPNetConfig, PreTrainedModel
from transformers.models.mpnet.modeling_mpnet import MPNetEncoder

from lottery.attention.maps import maps
from lottery.checkpoint.layout import transformers_name
from lottery.checkpoint.supported import FAMILIES
from lottery.model import position_bias
from lottery.model.encoder import Encoder, Gates
from lottery.model.initial import reinitialise
from lottery.model.parameters import FinetuneParameters
from lottery.model.training import finetune
from lottery.subnetwork import Subnetwork
from lottery.tasks import get_task
from tests import toy_families, toys

families = pytest.mark.parametrize("model_type", FAMILIES)


@pytest.fixture
def pair(model_type: str, tmp_path: Path) -> tuple[Encoder, PreTrainedModel]:
    return toy_families.encoder(model_type, tmp_path / "theirs")


@pytest.fixture
def encoder(pair: tuple[Encoder, PreTrainedModel]) -> Encoder:
    return pair[0]


def subnetwork(seed: int, encoder: Encoder) -> Subnetwork:
    return toys.subnetwork(seed, encoder.config)


def ones(encoder: Encoder, *batch: int) -> Gates:
    return Gates(
        *(torch.ones(*batch, *shape).requires_grad_() for shape in encoder.config.shapes.values())
    )


@families
def test_logits_equal_those_of_transformers(pair: tuple[Encoder, PreTrainedModel]) -> None:
    encoder, oracle = pair
    examples = toy_families.sentences(encoder)
    with torch.inference_mode():
        computed = encoder(toys.tokens(examples))
    expected = toy_families.logits(oracle, examples)
    torch.testing.assert_close(computed, expected, atol=1e-5, rtol=0)
    assert expected.std() > 0.1


@families
def test_gradients_equal_those_of_transformers(pair: tuple[Encoder, PreTrainedModel]) -> None:
    encoder, oracle = pair
    examples, family = toy_families.sentences(encoder, 5), encoder.config.family
    encoder(toys.tokens(examples)).square().sum().backward()
    for row in range(5):
        one = examples.take(np.array([row]))
        inputs = {"input_ids": torch.from_numpy(one.ids_T[None].astype(np.int64))}
        if encoder.config.type_vocab_size:
            inputs["token_type_ids"] = torch.from_numpy(one.types_T[None].astype(np.int64))
        oracle(**inputs).logits.square().sum().backward()
    for name, weight in encoder.named_parameters():
        expected = oracle.get_parameter(transformers_name(name, family)).grad
        if name.startswith(("embeddings.words", "embeddings.positions")):
            continue  # transformers leaves out the row of padding
        torch.testing.assert_close(weight.grad, expected, atol=1e-4, rtol=1e-4, msg=name)


@families
def test_attention_equals_that_of_transformers(pair: tuple[Encoder, PreTrainedModel]) -> None:
    encoder, oracle = pair
    oracle.set_attn_implementation("eager")
    example = toy_families.sentences(encoder, 1)
    ids = torch.from_numpy(example.ids_T[None].astype(np.int64))
    inputs = {"input_ids": ids}
    if encoder.config.type_vocab_size:
        inputs["token_type_ids"] = torch.from_numpy(example.types_T[None].astype(np.int64))
    expected = oracle(**inputs, output_attentions=True).attentions
    for layer, expected_1HNN in zip(maps(encoder, toys.tokens(example)), expected, strict=True):
        torch.testing.assert_close(layer.maps_BHSS["raw"], expected_1HNN, atol=1e-5, rtol=0)


@families
@pytest.mark.parametrize("seed", range(3))
def test_gates_at_zero_equal_removal(encoder: Encoder, seed: int) -> None:
    kept, tokens = subnetwork(seed, encoder), toys.tokens(toy_families.sentences(encoder))
    gates = Gates(*(torch.tensor(kept[part], dtype=torch.float) for part in ("heads", "mlps")))
    with torch.inference_mode():
        small = encoder.extract(kept)
        torch.testing.assert_close(small(tokens), encoder(tokens, gates), atol=1e-5, rtol=0)
        assert small.config.survivors == kept


@families
def test_gate_gradients_of_a_batch_equal_those_of_its_examples(encoder: Encoder) -> None:
    examples = toy_families.sentences(encoder, 6)
    gates = ones(encoder, 6)
    batched = torch.autograd.grad(encoder(toys.tokens(examples), gates)[:, 0].sum(), gates[:2])
    for row in range(6):
        single = ones(encoder)
        one = toys.tokens(examples.take(np.array([row])))
        for part, expected in zip(
            batched, torch.autograd.grad(encoder(one, single)[0, 0], single[:2]), strict=True
        ):
            torch.testing.assert_close(part[row], expected, atol=1e-5, rtol=1e-4)
            assert expected.abs().min() > 0


@families
def test_prunable_are_the_matrices_of_attention_and_mlp(encoder: Encoder) -> None:
    weights = encoder.prunable()
    assert len(weights) == 3 * 6
    assert sum(weight.numel() for weight in weights.values()) == 3 * (4 * 32 * 32 + 2 * 32 * 48)
    assert len(encoder.prunable(biases=True)) == 3 * 11
    nothing = Subnetwork({name: np.zeros(tuple(w.shape), bool) for name, w in weights.items()})
    assert not any(weight.any() for weight in encoder.pruned(nothing).prunable().values())


@families
def test_training_drops_embeddings_of_words_that_do_not_occur_and_nothing_else(
    encoder: Encoder,
) -> None:
    """Positions that count from the padding token's id would be wrong in a smaller vocabulary."""
    examples = toy_families.sentences(encoder, 2)
    recipe = FinetuneParameters(epochs=1, batch=2, learning_rate=1e-9, warmup=0, clip=1)
    for module in encoder.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    task = get_task("mnli")
    with torch.inference_mode():
        logits = encoder(toys.tokens(examples))
    expected = torch.nn.functional.cross_entropy(logits, torch.tensor(examples.labels_N).long())
    [loss] = finetune(encoder, examples, task, recipe, seed=1)
    assert loss == pytest.approx(float(expected), abs=1e-5)


@families
def test_bfloat16_computes_nearly_the_same(encoder: Encoder) -> None:
    tokens = toys.tokens(toy_families.sentences(encoder))
    expected = encoder(tokens).detach()
    for train in (False, True):
        encoder.zero_grad()
        with torch.autocast("cpu", torch.bfloat16), torch.set_grad_enabled(train):
            computed = encoder(tokens)
        assert float((computed.detach() - expected).abs().max()) < 0.2 * float(expected.std())
    computed.float().sum().backward()
    assert all(weight.grad is not None for weight in encoder.parameters())


@families
def test_random_weights_leave_the_classifier(encoder: Encoder) -> None:
    before = encoder.classifier.weight.detach().clone()
    reinitialise(encoder, 1)
    assert torch.equal(encoder.classifier.weight, before)
    assert float(encoder.state_dict()["embeddings.words.weight"].std()) == pytest.approx(
        0.02, rel=0.1
    )
    assert encoder(toys.tokens(toy_families.sentences(encoder))).isfinite().all()


def test_distances_have_the_buckets_of_mpnet() -> None:
    offsets = torch.arange(-700, 701)
    expected = cast(Any, MPNetEncoder).relative_position_bucket(offsets)
    assert torch.equal(position_bias.bucket(offsets), expected)
    assert MPNetConfig().relative_attention_num_buckets == position_bias.BUCKETS
