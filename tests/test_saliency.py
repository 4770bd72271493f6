"""Saliencies equal a plain computation: autograd example by example, torch's own pruning, sums over units."""

from collections.abc import Iterator, Mapping
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.utils import prune as torch_prune

from lottery.errors import UserError
from lottery.model.encoder import Encoder
from lottery.model.evaluation import predict
from lottery.model.loss import total_loss
from lottery.runtime.resume import Journal
from lottery.subnetwork import Subnetwork
from lottery.tasks import get_task
from lottery.tickets.magnitude import Magnitude
from lottery.tickets.parameters import ImportanceParameters, MagnitudeParameters, PruneParameters
from lottery.tickets.saliencies import OF_WEIGHTS, SALIENCIES, get_saliency
from lottery.tickets.saliency.weights import WeightSaliency
from lottery.tickets.search import Step, search
from lottery.tickets.structured import Structured
from tests import toys

RTE = get_task("rte")
EXAMPLES = toys.sentences(9, 1)
SINGLE = [EXAMPLES.take(np.array([row])) for row in range(len(EXAMPLES))]
RULE = PruneParameters(rate=0.3, threshold=0.9, floor=None, data="select", entry="fresh", curve=1)
every_saliency = pytest.mark.parametrize("name", SALIENCIES)
every_weight_saliency = pytest.mark.parametrize("name", OF_WEIGHTS)


def ranked(name: str, encoder: Encoder, biases: bool = True) -> WeightSaliency:
    return OF_WEIGHTS[name]()(encoder, EXAMPLES, RTE, [*encoder.prunable(biases)])


def weights(encoder: Encoder) -> dict[str, np.ndarray]:
    return {name: weight.detach().numpy() for name, weight in encoder.prunable(biases=True).items()}


def gradients(encoder: Encoder) -> Iterator[dict[str, np.ndarray]]:
    """Gradients of each example's loss at the weights, from one backward pass per example."""
    parameters = encoder.prunable(biases=True)
    for example in SINGLE:
        loss = total_loss(RTE, encoder(toys.tokens(example)), torch.tensor(example.labels_N))
        of_example = torch.autograd.grad(loss, [*parameters.values()])
        yield {name: array.numpy() for name, array in zip(parameters, of_example, strict=True)}


def assert_equal(saliency: WeightSaliency, expected: Mapping[str, np.ndarray]) -> None:
    assert saliency.weights.keys() == expected.keys()
    tolerance = 1e-6 * max(np.abs(values).max() for values in expected.values())
    for name, values in expected.items():
        np.testing.assert_allclose(saliency.weights[name], values, 1e-3, tolerance, err_msg=name)


def test_taylor_is_the_product_of_weight_and_gradient_of_the_mean_loss() -> None:
    encoder = toys.encoder(3)
    by_example = [*gradients(encoder)]
    expected = {
        name: np.abs(w * np.mean([g[name] for g in by_example], axis=0))
        for name, w in weights(encoder).items()
    }
    assert_equal(ranked("taylor", encoder), expected)


def test_empirical_fisher_is_the_mean_square_over_single_examples() -> None:
    encoder = toys.encoder(3)
    by_example = [*gradients(encoder)]
    expected = {
        name: np.mean([(w * g[name]) ** 2 for g in by_example], axis=0)
        for name, w in weights(encoder).items()
    }
    assert_equal(ranked("empirical-fisher", encoder), expected)


def test_wanda_is_magnitude_times_the_norm_of_the_input() -> None:
    encoder = toys.encoder(3)
    inputs: dict[str, list[torch.Tensor]] = {}

    def record(name: str, _: nn.Module, arguments: tuple[torch.Tensor]) -> None:
        inputs.setdefault(f"{name}.weight", []).append(arguments[0])
        inputs.setdefault(f"{name}.bias", []).append(torch.ones(len(arguments[0]), 1)[:, 0])

    for name in encoder.prunable():
        module = name.removesuffix(".weight")
        encoder.get_submodule(module).register_forward_pre_hook(partial(record, module))
    with torch.no_grad():
        for example in SINGLE:
            encoder(toys.tokens(example))
    expected = {
        name: np.abs(w) * torch.cat(inputs[name]).norm(dim=0).numpy()
        for name, w in weights(encoder).items()
    }
    assert_equal(ranked("wanda", toys.encoder(3)), expected)


def test_magnitude_prunes_what_torch_prunes() -> None:
    values, pruned = ranked("magnitude", toys.encoder(3), biases=False).weights, toys.encoder(3)
    flat = np.concatenate([array.ravel() for array in values.values()])
    modules: list[tuple[Any, str]] = [
        (pruned.get_submodule(name.removesuffix(".weight")), "weight") for name in values
    ]
    torch_prune.global_unstructured(modules, torch_prune.L1Unstructured, amount=flat.size // 3)
    masks = np.concatenate([module.weight_mask.ravel() for module, _ in modules])
    assert np.flatnonzero(masks == 0).tolist() == sorted(np.argsort(flat)[: flat.size // 3])


def test_random_saliency_depends_on_the_model_alone() -> None:
    first, again, other = (ranked("random", toys.encoder(seed)).weights for seed in (3, 3, 4))
    for name, values in first.items():
        assert np.array_equal(values, again[name])
        assert not np.array_equal(values, other[name])


@pytest.mark.parametrize("neurons", [False, True])
def test_a_unit_has_the_same_random_saliency_whatever_is_pruned(neurons: bool) -> None:
    encoder, kept = toys.encoder(3), toys.subnetwork(1)
    if neurons:
        chosen = np.random.default_rng(1).random((3, 48)) < 0.5
        kept = Subnetwork({**kept, "neurons": chosen & kept["mlps"][:, None]})
    rank = SALIENCIES["random"].units()
    left, before = (
        rank(encoder, EXAMPLES, RTE, subnetwork, importance("random")).units
        for subnetwork in (kept, Subnetwork.full(kept.shapes))
    )
    finest = ("heads", "neurons" if neurons else "mlps")
    for part in finest:
        assert np.array_equal(left[part], before[part] * kept[part])


@every_weight_saliency
def test_logits_of_a_saliency_that_needs_a_pass_are_those_of_a_prediction(name: str) -> None:
    encoder = toys.encoder(3)
    logits_NC = ranked(name, encoder).logits_NC
    assert bool(SALIENCIES[name].forward) == (logits_NC is not None)
    if logits_NC is not None:
        np.testing.assert_allclose(logits_NC, predict(encoder, EXAMPLES), atol=1e-6)


@every_weight_saliency
def test_units_add_up_their_weights_and_removed_units_have_0(name: str) -> None:
    encoder, kept = toys.encoder(3), toys.subnetwork(1)
    units = SALIENCIES[name].units()(encoder, EXAMPLES, RTE, kept, importance(name)).units
    of_weights = ranked(name, encoder.extract(kept), biases=False).weights
    for layer in range(3):
        heads, mlps = (
            sum(float(values.sum()) for key, values in of_weights.items() if part in key)
            for part in (f"layers.{layer}.attention", f"layers.{layer}.mlp")
        )
        assert units["heads"][layer].sum() == pytest.approx(heads, rel=1e-4)
        assert units["mlps"][layer] == pytest.approx(mlps, rel=1e-4)
    assert not any(units[part][~kept[part]].any() for part in kept)


def test_a_head_adds_up_rows_of_its_projections_and_columns_of_its_output() -> None:
    encoder, kept = toys.encoder(3), toys.subnetwork(1)
    units = SALIENCIES["magnitude"].units()(encoder, EXAMPLES, RTE, kept, importance("magnitude"))
    for layer, head in np.argwhere(kept["heads"]):
        alone = kept.replace(heads=np.zeros((3, 4), bool), mlps=np.zeros(3, bool))
        alone = alone.replace(heads=np.arange(12).reshape(3, 4) == 4 * layer + head)
        of_head = ranked("magnitude", encoder.extract(alone), biases=False).weights.values()
        assert units.units["heads"][layer, head] == pytest.approx(sum(w.sum() for w in of_head))


def importance(name: str) -> ImportanceParameters:
    return ImportanceParameters(
        reduction="example", batch=8, normalise="surviving", saliency=name, neurons=False
    )


def search_of_weights(name: str) -> Magnitude:
    about = MagnitudeParameters(rate=0.3, biases=False, until=0.9, saliency=name)
    return Magnitude(toys.encoder(), RTE, toys.sentences(20), 0.3, about)


def assert_nested(steps: list[Step]) -> None:
    phase = [step for step in steps if step.phase in ("full", steps[1].phase)]
    assert len(phase) > 3
    for before, after in pairwise(phase):
        assert after.subnetwork <= before.subnetwork


@every_saliency
def test_searches_of_units_are_nested(name: str) -> None:
    pruner = Structured(toys.encoder(), RTE, toys.sentences(20), 0.2, importance(name))
    assert_nested([*search(pruner, RULE)])


@every_weight_saliency
def test_searches_of_weights_are_nested_and_take_the_same_steps(name: str) -> None:
    steps = [*search(search_of_weights(name), RULE)]
    assert_nested(steps)
    by_magnitude = search(search_of_weights("magnitude"), RULE)
    assert [step.sparsity for step in steps] == [step.sparsity for step in by_magnitude]


@every_weight_saliency
def test_a_killed_search_of_weights_resumes_with_the_same_steps(name: str, tmp_path: Path) -> None:
    killed = search(search_of_weights(name), RULE, journal=Journal(tmp_path))
    for _ in range(3):
        next(killed)
    whole, resumed = (
        [(step.score, step.subnetwork) for step in search(search_of_weights(name), RULE, None, at)]
        for at in (Journal(None), Journal(tmp_path))
    )
    assert resumed == whole


def test_weights_without_saliency_outlive_those_that_are_pruned() -> None:
    pruner = search_of_weights("taylor")
    with torch.no_grad():  # so that no gradient reaches the encoder
        pruner.encoder.classifier.weight.zero_()
    assert_nested([*search(pruner, RULE)])


def test_unknown_saliencies_are_named() -> None:
    with pytest.raises(UserError, match=r"magnitude.saliency = 'gate': expected one of taylor"):
        get_saliency("magnitude.saliency", "gate", OF_WEIGHTS)


@every_saliency
def test_the_importance_of_the_full_model_is_split_into_halves_of_the_examples(name: str) -> None:
    bound = Structured(toys.encoder(), RTE, toys.sentences(20), 0.2, importance(name))
    found = bound.assess(bound.full).importance
    for start, half in enumerate(("first half", "second half")):
        examples = toys.sentences(20).take(np.arange(start, 20, 2))
        alone = Structured(toys.encoder(), RTE, examples, 0.2, importance(name))
        values = alone.assess(bound.full).importance["heads"]
        np.testing.assert_allclose(found[f"heads, {half}"], values, rtol=1e-5)
    assert not [part for part in bound.assess(toys.subnetwork(1)).importance if "half" in part]
