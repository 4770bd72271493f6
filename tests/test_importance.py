"""Gate gradients equal those of single examples, and importance equals its definition."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from lottery.model.encoder import Gates
from lottery.model.evaluation import predict
from lottery.model.loss import total_loss
from lottery.subnetwork import Subnetwork
from lottery.tasks import Task, get_task
from lottery.tickets import importance
from lottery.tickets.importance import GateGradients, gate_gradients
from lottery.tickets.parameters import ImportanceParameters
from tests import toys

RTE, STSB = get_task("rte"), get_task("stsb")


def gradients_one_by_one(task: Task, kept: Subnetwork) -> tuple[np.ndarray, np.ndarray]:
    """Gradients at the gates, heads [N, L, H] and mlps [N, L], from one backward pass per example."""
    encoder, examples = toys.encoder(3, task.classes), toys.sentences(8, 1, task.classes)
    heads, mlps = [], []
    for row in range(8):
        gates = Gates(
            *(
                torch.tensor(kept[part], dtype=torch.float, requires_grad=True)
                for part in ("heads", "mlps")
            )
        )
        example = examples.take(np.array([row]))
        logits = encoder(toys.tokens(example), gates)
        head_gradient, mlp_gradient = torch.autograd.grad(
            total_loss(task, logits, torch.tensor(example.labels_N)), gates[:2]
        )
        heads.append(head_gradient.numpy())
        mlps.append(mlp_gradient.numpy())
    return np.stack(heads), np.stack(mlps)


@pytest.mark.parametrize("task", [RTE, STSB], ids=lambda task: task.name)
@pytest.mark.parametrize("whole", [True, False])
def test_batched_gradients_equal_those_of_single_examples(task: Task, whole: bool) -> None:
    encoder = toys.encoder(3, task.classes)
    kept = Subnetwork.full(encoder.config.shapes) if whole else toys.subnetwork(1)
    batched = gate_gradients(encoder, toys.sentences(8, 1, task.classes), task, kept).gradients
    heads, mlps = gradients_one_by_one(task, kept)
    np.testing.assert_allclose(batched["heads"], heads, atol=1e-5, rtol=1e-5)
    np.testing.assert_allclose(batched["mlps"], mlps, atol=1e-5, rtol=1e-5)


def test_removed_components_have_gradient_0_and_the_others_are_unchanged() -> None:
    encoder, kept, examples = toys.encoder(3), toys.subnetwork(1), toys.sentences(8, 1)
    gated = gate_gradients(encoder, examples, RTE, kept)
    removed = gate_gradients(encoder.extract(kept), examples, RTE, kept)
    np.testing.assert_allclose(removed.logits_NC, gated.logits_NC, atol=1e-5)
    for part in ("heads", "mlps"):
        assert not removed.gradients[part][:, ~kept[part]].any()
        np.testing.assert_allclose(
            removed.gradients[part][:, kept[part]], gated.gradients[part][:, kept[part]], atol=1e-5
        )


def test_logits_are_those_of_a_prediction_and_the_encoder_stays_trainable() -> None:
    encoder, examples = toys.encoder(), toys.sentences(30)
    result = gate_gradients(encoder, examples, RTE, Subnetwork.full(encoder.config.shapes))
    np.testing.assert_allclose(result.logits_NC, predict(encoder, examples), atol=1e-6)
    assert all(weight.requires_grad for weight in encoder.parameters())


def test_an_empty_subnetwork_has_importance_0() -> None:
    empty = ~Subnetwork.full(toys.CONFIG.shapes)
    gradients = gate_gradients(toys.encoder().extract(empty), toys.sentences(4), RTE, empty)
    parameters = ImportanceParameters(
        reduction="example", batch=2, normalise="all", saliency="gate", neurons=False
    )
    assert not importance.importance(gradients, parameters)["heads"].any()


def test_heads_are_normalised_within_their_layer() -> None:
    rng = np.random.default_rng(0)
    gradients = {"heads": rng.normal(size=(9, 3, 4)), "mlps": rng.normal(size=(9, 3))}
    gradients["heads"][:, 1] = 0
    normalised = importance.importance(
        GateGradients(np.zeros((9, 2)), gradients),
        ImportanceParameters(
            reduction="example", batch=4, normalise="all", saliency="gate", neurons=False
        ),
    )
    assert np.linalg.norm(normalised["heads"], axis=1).tolist() == pytest.approx([1, 0, 1])
    np.testing.assert_allclose(normalised["mlps"], np.abs(gradients["mlps"]).mean(axis=0))


@given(arrays(float, (10, 2), elements=st.floats(-9, 9)), st.integers(1, 12))
def test_reductions_equal_their_definitions(gradients_N: np.ndarray, batch: int) -> None:
    means = [gradients_N[start : start + batch].mean(axis=0) for start in range(0, 10, batch)]
    running, total = np.zeros(2), np.zeros(2)
    for mean in means:
        running = running + mean
        total = total + np.abs(running)
    np.testing.assert_allclose(importance.cumulative(gradients_N, batch), total / 10)
    np.testing.assert_allclose(
        importance.per_batch(gradients_N, batch), np.mean(np.abs(means), axis=0)
    )
    np.testing.assert_allclose(
        importance.per_example(gradients_N, batch), importance.per_batch(gradients_N, 1)
    )
