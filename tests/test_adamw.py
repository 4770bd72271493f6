"""AdamW equals torch's optimiser, bit for bit, also from a restored state."""

import pytest
import torch

from lottery.model.adamw import AdamW
from tests import toys


def test_steps_equal_torch_also_from_a_restored_state() -> None:
    encoder, reference, restored = toys.encoder(), toys.encoder(), toys.encoder()
    optimiser = AdamW(dict(encoder.named_parameters()))
    restored_optimiser = AdamW(dict(restored.named_parameters()))
    oracle = torch.optim.AdamW(reference.parameters(), lr=1.0, weight_decay=0.0, fused=True)
    tokens = toys.tokens(toys.sentences(6))
    for learning_rate in (1e-3, 5e-4, 1e-4):
        for name, tensor in optimiser.state.items():
            restored_optimiser.state[name].copy_(tensor)
        for model in (encoder, reference, restored):
            model.zero_grad()
            model(tokens).square().sum().backward()
        oracle.param_groups[0]["lr"] = learning_rate
        oracle.step()
        optimiser.step(learning_rate)
        restored_optimiser.step(learning_rate)
        for name, weight in reference.state_dict().items():
            assert torch.equal(weight, encoder.state_dict()[name])
            assert torch.equal(weight, restored.state_dict()[name])
    optimiser.zero_grad()
    assert all(parameter.grad is None for parameter in encoder.parameters())


@pytest.mark.parametrize("clip", [0.01, 1.0, 1e6])
def test_clipping_equals_torch(clip: float) -> None:
    encoder, reference = toys.encoder(), toys.encoder()
    for model in (encoder, reference):
        model(toys.tokens(toys.sentences(6))).square().sum().backward()
    AdamW(dict(encoder.named_parameters())).step(1.0, clip)
    norm = torch.nn.utils.clip_grad_norm_(reference.parameters(), clip)
    assert 1 < norm < 1e6
    for ours, theirs in zip(encoder.parameters(), reference.parameters(), strict=True):
        torch.testing.assert_close(ours.grad, theirs.grad, rtol=1e-6, atol=0)
