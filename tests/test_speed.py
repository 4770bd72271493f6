"""Size, speed and loyalty of trained models: by their definitions, and of a finished run."""

import shutil
from collections import Counter
from collections.abc import Iterator
from contextlib import chdir
from itertools import count
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.distance import jensenshannon
from scipy.special import softmax

from lottery.errors import UserError
from lottery.export import loyalty, ready, timing
from lottery.export.size import multiply_adds
from lottery.export.speed import BATCHES, PROGRAMS, of_median_length
from lottery.model.encoder import Encoder
from lottery.model.evaluation import predict
from lottery.tasks import get_task
from lottery.tickets.methods import STRUCTURED
from tests import toys
from tests.test_export import furnish
from tools.measure import main

RTE, STSB = get_task("rte"), get_task("stsb")


@pytest.fixture(scope="module")
def measured(finished_run: Path, tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    """The table of the full model and the s-pruned ticket of one seed."""
    root = tmp_path_factory.mktemp("measured") / "run"
    shutil.copytree(finished_run, root)
    shutil.rmtree(root / "tickets/rte/1/1/magnitude")
    furnish(root)
    with chdir(root):
        main(rounds=2, encoder=Path("encoder"))
        return pd.read_csv("reports/speed.csv")


def test_every_model_runs_in_every_program_with_every_batch(measured: pd.DataFrame) -> None:
    keys = ["method", "kind", "program", "batch"]
    models = (("full", "full"), (STRUCTURED.name, "good"))
    expected = {(*model, name, batch) for model in models for name in PROGRAMS for batch in BATCHES}
    assert {*measured[keys].itertuples(index=False, name=None)} == expected
    assert len(measured) == len(expected)
    assert (measured["fastest"] <= measured["ms"]).all()
    assert (measured["ms"] <= measured["slowest"]).all()
    assert (measured["ms"] > 0).all()


def test_programs_agree_about_a_model_and_the_full_one_is_loyal_to_itself(
    measured: pd.DataFrame,
) -> None:
    exact = measured[~measured["program"].str.contains("int8")]
    for column in ("score", "label_loyalty", "probability_loyalty"):
        assert (exact.groupby("kind")[column].agg(np.ptp) < 1e-3).all()
    full = exact[exact["kind"] == "full"]
    assert (full["label_loyalty"] == 1).all()
    np.testing.assert_allclose(full["probability_loyalty"], 1, atol=1e-3)


def test_a_ticket_is_smaller_where_heads_and_mlps_are_left_out(measured: pd.DataFrame) -> None:
    full, good = (
        measured[measured["kind"] == kind].set_index("program") for kind in ("full", "good")
    )
    assert (full["left"] == full["prunable"]).all()
    for column in ("parameters", "left", "multiply_adds"):
        assert (good[column] < full[column]).all()
    smaller = (good["bytes"] < 0.95 * full["bytes"]).groupby("program").all()
    assert smaller.to_dict() == {name: name != "transformers" for name in PROGRAMS}


def test_a_run_without_kept_tickets_is_refused(finished_run: Path, tmp_path: Path) -> None:
    with chdir(finished_run), pytest.raises(UserError, match="no ticket of seed 2 was kept; add"):
        main(seed=2, out=tmp_path / "speed.csv")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("batch", [1, 5])
def test_multiply_adds_are_those_of_the_definition(batch: int) -> None:
    subnetwork = toys.subnetwork(1)
    encoder, examples = toys.encoder().extract(subnetwork), toys.sentences(batch, longest=3)
    assert multiply_adds(encoder, examples) == batch * defined(encoder, length=3)


def defined(encoder: Encoder, length: int) -> int:
    """Multiply-adds of one sentence, layer by layer."""
    total, config = 0, encoder.config
    for layer in encoder.typed_layers:
        queries = 1 if layer is encoder.typed_layers[-1] else length
        width = config.hidden_size * len(layer.attention.heads) * config.head_size
        # Query and output, key and value, attention and context.
        total += 2 * queries * width + 2 * length * width
        total += 2 * queries * length * len(layer.attention.heads) * config.head_size
        total += (
            (layer.mlp is not None) * 2 * queries * config.hidden_size * config.intermediate_size
        )
    return total + config.hidden_size * (config.hidden_size + encoder.classes)


def test_logits_come_in_the_order_of_the_examples() -> None:
    encoder, examples = toys.encoder(), toys.sentences(40)
    logits_NC = ready.logits(ready.of_encoder(encoder), examples)
    np.testing.assert_allclose(logits_NC, predict(encoder, examples), atol=1e-6)


def test_the_middle_of_the_examples_is_of_median_length() -> None:
    examples = toys.sentences(41)
    lengths, [median] = np.sort(examples.lengths_N), of_median_length(examples, 1).lengths_N
    assert median == np.median(lengths)
    assert of_median_length(examples, 21).lengths_N.tolist() == lengths[10:31].tolist()
    assert len(of_median_length(examples, 99)) == 41


def test_times_are_medians_and_extremes_of_rounds_in_turns() -> None:
    durations: dict[str, Iterator[float]] = {
        name: iter([0, 1, *times]) for name, times in {"a": [3, 1, 2], "b": [5, 9, 7]}.items()
    }
    now, order = [0.0], list[str]()

    def call(name: str) -> None:
        order.append(name)
        now[0] += next(durations[name])

    calls = {name: lambda name=name: call(name) for name in durations}
    times = timing.in_turns(calls, 3, clock=lambda: now[0])
    assert times == {"a": timing.Times(2000, 1000, 3000), "b": timing.Times(7000, 5000, 9000)}
    assert "".join(order) == "aabb" + "ab" + "ba" + "ab"


def test_short_calls_are_repeated() -> None:
    ticks, called = count(), Counter[str]()
    times = timing.in_turns({"a": lambda: called.update("a")}, 1, clock=lambda: next(ticks) / 1000)
    assert called["a"] == 2 + 20
    assert times["a"].ms == pytest.approx(1 / 20)


LOGITS = st.lists(st.tuples(st.floats(-9, 9), st.floats(-9, 9)), min_size=1, max_size=5)


@given(LOGITS)
def test_a_model_is_loyal_to_itself_and_disloyal_to_its_opposite(
    pairs: list[tuple[float, float]],
) -> None:
    logits_NC = np.add(pairs, [0, 30])
    assert loyalty.of_labels(RTE, logits_NC, logits_NC) == 1
    assert loyalty.of_probabilities(RTE, logits_NC, logits_NC) == pytest.approx(1)
    opposite_NC = logits_NC[:, ::-1]
    assert loyalty.of_labels(RTE, logits_NC, opposite_NC) == 0
    assert 0 <= loyalty.of_probabilities(RTE, logits_NC, opposite_NC) < 0.01


@given(LOGITS)
def test_probability_loyalty_is_that_of_scipy(pairs: list[tuple[float, float]]) -> None:
    full_NC = np.array(pairs)
    logits_NC = np.add(full_NC, [0, 1])
    distances_N = jensenshannon(softmax(full_NC, axis=1), softmax(logits_NC, axis=1), 2, axis=1)
    assert loyalty.of_probabilities(RTE, full_NC, logits_NC) == pytest.approx(
        1 - distances_N.mean()
    )


@given(LOGITS)
def test_rounding_costs_no_loyalty(pairs: list[tuple[float, float]]) -> None:
    full_NC = np.array(pairs)
    loyal = loyalty.of_probabilities(RTE, full_NC, full_NC * (1 + 1e-15))
    assert loyal == pytest.approx(1, abs=1e-6)


def test_loyalty_of_a_regression_is_a_correlation() -> None:
    outputs_NC = np.array([[1.0], [2.0], [4.0]])
    assert loyalty.of_labels(STSB, outputs_NC, 2 * outputs_NC - 7) == pytest.approx(1)
    assert loyalty.of_labels(STSB, outputs_NC, -outputs_NC) == pytest.approx(-1)
    assert np.isnan(loyalty.of_probabilities(STSB, outputs_NC, outputs_NC))
