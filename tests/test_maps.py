"""Attention maps: against transformers', against the layer's own output, and without a trace of padding."""

from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import BertModel

from lottery.attention.maps import Maps, maps, transformed_values_BHSD, weights_BHSS
from lottery.data.examples import Examples
from lottery.model import checkpoint
from lottery.model.encoder import Encoder
from tests import toys

SENTENCES = toys.sentences(7)


def seen(encoder: Encoder, examples: Examples) -> list[Maps]:
    return list(maps(encoder, toys.tokens(examples)))


@pytest.fixture(params=["whole", "pruned"])
def encoder(request: pytest.FixtureRequest) -> Encoder:
    whole = toys.encoder()
    return whole if request.param == "whole" else whole.extract(toys.subnetwork(1))


def test_raw_maps_equal_the_attentions_of_transformers(tmp_path: Path) -> None:
    ours = toys.encoder(seed=1)
    checkpoint.save(ours, tmp_path)
    theirs = BertModel.from_pretrained(tmp_path, attn_implementation="eager").train(False)
    found = seen(ours, SENTENCES)
    for at, length in enumerate(SENTENCES.lengths_N):
        alone = SENTENCES.take(np.array([at]))
        ids, types = (torch.tensor(each, dtype=torch.long)[None] for each in (alone.ids_T, alone.types_T))  # fmt: skip
        with torch.no_grad():
            expected = theirs(ids, token_type_ids=types, output_attentions=True).attentions
        for layer, wanted in zip(found, expected, strict=True):
            torch.testing.assert_close(layer.of(at, length)["raw"], wanted[0], atol=1e-5, rtol=0)


def test_what_heads_hand_over_sums_to_the_attention_output(encoder: Encoder) -> None:
    tokens = toys.tokens(SENTENCES)
    with torch.no_grad():
        x_TD = encoder.embeddings(tokens)
        for layer in encoder.typed_layers:
            attention = layer.attention
            if attention.heads:
                alpha = weights_BHSS(attention, x_TD, tokens)
                summed = (alpha @ transformed_values_BHSD(attention, x_TD, tokens)).sum(
                    dim=1, keepdim=True
                )
                found = tokens.packed_THK(summed).squeeze(1) + attention.output.bias
                output = attention(x_TD, x_TD, tokens, None)
                torch.testing.assert_close(found, output, atol=1e-5, rtol=0)
            x_TD = layer(x_TD, tokens, None, first_only=False)


def test_normed_maps_are_the_lengths_of_what_is_handed_over() -> None:
    encoder, tokens = toys.encoder(), toys.tokens(SENTENCES)
    with torch.no_grad():
        x_TD = encoder.embeddings(tokens)
        attention = encoder.typed_layers[0].attention
        alpha = weights_BHSS(attention, x_TD, tokens)
        handed = transformed_values_BHSD(attention, x_TD, tokens)
        expected = (alpha.unsqueeze(-1) * handed.unsqueeze(2)).norm(dim=-1)
    torch.testing.assert_close(seen(encoder, SENTENCES)[0].maps_BHSS["normed"], expected)


def test_a_sentence_has_the_same_maps_alone_and_in_a_batch(encoder: Encoder) -> None:
    together = seen(encoder, SENTENCES)
    for at, length in enumerate(SENTENCES.lengths_N):
        alone = seen(encoder, SENTENCES.take(np.array([at])))
        for one, many in zip(alone, together, strict=True):
            for name, found in many.of(at, length).items():
                torch.testing.assert_close(found, one.of(0, length)[name], atol=1e-5, rtol=0)


def test_a_layer_without_heads_has_no_maps() -> None:
    subnetwork = toys.subnetwork(1)
    found = seen(toys.encoder().extract(subnetwork), SENTENCES)
    held = {layer.layer: list(layer.heads) for layer in found}
    kept = {at: np.flatnonzero(row).tolist() for at, row in enumerate(subnetwork["heads"])}
    assert held == {at: heads for at, heads in kept.items() if heads}
    assert len(held) < len(kept)
