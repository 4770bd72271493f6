"""Attention maps equal transformers', add up to the layer's output, and do not depend on padding."""

from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import BertModel

from lottery.attention.maps import LayerMaps, maps, transformed_values_BHSD, weights_BHSS
from lottery.data.examples import Examples
from lottery.model import checkpoint
from lottery.model.encoder import Encoder
from tests import toys

SENTENCES = toys.sentences(7)


def all_maps(encoder: Encoder, examples: Examples) -> list[LayerMaps]:
    return list(maps(encoder, toys.tokens(examples)))


@pytest.fixture(params=["unpruned", "pruned"])
def encoder(request: pytest.FixtureRequest) -> Encoder:
    unpruned = toys.encoder()
    return unpruned if request.param == "unpruned" else unpruned.extract(toys.subnetwork(1))


def test_raw_maps_equal_transformers(tmp_path: Path) -> None:
    encoder = toys.encoder(seed=1)
    checkpoint.save(encoder, tmp_path)
    bert = BertModel.from_pretrained(tmp_path, attn_implementation="eager").train(False)
    layers = all_maps(encoder, SENTENCES)
    for index, length in enumerate(SENTENCES.lengths_N):
        sentence = SENTENCES.take(np.array([index]))
        ids = torch.tensor(sentence.ids_T, dtype=torch.long)[None]
        types = torch.tensor(sentence.types_T, dtype=torch.long)[None]
        with torch.no_grad():
            expected = bert(ids, token_type_ids=types, output_attentions=True).attentions
        for layer, expected_1HNN in zip(layers, expected, strict=True):
            raw_HNN = layer.of_sentence(index, length)["raw"]
            torch.testing.assert_close(raw_HNN, expected_1HNN[0], atol=1e-5, rtol=0)


def test_weighted_transformed_values_sum_to_the_attention_output(encoder: Encoder) -> None:
    tokens = toys.tokens(SENTENCES)
    with torch.no_grad():
        x_TD = encoder.embeddings(tokens)
        for layer in encoder.typed_layers:
            attention = layer.attention
            if attention.heads:
                alpha = weights_BHSS(attention, x_TD, tokens)
                values = transformed_values_BHSD(attention, x_TD, tokens)
                summed = tokens.unpad((alpha @ values).sum(dim=1, keepdim=True)).squeeze(1)
                output = attention(x_TD, x_TD, tokens, None, cls_only=False)
                torch.testing.assert_close(
                    summed + attention.output.bias, output, atol=1e-5, rtol=0
                )
            x_TD = layer(x_TD, tokens, cls_only=False)


def test_normed_maps_are_norms_of_weighted_transformed_values() -> None:
    encoder, tokens = toys.encoder(), toys.tokens(SENTENCES)
    with torch.no_grad():
        x_TD = encoder.embeddings(tokens)
        attention = encoder.typed_layers[0].attention
        alpha = weights_BHSS(attention, x_TD, tokens)
        values = transformed_values_BHSD(attention, x_TD, tokens)
        expected = (alpha.unsqueeze(-1) * values.unsqueeze(2)).norm(dim=-1)
    torch.testing.assert_close(all_maps(encoder, SENTENCES)[0].maps_BHSS["normed"], expected)


def test_maps_do_not_depend_on_the_batch(encoder: Encoder) -> None:
    batched = all_maps(encoder, SENTENCES)
    for index, length in enumerate(SENTENCES.lengths_N):
        single = all_maps(encoder, SENTENCES.take(np.array([index])))
        for single_layer, layer in zip(single, batched, strict=True):
            expected = single_layer.of_sentence(0, length)
            for weighting, map_HNN in layer.of_sentence(index, length).items():
                torch.testing.assert_close(map_HNN, expected[weighting], atol=1e-5, rtol=0)


def test_a_layer_without_heads_has_no_maps() -> None:
    subnetwork = toys.subnetwork(1)
    layers = all_maps(toys.encoder().extract(subnetwork), SENTENCES)
    mapped = {layer.layer: list(layer.heads) for layer in layers}
    kept = {index: np.flatnonzero(row).tolist() for index, row in enumerate(subnetwork["heads"])}
    assert mapped == {index: heads for index, heads in kept.items() if heads}
    assert len(mapped) < len(kept)
