"""The search on a table of numbers: what it visits, accepts and returns."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lottery.runtime.resume import Journal
from lottery.subnetwork import Subnetwork
from lottery.tickets.parameters import ControlsParameters, PruneParameters
from lottery.tickets.search import Assessment, Cut, search
from lottery.tickets.structured import remove_least_important
from tests import toys

RULE = PruneParameters(
    rate=0.1, threshold=0.9, floor=None, data="select", entry="fresh", curve=False
)


@dataclass(frozen=True)
class Table:
    """A criterion over 4 x 5 heads and 4 MLPs whose scores and importance are looked up."""

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

    def assess(self, subnetwork: Subnetwork) -> Assessment:
        return Assessment(self.score(subnetwork), self.importance)

    def random(
        self, good: Subnetwork, how: ControlsParameters, rng: np.random.Generator
    ) -> Subnetwork:
        raise AssertionError("a search draws nothing")

    bad = random

    def sparsity(self, subnetwork: Subnetwork) -> float:
        return 1 - subnetwork.density


def table(score: Callable[[Subnetwork], float], seed: int = 0) -> Table:
    rng = np.random.default_rng(seed)
    return Table(score, {"heads": rng.random((4, 5)), "mlps": rng.random(4)})


@given(st.integers(0, 10**6), st.floats(0.05, 1), st.booleans())
def test_what_is_returned_was_accepted_and_holds(seed: int, threshold: float, curve: bool) -> None:
    rng = np.random.default_rng(seed)
    scores: dict[str, float] = {}
    criterion = table(lambda s: scores.setdefault(s.digest, float(rng.random())), seed)
    rule = PruneParameters(
        rate=0.1, threshold=threshold, floor=None, data="select", entry="fresh", curve=curve
    )
    steps = list(search(criterion, rule))
    survivors = toys.survivors(steps)
    assert scores[survivors.digest] >= threshold * steps[0].score
    assert all(step.score >= threshold * steps[0].score for step in steps if step.accepted)
    assert all(survivors <= step.subnetwork for step in steps if step.accepted)


def test_the_three_phases_step_as_the_paper_says() -> None:
    steps = list(search(table(lambda s: 1.0 if s.size >= 14 else 0.5), RULE))
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


def test_the_least_important_go_first_and_ties_by_position() -> None:
    importance = {"heads": np.array([[3.0, 1.0, 2.0], [1.0, 5.0, 0.5]])}
    everything = Subnetwork.full({"heads": (2, 3)})
    one = remove_least_important(everything, importance, counts={"heads": 2})
    assert one is not None
    assert np.flatnonzero(~one["heads"]).tolist() == [1, 5]
    all_of_them = remove_least_important(one, importance, counts={"heads": 99})
    assert all_of_them is not None
    assert all_of_them.size == 0
    assert remove_least_important(all_of_them, importance, counts={"heads": 1}) is None


def test_the_curve_walks_down_to_nothing_and_accepts_nothing_below_the_bar() -> None:
    rule = PruneParameters(
        rate=0.1, threshold=0.9, floor=None, data="select", entry="fresh", curve=True
    )
    scores = iter([1.0, 0.95, 0.5, 0.99, 0.99, 0.1, 0.1])
    steps = list(search(table(lambda s: next(scores)), rule))
    first = [step for step in steps if step.phase == "both"]
    assert [step.accepted for step in first] == [True, False, False, False]
    assert first[-1].subnetwork["mlps"].sum() == 0
    assert toys.survivors(steps) == first[0].subnetwork


def test_a_search_goes_on_where_it_was_stopped(tmp_path: Path) -> None:
    rng, journal = np.random.default_rng(4), Journal(tmp_path)
    scores: dict[str, float] = {}

    def score(subnetwork: Subnetwork) -> float:
        return scores.setdefault(subnetwork.digest, float(rng.random()))

    whole = list(search(table(score, 4), RULE))
    assert len(list(islice(search(table(score, 4), RULE, journal), 3))) == 3
    asked: list[Subnetwork] = []

    def counted(subnetwork: Subnetwork) -> float:
        asked.append(subnetwork)
        return score(subnetwork)

    again = list(search(table(counted, 4), RULE, journal))
    assert [step.subnetwork for step in again] == [step.subnetwork for step in whole]
    assert [step.score for step in again] == [step.score for step in whole]
    assert asked == [step.subnetwork for step in whole[3:]]


def test_nan_is_below_any_bar() -> None:
    steps = list(search(table(lambda s: 1.0 if s.size == 24 else float("nan")), RULE))
    assert toys.survivors(steps).size == 24
    hopeless = list(search(table(lambda s: float("nan")), RULE))
    assert not any(step.accepted for step in hopeless)
    assert toys.survivors(hopeless).size == 24


@pytest.mark.parametrize(("floor", "kept"), [(None, 14), (0.97, 24)])
def test_a_floor_is_a_bar_of_its_own(floor: float | None, kept: int) -> None:
    rule = PruneParameters(
        rate=0.1, threshold=0.9, floor=floor, data="select", entry="fresh", curve=False
    )
    steps = search(table(lambda s: 1.0 if s.size == 24 else 0.95 if s.size > 13 else 0.0), rule)
    assert toys.survivors(list(steps)).size == kept


@pytest.mark.parametrize(("entry", "first"), [("fresh", 0), ("stale", 19)])
def test_stale_phases_start_from_the_rejected_candidates_importance(entry: str, first: int) -> None:
    ascending = np.arange(20.0).reshape(4, 5)

    class Turning(Table):
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
        curve=False,
    )
    steps = [step for step in search(Turning(lambda s: 0, {}), rule) if step.phase == "heads"]
    assert np.flatnonzero(~steps[0].subnetwork["heads"]).tolist() == [first]
