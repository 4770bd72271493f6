"""s-pruning of a toy encoder: scores of candidates, nested searches, sizes of controls."""

import numpy as np
import pytest
import torch

from lottery.model.encoder import Gates
from lottery.model.evaluation import search_score
from lottery.seeds import rng
from lottery.subnetwork import Subnetwork
from lottery.tasks import get_task
from lottery.tickets.parameters import ImportanceParameters, PruneParameters
from lottery.tickets.search import search
from lottery.tickets.structured import Structured
from tests import toys

RTE = get_task("rte")
RULE = PruneParameters(rate=0.2, threshold=0.8, floor=None, data="select", entry="fresh", curve=1)


def toy_pruner(normalise: str = "surviving") -> Structured:
    parameters = ImportanceParameters(
        reduction="example",
        batch=8,
        normalise=normalise,  # type: ignore[arg-type]
        saliency="gate",
        neurons=False,
    )
    return Structured(toys.encoder(), RTE, toys.sentences(40), 0.2, parameters)


@pytest.mark.parametrize("normalise", ["surviving", "all"])
def test_candidates_have_the_score_of_the_gated_encoder(normalise: str) -> None:
    pruner, kept = toy_pruner(normalise), toys.subnetwork(3)
    gates = Gates(*(torch.tensor(kept[part], dtype=torch.float) for part in ("heads", "mlps")))
    with torch.no_grad():
        logits = pruner.encoder(toys.tokens(pruner.examples), gates).double().numpy()
    assert pruner.assess(kept).score == search_score(RTE, logits, pruner.examples)


def test_pruned_heads_count_in_the_norm_only_with_normalise_all() -> None:
    kept = toys.subnetwork(3)
    by_surviving, by_all = (
        toy_pruner(normalise).assess(kept).importance["heads"] for normalise in ("surviving", "all")
    )
    assert not by_surviving[~kept["heads"]].any()
    assert by_all[~kept["heads"]].any()
    mixed = kept["heads"].any(axis=1) & ~kept["heads"].all(axis=1)
    norms = np.linalg.norm(np.where(kept["heads"], by_all, 0), axis=1)
    assert (norms[mixed] < 1).all()
    np.testing.assert_allclose(np.linalg.norm(by_surviving[mixed], axis=1), 1)


def test_a_search_never_restores_a_component() -> None:
    steps = list(search(toy_pruner(), RULE))
    assert {"full", "both", "heads"} <= {step.phase for step in steps}
    for step in steps:
        if step.accepted:
            assert toys.survivors(steps) <= step.subnetwork
    first_phase = [step for step in steps if step.phase in ("full", "both")]
    heads = [int(step.subnetwork["heads"].sum()) for step in first_phase]
    assert heads == [max(0, 12 - 2 * number) for number in range(len(first_phase))]


@pytest.mark.parametrize("size", ["exact", "bernoulli"])
def test_controls_keep_as_many_heads_and_mlps_as_the_good_ticket(size: str) -> None:
    pruner, kept = toy_pruner(), toys.subnetwork(3)
    parameters = toys.controls(random=size)
    bad, random = (draw(kept, parameters, rng(1)) for draw in (pruner.bad, pruner.random))
    for part in kept:
        assert bad[part].sum() == kept[part].sum()
        if size == "exact":
            assert random[part].sum() == kept[part].sum()
    assert random.shapes == kept.shapes


def test_sparsity_is_the_share_of_removed_weights() -> None:
    pruner = toy_pruner()
    assert pruner.sparsity(pruner.full) == 0
    assert pruner.sparsity(~pruner.full) == 1
    total = sum(weight.numel() for weight in pruner.encoder.prunable().values())
    for kept in (toys.subnetwork(1), toys.subnetwork(2)):
        remaining = sum(
            weight.numel() for weight in pruner.encoder.extract(kept).prunable().values()
        )
        assert pruner.sparsity(kept) == pytest.approx(1 - remaining / total)
    assert pruner.sparsity(Subnetwork({**pruner.full, "mlps": np.zeros(3, bool)})) > 0
