"""Every optimisation computes what the straightforward version in `benchmarks/` computes."""

from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import pytest

from benchmarks import batch1, project, reference, torch_prune
from benchmarks import transformers as hooks
from benchmarks.load import Load
from lottery.data import examples
from lottery.model import checkpoint
from tests import toys

LONG = msgspec.structs.replace(toys.CONFIG, max_position_embeddings=reference.LENGTH)


@pytest.fixture(params=range(2))
def load(tmp_path: Path, request: pytest.FixtureRequest) -> Load:
    """An encoder whose weights are all far from 0, and 20 sentences in batches of 8."""
    checkpoint.save(toys.encoder(request.param, config=LONG), tmp_path)
    examples.save(toys.sentences(20, request.param), tmp_path / "sentences")
    return Load(tmp_path, tmp_path / "sentences", 20, batch=8, rate=0.2)


def test_packed_batches_have_the_logits_of_padded_ones(load: Load) -> None:
    ours = project.scoring(load)()["logits"]
    for plain in (reference, hooks):
        np.testing.assert_allclose(ours, plain.scoring(load)()["logits"], atol=1e-5)


def test_gates_per_example_give_the_importance_of_batches_of_one(load: Load) -> None:
    ours, theirs = project.importance(load)(), batch1.importance(load)()
    for name in ("heads", "mlps", "logits"):
        np.testing.assert_allclose(ours[name], theirs[name], rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("sparsity", [0.0, 0.4])
def test_per_example_gradients_add_up_to_accumulated_gradients(load: Load, sparsity: float) -> None:
    """With pruned parts, for the parts that are kept: removed ones have no gradient."""
    load = replace(load, sparsity=sparsity)
    ours, theirs = project.importance(load)(), reference.importance(load)()
    np.testing.assert_allclose(ours["logits"], theirs["logits"], atol=1e-5)
    mlps = load.kept((LONG.num_hidden_layers,))
    name = "mlps_cumulative"
    np.testing.assert_allclose(ours[name][mlps], theirs[name][mlps], rtol=1e-4, atol=1e-7)
    heads = load.kept((LONG.num_hidden_layers, LONG.num_attention_heads))
    scales = [_scaled(result["heads_cumulative"] * heads) for result in (ours, theirs)]
    np.testing.assert_allclose(scales[0], scales[1], rtol=1e-4, atol=1e-6)


def test_the_s_search_evaluates_the_candidates_of_the_authors_code(load: Load) -> None:
    ours, theirs = project.s_search_authors(load)(), reference.s_search(load)()
    np.testing.assert_array_equal(ours["masks"], theirs["masks"])
    np.testing.assert_array_equal(ours["scores"], theirs["scores"])


def test_the_m_search_prunes_what_a_sort_at_every_step_prunes(load: Load) -> None:
    ours = project.m_search(load)()
    for plain in (reference, torch_prune):
        theirs = plain.m_search(load)()
        np.testing.assert_array_equal(ours["masks"], theirs["masks"])
        np.testing.assert_array_equal(ours["scores"], theirs["scores"])


def _scaled(heads_LH: np.ndarray) -> np.ndarray:
    norm_L1 = np.linalg.norm(heads_LH, axis=1, keepdims=True)
    scaled: np.ndarray = heads_LH / np.where(norm_L1 > 0, norm_L1, 1)
    return scaled
