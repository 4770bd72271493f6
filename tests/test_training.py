"""Training learns, is deterministic, resumes to the same bits, and keeps masked weights at exactly 0."""

from pathlib import Path

import pytest
import torch
from msgspec.structs import replace

from lottery.model.encoder import Encoder
from lottery.model.evaluation import predict
from lottery.model.parameters import FinetuneParameters
from lottery.model.training import _learning_rates, finetune
from lottery.predictions import measure
from lottery.runtime.resume import Journal
from lottery.subnetwork import Subnetwork
from lottery.tasks import get_task
from lottery.tickets.magnitude import MagnitudeRanking
from tests import toys

RTE = get_task("rte")
RECIPE = FinetuneParameters(epochs=2, batch=4, learning_rate=1e-3, warmup=0.1, clip=1.0)


def trained(seed: int = 5, mask: Subnetwork | None = None, epochs: int = 2) -> Encoder:
    encoder = toys.encoder()
    finetune(encoder, toys.sentences(24), RTE, replace(RECIPE, epochs=epochs), seed, mask)
    return encoder


def test_training_fits_its_examples() -> None:
    encoder, examples = toys.encoder(), toys.sentences(24)
    losses = finetune(encoder, examples, RTE, replace(RECIPE, epochs=40, learning_rate=3e-3), 1)
    assert losses[-1] < 0.5 * losses[0]
    assert measure(RTE, "dev", predict(encoder, examples), examples.labels_N)["accuracy"] > 0.9


def test_the_seed_decides_every_bit_and_the_global_random_state_is_restored() -> None:
    before = torch.random.get_rng_state()
    first, repeat, other = trained(5), trained(5), trained(6)
    assert torch.equal(before, torch.random.get_rng_state())
    for name, weight in first.state_dict().items():
        assert torch.equal(weight, repeat.state_dict()[name])
    assert not torch.equal(first.classifier.weight, other.classifier.weight)


def test_masked_weights_stay_exactly_zero_and_the_others_change() -> None:
    weights = toys.encoder().prunable()
    ranking = MagnitudeRanking({name: weight.detach().numpy() for name, weight in weights.items()})
    half = sum(weight.numel() for weight in weights.values()) // 2
    mask = Subnetwork((name, ~lowest) for name, lowest in ranking.lowest(half))
    encoder = trained(mask=mask)
    for name, kept in mask.items():
        weight = encoder.get_parameter(name).detach().numpy()
        assert not weight[~kept].any()
        assert (weight[kept] != weights[name].detach().numpy()[kept]).mean() > 0.9


def test_training_in_the_narrowed_vocabulary_equals_training_the_whole_table() -> None:
    """One step equals that of torch's AdamW over all embeddings, up to the order of a sum."""
    examples, encoder, plain = toys.sentences(24), toys.encoder(), toys.encoder()
    recipe = replace(RECIPE, epochs=1, batch=24, warmup=0.0)
    for module in (*encoder.modules(), *plain.modules()):
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    finetune(encoder, examples, RTE, recipe, 1)
    optimiser = torch.optim.AdamW(plain.parameters(), lr=1e-3, weight_decay=0.0)
    labels = torch.tensor(examples.labels_N).long()
    torch.nn.functional.cross_entropy(plain(toys.tokens(examples)), labels).backward()
    torch.nn.utils.clip_grad_norm_(plain.parameters(), 1.0)
    optimiser.step()
    for name, weight in plain.state_dict().items():
        if name.endswith("key.bias"):
            continue  # its gradient is 0 but for rounding, and Adam's first step is a sign
        torch.testing.assert_close(encoder.state_dict()[name], weight, atol=2e-5, rtol=0)


def test_the_learning_rate_rises_then_falls_to_zero() -> None:
    rates = _learning_rates(RECIPE, 20)
    assert rates[:3] == pytest.approx([0.5e-3, 1e-3, 1e-3])
    assert rates[2:] == sorted(rates[2:], reverse=True)
    assert 0 < rates[-1] < 1e-4
    assert _learning_rates(replace(RECIPE, learning_rate=1.0, warmup=0.0), 4) == [
        1,
        0.75,
        0.5,
        0.25,
    ]


def test_a_training_resumes_from_its_last_epoch_to_the_same_bits(tmp_path: Path) -> None:
    journal, recipe = Journal(tmp_path, patience=0), replace(RECIPE, epochs=3)
    examples, uninterrupted, resumed = toys.sentences(24), toys.encoder(), toys.encoder()
    losses = finetune(uninterrupted, examples, RTE, recipe, 1)

    def interrupt(done: int, total: int) -> None:
        if done > total // 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        finetune(toys.encoder(), examples, RTE, recipe, 1, progress=interrupt, journal=journal)
    steps: list[int] = []

    def count(done: int, total: int) -> None:
        steps.append(done)

    assert finetune(resumed, examples, RTE, recipe, 1, progress=count, journal=journal) == losses
    assert steps == list(range(7, 19))
    for name, weight in uninterrupted.state_dict().items():
        assert torch.equal(weight, resumed.state_dict()[name])


def test_progress_counts_every_step() -> None:
    steps: list[tuple[int, int]] = []
    examples = toys.sentences(10)
    finetune(toys.encoder(), examples, RTE, RECIPE, 1, progress=lambda *step: steps.append(step))
    assert steps == [(done, 6) for done in range(1, 7)]
