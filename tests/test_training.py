"""Training learns, repeats itself, and keeps what is masked at exactly 0."""

from pathlib import Path

import pytest
import torch
from msgspec.structs import replace

from lottery.model.encoder import Attention, Encoder
from lottery.model.evaluation import measure, predict
from lottery.model.parameters import FinetuneParameters
from lottery.model.training import _rates, finetune
from lottery.runtime.resume import Journal
from lottery.subnetwork import Subnetwork
from lottery.tasks import get_task
from lottery.tickets.magnitude import MagnitudeRanking
from tests import toys

RTE = get_task("rte")
RECIPE = FinetuneParameters(epochs=2, batch=4, learning_rate=1e-3, warmup=0.1, clip=1.0)


def trained(seed: int = 5, mask: Subnetwork | None = None, epochs: int = 2) -> Encoder:
    made = toys.encoder()
    recipe = FinetuneParameters(epochs=epochs, batch=4, learning_rate=1e-3, warmup=0.1, clip=1.0)
    finetune(made, toys.sentences(24), RTE, recipe, seed, mask)
    return made


def test_training_lowers_the_loss_until_the_data_is_known() -> None:
    made, examples = toys.encoder(), toys.sentences(24)
    recipe = FinetuneParameters(epochs=40, batch=4, learning_rate=3e-3, warmup=0.1, clip=1.0)
    losses = finetune(made, examples, RTE, recipe, 1)
    assert losses[-1] < 0.5 * losses[0]
    assert measure(RTE, predict(made, examples), examples)["accuracy"] > 0.9


def test_the_seed_decides_every_bit_and_the_global_stream_stays() -> None:
    one, same, other = trained(5), trained(5), trained(6)
    before = torch.random.get_rng_state()
    finetune(one, toys.sentences(24), RTE, RECIPE, 5)
    assert torch.equal(before, torch.random.get_rng_state())
    finetune(same, toys.sentences(24), RTE, RECIPE, 5)
    for name, weight in one.state_dict().items():
        assert torch.equal(weight, same.state_dict()[name])
    assert not torch.equal(one.classifier.weight, other.classifier.weight)


def test_masked_weights_stay_exactly_zero_and_the_others_move() -> None:
    weights = toys.encoder().prunable()
    ranking = MagnitudeRanking({name: weight.detach().numpy() for name, weight in weights.items()})
    half = sum(weight.numel() for weight in weights.values()) // 2
    mask = Subnetwork((name, ~lowest) for name, lowest in ranking.lowest(half))
    made = trained(mask=mask)
    for name, kept in mask.items():
        found = made.get_parameter(name).detach().numpy()
        assert not found[~kept].any()
        assert (found[kept] != weights[name].detach().numpy()[kept]).mean() > 0.9


def test_words_that_never_occur_keep_their_embedding_as_in_plain_training() -> None:
    """The narrowed vocabulary against AdamW over the whole table, up to the order of a sum."""
    examples, made, plain = toys.sentences(24), toys.encoder(), toys.encoder()
    recipe = FinetuneParameters(epochs=1, batch=24, learning_rate=1e-3, warmup=0.0, clip=1.0)
    for each in (made, plain):
        for part in each.modules():
            if isinstance(part, torch.nn.Dropout):
                part.p = 0.0
            if isinstance(part, Attention):
                part.dropout = 0.0
    finetune(made, examples, RTE, recipe, 1)
    optimiser = torch.optim.AdamW(plain.parameters(), lr=1e-3, weight_decay=0.0)
    labels = torch.tensor(examples.labels_N).long()
    torch.nn.functional.cross_entropy(plain(toys.tokens(examples)), labels).backward()
    torch.nn.utils.clip_grad_norm_(plain.parameters(), 1.0)
    optimiser.step()
    for name, weight in plain.state_dict().items():
        if name.endswith("key.bias"):
            continue  # its gradient is 0 but for rounding, and Adam's first step is a sign
        torch.testing.assert_close(made.state_dict()[name], weight, atol=2e-5, rtol=0)


def test_the_rate_rises_then_falls_to_zero() -> None:
    rates = _rates(RECIPE, 20)
    assert rates[:3] == pytest.approx([0.5e-3, 1e-3, 1e-3])
    assert rates[2:] == sorted(rates[2:], reverse=True)
    assert 0 < rates[-1] < 1e-4
    plain = FinetuneParameters(epochs=1, batch=4, learning_rate=1.0, warmup=0.0, clip=1.0)
    assert _rates(plain, 4) == [1, 0.75, 0.5, 0.25]


def test_a_training_goes_on_from_its_last_epoch_to_the_same_bits(tmp_path: Path) -> None:
    journal, recipe = Journal(tmp_path, patience=0), replace(RECIPE, epochs=3)
    whole, made, again = toys.encoder(), toys.encoder(), toys.encoder()
    examples = toys.sentences(24)
    losses = finetune(whole, examples, RTE, recipe, 1)

    def stopped(done: int, total: int) -> None:
        if done > total // 2:
            raise KeyboardInterrupt

    told: list[int] = []
    with pytest.raises(KeyboardInterrupt):
        finetune(made, examples, RTE, recipe, 1, progress=stopped, journal=journal)
    assert (
        finetune(
            again,
            examples,
            RTE,
            recipe,
            1,
            progress=lambda *at: told.append(at[0]),
            journal=journal,
        )
        == losses
    )
    assert told == list(range(7, 19))
    for name, weight in whole.state_dict().items():
        assert torch.equal(weight, again.state_dict()[name])


def test_progress_counts_every_step() -> None:
    told: list[tuple[int, int]] = []
    finetune(
        toys.encoder(), toys.sentences(10), RTE, RECIPE, 1, progress=lambda *at: told.append(at)
    )
    assert told == [(done, 6) for done in range(1, 7)]
