"""Searches of a cell: tickets of every size, masks of the pre-trained weights, floors, random streams, resuming."""

from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lottery.errors import UserError
from lottery.metrics import METRICS, significance_margin
from lottery.model import checkpoint
from lottery.model.evaluation import guess_floor
from lottery.runtime.parameters import ComputeParameters
from lottery.runtime.resume import Journal
from lottery.seeds import rng
from lottery.subnetwork import Subnetwork
from lottery.tasks import TASKS, Task, get_task
from lottery.ticket import Key, Ticket
from lottery.tickets.methods import MAGNITUDE, METHODS, STRUCTURED, Method, load_tickets
from lottery.tickets.parameters import MagnitudeParameters, RetrainParameters
from lottery.tickets.pruner import SearchSettings
from lottery.tickets.pruning import Search, SearchResult, prune, save, ticket_subnetwork
from lottery.tickets.saliencies import OF_WEIGHTS
from lottery.vocabulary import Kind
from tests import toys

COMPUTE = ComputeParameters(threads=64, alone=1, device="cpu", precision="float32")
RETRAIN = RetrainParameters(draws=2, tickets={}, reinitialised={}, kept=())
MATCHED = (0.3, 0.6)
CONTROLS = toys.controls(matched=MATCHED)
SETTINGS = toys.search_settings(CONTROLS, RETRAIN, threshold=0.9, curve=0.65)
RULE = SETTINGS.prune
methods = pytest.mark.parametrize("method", METHODS.values(), ids=list(METHODS))


@pytest.fixture(scope="module")
def encoders(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Folders of a fine-tuned encoder and of the pre-trained one."""
    root = tmp_path_factory.mktemp("encoders")
    checkpoint.save(toys.encoder(2), root / "model")
    checkpoint.save(toys.encoder(1), root / "pretrained")
    return root / "model", root / "pretrained"


def search_of(
    method: Method, encoders: tuple[Path, Path], settings: SearchSettings = SETTINGS
) -> Search:
    examples = toys.sentences(30, 5)
    return Search(method, get_task("rte"), 3, *encoders, examples, settings, COMPUTE)


def run(search: Search, journal: Journal | None = None) -> SearchResult:
    return prune(lambda *_: None, search, *([journal] if journal else []))


def tickets(result: SearchResult) -> dict[Key, Subnetwork]:
    return {ticket.key: ticket.subnetwork for ticket in result.tickets}


@methods
def test_a_matched_ticket_is_the_nearest_candidate_of_the_first_phase(
    method: Method, encoders: tuple[Path, Path]
) -> None:
    search = search_of(method, encoders)
    result, pruner = run(search), search.pruner()
    first_phase = [step for step in result.steps if step.phase == result.steps[1].phase]
    assert first_phase[-1].sparsity >= RULE.curve
    for matched in MATCHED:
        sparsity = pruner.sparsity(tickets(result)[Key(method.name, "good", matched=matched)])
        assert sparsity in [step.sparsity for step in first_phase]
        assert all(abs(sparsity - matched) <= abs(step.sparsity - matched) for step in first_phase)


@pytest.mark.parametrize("saliency", OF_WEIGHTS)
def test_pretrained_tickets_keep_the_largest_pretrained_weights(
    saliency: str, encoders: tuple[Path, Path]
) -> None:
    parameters = msgspec.structs.replace(SETTINGS.of(MagnitudeParameters), saliency=saliency)
    sections = dict(SETTINGS.sections) | {MagnitudeParameters: parameters}
    settings = replace(SETTINGS, sections=sections)
    subnetworks = tickets(run(search_of(MAGNITUDE, encoders, settings)))
    weights = checkpoint.load(encoders[1], 2).prunable()
    magnitudes = np.concatenate([w.detach().abs().numpy().ravel() for w in weights.values()])
    for matched in MATCHED:
        kept = subnetworks[Key("magnitude", "pretrained", matched=matched)]
        assert kept.size == subnetworks[Key("magnitude", "good", matched=matched)].size
        largest = np.sort(np.argsort(magnitudes, kind="stable")[kept.total - kept.size :])
        assert np.array_equal(np.flatnonzero(kept.flat), largest)


@methods
def test_what_is_stored_is_loaded_again_and_nothing_else_is(
    method: Method, encoders: tuple[Path, Path], tmp_path: Path
) -> None:
    result = run(search_of(method, encoders))
    save([result], tmp_path)
    stored = method.stored(CONTROLS, RETRAIN)
    loaded = {key: Ticket.load(tmp_path, "rte", 3, key).subnetwork for key in stored}
    assert loaded == tickets(result)
    assert {path.relative_to(tmp_path) for path in tmp_path.rglob("*.safetensors")} == {
        key.file for key in stored
    }
    with pytest.raises(UserError, match="no-such-folder"):
        load_tickets(tmp_path / "no-such-folder", "rte", 3, CONTROLS, RETRAIN)


@given(st.integers(1, 3), st.integers(0, 3), st.integers(0, 3), st.integers(1, 3), st.booleans())
def test_every_draw_has_one_key_whether_it_is_stored_or_not(
    draws: int, random: int, bad: int, matched: int, pretrained: bool
) -> None:
    controls = toys.controls(
        random_draws=draws + random, bad_draws=draws + bad, matched=MATCHED, matched_draws=matched
    )
    method = replace(STRUCTURED, has_pretrained=pretrained)
    retrain = msgspec.structs.replace(RETRAIN, draws=draws)
    keys = [*method.stored(controls, retrain), *method.drawn(controls, retrain)]
    own = {(kind, draw) for _, kind, draw, size in keys if size is None}
    assert own == {("good", 0)} | {("random", draw) for draw in range(draws + random)} | {
        ("bad", draw) for draw in range(draws + bad)
    }
    assert len(keys) == len({key.file for key in keys}) == len({key.name for key in keys})
    assert len(keys) == len(own) + 2 * (1 + 2 * matched + pretrained)


@given(st.sampled_from(["good", "random", "bad"]), st.integers(0, 3), st.integers(0, 3))
def test_a_kind_is_retrained_with_its_seeds_or_with_all(kind: Kind, draw: int, seed: int) -> None:
    retrain = RetrainParameters(
        draws=2, tickets={"magnitude": {"random": (1, 2), "bad": ()}}, reinitialised={}, kept=()
    )
    due = draw < 2 and {"good": True, "random": seed in (1, 2), "bad": False}[kind]
    assert retrain.retrains(Key("magnitude", kind, draw), seed) == due
    assert retrain.retrains(Key("structured", kind, draw), seed) == (draw < 2)
    assert not retrain.retrains(Key("structured", kind, draw, 0.5), seed)


@methods
def test_each_control_has_a_stream_of_its_own_that_old_runs_share(
    method: Method, encoders: tuple[Path, Path]
) -> None:
    search = search_of(method, encoders)
    pruner, subnetworks = search.pruner(), tickets(run(search))
    keys = [*method.stored(CONTROLS, RETRAIN), *method.drawn(CONTROLS, RETRAIN)]
    draws = {
        key: ticket_subnetwork(pruner, key, subnetworks[key.good], "rte", 3, CONTROLS)
        for key in keys
        if key.kind in {"random", "bad"}
    }
    # Bad tickets may be equal: what did not survive can be just enough.
    random = [kept for key, kept in draws.items() if key.kind == "random"]
    assert len(set(random)) == len(random)
    for key, kept in draws.items():
        assert kept.size == subnetworks[key.good].size
        assert key not in subnetworks or subnetworks[key] == kept
    good, name = subnetworks[method.good], method.name
    for draw in range(CONTROLS.random_draws):
        stream = rng(3, "random", "rte", name, draw)
        assert draws[Key(name, "random", draw)] == pruner.random(good, CONTROLS, stream)
    assert draws[Key(name, "bad")] == pruner.bad(good, CONTROLS, rng(3, "bad", "rte", name))


@methods
def test_an_interrupted_search_resumes_with_the_same_tickets(
    method: Method, encoders: tuple[Path, Path], tmp_path: Path
) -> None:
    def interrupt(done: int, _: int) -> None:
        if done == 3:
            raise InterruptedError

    search, journal = search_of(method, encoders), Journal(tmp_path)
    with pytest.raises(InterruptedError):
        prune(interrupt, search, journal)
    assert list(tmp_path.iterdir())
    resumed, uninterrupted = run(search, journal), run(search)
    assert tickets(resumed) == tickets(uninterrupted)
    assert resumed.steps == uninterrupted.steps


def test_a_sparsity_that_a_search_cannot_reach_is_an_error(encoders: tuple[Path, Path]) -> None:
    settings = replace(SETTINGS, controls=toys.controls(matched=(0.9,)))
    with pytest.raises(UserError, match=r"controls.matched: 0\.9, but m-pruning") as caught:
        run(search_of(MAGNITUDE, encoders, settings))
    assert "\n" not in str(caught.value)


@given(st.sampled_from([*TASKS.values()]), st.integers(20, 60), st.integers(0, 99))
def test_no_constant_prediction_reaches_the_floor_of_guessing(
    task: Task, count: int, seed: int
) -> None:
    examples = toys.sentences(count, seed, task.classes)
    labels = examples.labels_N.astype(np.float64)
    guesses = [METRICS[task.search](np.full(count, value), labels) for value in set(labels)]
    best = max((guess for guess in guesses if not np.isnan(guess)), default=0.0)
    margin = significance_margin(task.search, count)
    assert guess_floor(task, examples) == pytest.approx(best + margin)


@methods
def test_a_search_on_a_guessing_model_keeps_everything_above_the_floor(
    method: Method, encoders: tuple[Path, Path]
) -> None:
    rule = msgspec.structs.replace(RULE, floor="guess", threshold=0.1)
    result = run(search_of(method, encoders, replace(SETTINGS, prune=rule)))
    floor = guess_floor(get_task("rte"), toys.sentences(30, 5))
    assert all(step.threshold == max(0.1 * step.full_score, floor) for step in result.steps)
    assert all(step.score >= floor for step in result.steps if step.accepted)
