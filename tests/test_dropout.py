"""Dropout drops the expected share, keeps the expectation, and passes gradients where it passes entries."""

import pytest
import torch

from lottery.model.dropout import Dropout


@pytest.mark.parametrize("share", [0.1, 0.5, 2**-12])
@pytest.mark.parametrize("precision", [torch.float32, torch.bfloat16])
def test_the_share_and_the_scale_are_those_of_torch(share: float, precision: torch.dtype) -> None:
    torch.manual_seed(0)
    x = torch.ones(1001, 1003, dtype=precision, requires_grad=True)
    dropped = Dropout(share)(x)
    kept = dropped != 0
    deviation = (share * (1 - share) / x.numel()) ** 0.5
    assert float((~kept).double().mean()) == pytest.approx(share, abs=4 * deviation + 2**-17)
    scale = torch.tensor(1 / (1 - share)).to(precision)
    torch.testing.assert_close(dropped[kept], scale.expand(int(kept.sum())), rtol=1e-4, atol=0)
    (gradient,) = torch.autograd.grad(dropped.sum(), x)
    assert torch.equal(gradient, dropped)


def test_entries_are_dropped_independently() -> None:
    """Also the four that one random number decides, and those of successive calls."""
    torch.manual_seed(0)
    dropout, x = Dropout(0.3), torch.ones(2**20)
    first, second = ((dropout(x) == 0).double() for _ in range(2))
    for other in (second, *(first.roll(shift) for shift in range(1, 9))):
        assert float((first * other).mean()) == pytest.approx(
            0.09, abs=4 * (0.09 / x.numel()) ** 0.5
        )


def test_nothing_is_dropped_in_evaluation_or_with_probability_0_and_all_with_1() -> None:
    x = torch.randn(5)
    assert not Dropout(1.0)(x).any()
    assert Dropout(0.5).eval()(x) is x
    assert torch.equal(Dropout(0.0)(x), x)


def test_the_seed_decides_what_is_dropped_whatever_the_number_of_threads() -> None:
    x = torch.ones(10**6)

    def drawn(threads: int) -> torch.Tensor:
        torch.manual_seed(3)
        torch.set_num_threads(threads)
        dropped: torch.Tensor = Dropout(0.1)(x)
        return dropped

    try:
        assert torch.equal(drawn(1), drawn(2))
    finally:
        torch.set_num_threads(1)
