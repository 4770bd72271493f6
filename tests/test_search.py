"""The search on made-up scores: the candidates that it visits and accepts, and the one that it returns."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lottery.runtime.resume import Journal
from lottery.subnetwork import Subnetwork
from lottery.tickets.parameters import PruneParameters
from lottery.tickets.search import Assessment, Cut, search
from lottery.tickets.structured import remove_least_important
from tests import toys

RULE = PruneParameters(rate=0.1, threshold=0.9, floor=None, data="select", entry="fresh", curve=0)


@dataclass(frozen=True)
class ToyCriterion:
    """A criterion over 4 x 5 heads and 4 MLPs with given scores and importance."""

    score: Callable[[Subnetwork], float]
    importance: Mapping[str, np.ndarray]
    full = Subnetwork.full({"heads": (4, 5), "mlps": (4,)})

    @property
    def phases(self) -> Mapping[str, Cut]:
        return {
            "both": partial(remove_least_important, counts={"heads": 2, "mlps": 1}),
            "heads": partial(remove_least_important, counts={"heads": 1}),
            "mlps": partial(remove_least_important, counts={"mlps": 1}),
        }

    def sparsity(self, subnetwork: Subnetwork) -> float:
        return 1 - subnetwork.density

    def assess(self, subnetwork: Subnetwork) -> Assessment:
        return Assessment(self.score(subnetwork), self.importance)


def toy_criterion(score: Callable[[Subnetwork], float], seed: int = 0) -> ToyCriterion:
    rng = np.random.default_rng(seed)
    return ToyCriterion(score, {"heads": rng.random((4, 5)), "mlps": rng.random(4)})


@given(st.integers(0, 10**6), st.floats(0.05, 1), st.floats(0, 1))
def test_accepted_candidates_reach_the_threshold_and_contain_the_result(
    seed: int, threshold: float, curve: float
) -> None:
    rng = np.random.default_rng(seed)
    scores: dict[str, float] = {}
    criterion = toy_criterion(
        lambda kept: scores.setdefault(kept.digest, float(rng.random())), seed
    )
    rule = PruneParameters(
        rate=0.1, threshold=threshold, floor=None, data="select", entry="fresh", curve=curve
    )
    steps = list(search(criterion, rule))
    survivors = toys.survivors(steps)
    assert scores[survivors.digest] >= threshold * steps[0].score
    assert all(step.score >= threshold * steps[0].score for step in steps if step.accepted)
    assert all(survivors <= step.subnetwork for step in steps if step.accepted)


def test_three_phases_prune_in_the_steps_of_the_paper() -> None:
    steps = list(search(toy_criterion(lambda kept: 1.0 if kept.size >= 14 else 0.5), RULE))
    visited = [
        (step.phase, int(step.subnetwork["heads"].sum()), int(step.subnetwork["mlps"].sum()))
        for step in steps
    ]
    assert visited == [
        ("full", 20, 4), ("both", 18, 3), ("both", 16, 2), ("both", 14, 1), ("both", 12, 0),
        ("heads", 13, 1), ("heads", 12, 1),
        ("mlps", 13, 0),
    ]  # fmt: skip
    assert [step.accepted for step in steps] == [True] * 4 + [False, True, False, False]


def test_the_least_important_components_are_pruned_first_ties_by_position() -> None:
    importance = {"heads": np.array([[3.0, 1.0, 2.0], [1.0, 5.0, 0.5]])}
    full = Subnetwork.full({"heads": (2, 3)})
    smaller = remove_least_important(full, importance, counts={"heads": 2})
    assert smaller is not None
    assert np.flatnonzero(~smaller["heads"]).tolist() == [1, 5]
    empty = remove_least_important(smaller, importance, counts={"heads": 99})
    assert empty is not None
    assert empty.size == 0
    assert remove_least_important(empty, importance, counts={"heads": 1}) is None


def test_the_curve_continues_to_an_empty_model_and_accepts_nothing_more() -> None:
    rule = msgspec.structs.replace(RULE, curve=1.0)
    scores = iter([1.0, 0.95, 0.5, 0.99, 0.99, 0.1, 0.1])
    steps = list(search(toy_criterion(lambda _: next(scores)), rule))
    curve = [step for step in steps if step.phase == "both"]
    assert [step.accepted for step in curve] == [True, False, False, False]
    assert curve[-1].subnetwork["mlps"].sum() == 0
    assert toys.survivors(steps) == curve[0].subnetwork


@given(st.floats(0, 1), st.floats(0, 1))
def test_a_curve_prolongs_the_first_phase_up_to_its_sparsity_and_changes_nothing_else(
    curve: float, falls_at: float
) -> None:
    criterion = toy_criterion(lambda kept: float(1 - kept.density <= falls_at))
    short = list(search(criterion, RULE))
    long = list(search(criterion, msgspec.structs.replace(RULE, curve=curve)))
    first_phase = [step for step in long if step.phase == "both"]
    rejected = [step for step in first_phase if not step.accepted]
    beyond = [step.subnetwork for step in rejected[1:]]
    assert [
        (step.phase, step.subnetwork, step.accepted)
        for step in long
        if step.phase != "both" or step.subnetwork not in beyond
    ] == [(step.phase, step.subnetwork, step.accepted) for step in short]
    assert all(step.sparsity < curve for step in rejected[:-1])
    nothing_is_left = not first_phase[-1].subnetwork["mlps"].any()
    assert nothing_is_left or first_phase[-1].sparsity >= curve


def test_an_interrupted_search_resumes_without_assessing_again(tmp_path: Path) -> None:
    rng, journal = np.random.default_rng(4), Journal(tmp_path)
    scores: dict[str, float] = {}

    def score(subnetwork: Subnetwork) -> float:
        return scores.setdefault(subnetwork.digest, float(rng.random()))

    uninterrupted = list(search(toy_criterion(score, 4), RULE))
    assert len(list(islice(search(toy_criterion(score, 4), RULE, journal=journal), 3))) == 3
    assessed: list[Subnetwork] = []

    def recorded_score(subnetwork: Subnetwork) -> float:
        assessed.append(subnetwork)
        return score(subnetwork)

    resumed = list(search(toy_criterion(recorded_score, 4), RULE, journal=journal))
    assert [step.subnetwork for step in resumed] == [step.subnetwork for step in uninterrupted]
    assert [step.score for step in resumed] == [step.score for step in uninterrupted]
    assert assessed == [step.subnetwork for step in uninterrupted[3:]]


def test_nan_is_below_every_threshold() -> None:
    criterion = toy_criterion(lambda kept: 1.0 if kept.size == 24 else float("nan"))
    assert toys.survivors(list(search(criterion, RULE))).size == 24
    without_scores = list(search(toy_criterion(lambda _: float("nan")), RULE))
    assert not any(step.accepted for step in without_scores)
    assert toys.survivors(without_scores).size == 24


@pytest.mark.parametrize(("floor", "kept"), [(None, 14), (0.97, 24)])
def test_a_floor_is_a_threshold_of_its_own(floor: float | None, kept: int) -> None:
    scores = {24: 1.0, **dict.fromkeys(range(14, 24), 0.95)}
    steps = search(toy_criterion(lambda subnetwork: scores.get(subnetwork.size, 0.0)), RULE, floor)
    assert toys.survivors(list(steps)).size == kept


@pytest.mark.parametrize(("entry", "first"), [("fresh", 0), ("stale", 19)])
def test_stale_phases_start_from_the_importance_of_the_rejected_candidate(
    entry: str, first: int
) -> None:
    ascending = np.arange(20.0).reshape(4, 5)

    class ReversingCriterion(ToyCriterion):
        def assess(self, subnetwork: Subnetwork) -> Assessment:
            heads = ascending if subnetwork.size == 24 else -ascending
            score = 1.0 if subnetwork.size in (24, 23) else 0.0
            return Assessment(score, {"heads": heads, "mlps": np.arange(4.0)})

    rule = PruneParameters(
        rate=0.1,
        threshold=0.9,
        floor=None,
        data="select",
        entry=entry,  # type: ignore[arg-type]
        curve=0,
    )
    steps = [
        step for step in search(ReversingCriterion(lambda _: 0, {}), rule) if step.phase == "heads"
    ]
    assert np.flatnonzero(~steps[0].subnetwork["heads"]).tolist() == [first]
