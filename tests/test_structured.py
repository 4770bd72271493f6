"""s-pruning on a toy encoder: candidates score as their gates do, contrasts have their sizes."""

import numpy as np
import pytest
import torch

from lottery.model.encoder import Gates
from lottery.model.evaluation import search_score
from lottery.seeds import rng
from lottery.subnetwork import Subnetwork
from lottery.tasks import get_task
from lottery.tickets.parameters import ControlsParameters, ImportanceParameters, PruneParameters
from lottery.tickets.search import search
from lottery.tickets.structured import Structured
from tests import toys

RTE = get_task("rte")
RULE = PruneParameters(
    rate=0.2, threshold=0.8, floor=None, data="select", entry="fresh", curve=True
)


def criterion(normalise: str = "surviving") -> Structured:
    scoring = ImportanceParameters(reduction="example", batch=8, normalise=normalise)  # type: ignore[arg-type]
    return Structured(toys.encoder(), RTE, toys.sentences(40), 0.2, scoring)


@pytest.mark.parametrize("normalise", ["surviving", "all"])
def test_a_candidate_scores_as_its_gates_do(normalise: str) -> None:
    made, kept = criterion(normalise), toys.subnetwork(3)
    gates = Gates(*(torch.tensor(kept[part], dtype=torch.float) for part in ("heads", "mlps")))
    with torch.no_grad():
        logits = made.encoder(toys.tokens(made.examples), gates).double().numpy()
    assert made.assess(kept).score == search_score(RTE, logits, made.examples)


def test_pruned_heads_count_in_the_norm_only_where_that_is_asked() -> None:
    kept = toys.subnetwork(3)
    surviving, everything = (
        criterion(normalise).assess(kept).importance["heads"] for normalise in ("surviving", "all")
    )
    assert not surviving[~kept["heads"]].any()
    assert everything[~kept["heads"]].any()
    mixed = kept["heads"].any(axis=1) & ~kept["heads"].all(axis=1)
    norms = np.linalg.norm(np.where(kept["heads"], everything, 0), axis=1)
    assert (norms[mixed] < 1).all()
    np.testing.assert_allclose(np.linalg.norm(surviving[mixed], axis=1), 1)


def test_a_search_never_brings_anything_back() -> None:
    steps = list(search(criterion(), RULE))
    assert {"full", "both", "heads"} <= {step.phase for step in steps}
    for step in steps:
        if step.accepted:
            assert toys.survivors(steps) <= step.subnetwork
    first = [step for step in steps if step.phase in ("full", "both")]
    heads = [int(step.subnetwork["heads"].sum()) for step in first]
    assert heads == [max(0, 12 - 2 * at) for at in range(len(first))]


@pytest.mark.parametrize("how", ["exact", "bernoulli"])
def test_contrasts_are_heads_for_heads_and_mlps_for_mlps(how: str) -> None:
    made, kept = criterion(), toys.subnetwork(3)
    settings = ControlsParameters(draws=1, random=how, bad="unsurvived")  # type: ignore[arg-type]
    bad, random = (draw(kept, settings, rng(1)) for draw in (made.bad, made.random))
    for part in kept:
        assert bad[part].sum() == kept[part].sum()
        if how == "exact":
            assert random[part].sum() == kept[part].sum()
    assert random.shapes == kept.shapes


def test_sparsity_is_the_share_of_weights_gone() -> None:
    made = criterion()
    nothing = ~made.full
    assert made.sparsity(made.full) == 0
    assert made.sparsity(nothing) == 1
    for kept in (toys.subnetwork(1), toys.subnetwork(2)):
        small, whole = made.encoder.extract(kept).prunable(), made.encoder.prunable()
        left = sum(weight.numel() for weight in small.values())
        total = sum(weight.numel() for weight in whole.values())
        assert made.sparsity(kept) == pytest.approx(1 - left / total)
    assert made.sparsity(Subnetwork({**made.full, "mlps": np.zeros(3, bool)})) > 0
