"""The fused step as a function against torch's optimiser, bit for bit."""

import torch

from lottery.model.adamw import AdamW
from tests import toys


def test_it_steps_as_torchs_optimiser_does_and_restores() -> None:
    ours, theirs, restored = toys.encoder(), toys.encoder(), toys.encoder()
    adam = AdamW(dict(ours.named_parameters()))
    other = AdamW(dict(restored.named_parameters()))
    oracle = torch.optim.AdamW(theirs.parameters(), lr=1.0, weight_decay=0.0, fused=True)
    tokens = toys.tokens(toys.sentences(6))
    for rate in (1e-3, 5e-4, 1e-4):
        for made in (ours, theirs):
            made.zero_grad()
            made(tokens).square().sum().backward()
        oracle.param_groups[0]["lr"] = rate
        for name, tensor in adam.state.items():
            other.state[name].copy_(tensor)
        adam.step(rate)
        oracle.step()
        restored.zero_grad()
        restored(tokens).square().sum().backward()
        other.step(rate)
        for name, weight in theirs.state_dict().items():
            assert torch.equal(weight, ours.state_dict()[name])
            assert torch.equal(weight, restored.state_dict()[name])
    adam.clear()
    assert all(parameter.grad is None for parameter in ours.parameters())
