"""Per-example gradients in one backward against one example at a time, and what becomes of them."""

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


def one_at_a_time(about: Task, kept: Subnetwork, classes: int) -> tuple[np.ndarray, np.ndarray]:
    ours, examples = toys.encoder(3, classes), toys.sentences(8, 1, classes)
    heads: list[np.ndarray] = []
    mlps: list[np.ndarray] = []
    for row in range(8):
        gates = Gates(
            *(
                torch.tensor(kept[p], dtype=torch.float, requires_grad=True)
                for p in ("heads", "mlps")
            )
        )
        one = examples.take(np.array([row]))
        total_loss(about, ours(toys.tokens(one), gates), torch.tensor(one.labels_N)).backward()
        for gate, found in ((gates.heads, heads), (gates.mlps, mlps)):
            assert gate.grad is not None
            found.append(gate.grad.numpy())
    return np.stack(heads), np.stack(mlps)


@pytest.mark.parametrize(("about", "classes"), [(RTE, 2), (STSB, 1)])
@pytest.mark.parametrize("whole", [True, False])
def test_one_batched_backward_equals_batches_of_one(about: Task, classes: int, whole: bool) -> None:
    ours = toys.encoder(3, classes)
    kept = Subnetwork.full(ours.config.shapes) if whole else toys.subnetwork(1)
    found = gate_gradients(ours, toys.sentences(8, 1, classes), about, kept)
    heads, mlps = one_at_a_time(about, kept, classes)
    np.testing.assert_allclose(found.gradients["heads"], heads, atol=1e-5, rtol=1e-5)
    np.testing.assert_allclose(found.gradients["mlps"], mlps, atol=1e-5, rtol=1e-5)


def test_what_was_removed_has_no_gradient_and_the_rest_keeps_its_own() -> None:
    ours, kept, examples = toys.encoder(3), toys.subnetwork(1), toys.sentences(8, 1)
    gated = gate_gradients(ours, examples, RTE, kept)
    removed = gate_gradients(ours.extract(kept), examples, RTE, kept)
    np.testing.assert_allclose(removed.logits_NC, gated.logits_NC, atol=1e-5)
    for part in ("heads", "mlps"):
        assert not removed.gradients[part][:, ~kept[part]].any()
        np.testing.assert_allclose(
            removed.gradients[part][:, kept[part]], gated.gradients[part][:, kept[part]], atol=1e-5
        )


def test_the_pass_scores_as_a_prediction_does_and_leaves_the_encoder_trainable() -> None:
    ours, examples = toys.encoder(), toys.sentences(30)
    found = gate_gradients(ours, examples, RTE, Subnetwork.full(ours.config.shapes))
    np.testing.assert_allclose(found.logits_NC, predict(ours, examples), atol=1e-6)
    assert all(weight.requires_grad for weight in ours.parameters())


def test_nothing_left_has_no_importance() -> None:
    nothing = ~Subnetwork.full(toys.CONFIG.shapes)
    found = gate_gradients(toys.encoder().extract(nothing), toys.sentences(4), RTE, nothing)
    scores = importance.importance(
        found, ImportanceParameters(reduction="example", batch=2, normalise="all")
    )
    assert not scores["heads"].any()


def test_heads_are_normalised_within_their_layer() -> None:
    rng = np.random.default_rng(0)
    gradients = {"heads": rng.normal(size=(9, 3, 4)), "mlps": rng.normal(size=(9, 3))}
    gradients["heads"][:, 1] = 0
    found = importance.importance(
        GateGradients(np.zeros((9, 2)), gradients),
        ImportanceParameters(reduction="example", batch=4, normalise="all"),
    )
    assert np.linalg.norm(found["heads"], axis=1).tolist() == pytest.approx([1, 0, 1])
    np.testing.assert_allclose(found["mlps"], np.abs(gradients["mlps"]).mean(axis=0))


@given(arrays(float, (10, 2), elements=st.floats(-9, 9)), st.integers(1, 12))
def test_reductions_are_their_definitions(gradients_N: np.ndarray, batch: int) -> None:
    means = [gradients_N[at : at + batch].mean(axis=0) for at in range(0, 10, batch)]
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
