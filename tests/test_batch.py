"""Batches have few shapes; what fills them up changes neither logits nor gradients."""

import numpy as np
import pytest
import torch

from lottery.model.batch import LONGEST, TOKENS, PackedBatch
from tests import toys


@pytest.mark.parametrize("seed", range(6))
def test_token_counts_are_rounded_up_and_padding_inverts(seed: int) -> None:
    examples = toys.sentences(5 + seed, seed)
    batch = toys.tokens(examples)
    assert len(batch.ids_T) % TOKENS == 0
    assert 0 <= len(batch.ids_T) - len(examples.ids_T) < TOKENS
    assert batch.longest % LONGEST == 0
    rows_THK = torch.randn(len(batch.ids_T), 2, 3)
    assert torch.equal(batch.unpad(batch.pad(rows_THK)), rows_THK)
    assert batch.attention_mask_B11S is not None
    lengths_B = torch.tensor(examples.lengths_N)
    assert torch.equal(batch.attention_mask_B11S.sum((1, 2, 3)), lengths_B)


def test_sentences_of_one_length_need_neither_padding_nor_mask() -> None:
    ids_T, types_T = np.ones(21, np.int32), np.zeros(21, np.int8)
    batch = PackedBatch.pack(ids_T, types_T, np.full(3, 7, np.int32))
    assert batch.attention_mask_B11S is batch.slots_T is None
    assert (len(batch.ids_T), batch.longest) == (21, 7)


def test_padding_changes_no_logit_and_no_gradient(monkeypatch: pytest.MonkeyPatch) -> None:
    examples = toys.sentences(7)
    results = []
    for tokens, longest in ((TOKENS, LONGEST), (1, 1)):
        monkeypatch.setattr("lottery.model.batch.TOKENS", tokens)
        monkeypatch.setattr("lottery.model.batch.LONGEST", longest)
        encoder, batch = toys.encoder(), toys.tokens(examples)
        logits = encoder(batch)
        logits.square().sum().backward()
        results.append([logits, *(weight.grad for weight in encoder.parameters())])
    for rounded, exact in zip(*results, strict=True):
        torch.testing.assert_close(rounded, exact, atol=1e-4, rtol=1e-4)
