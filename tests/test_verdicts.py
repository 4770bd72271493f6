from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lottery.analysis import score_tables, tables
from lottery.analysis.claims import CLAIMS, Claim
from lottery.analysis.head_patterns import heterogeneity
from lottery.analysis.quantities import Observed, observe
from lottery.analysis.significance import ALPHA
from lottery.analysis.verdicts import Verdict, judge, measured
from lottery.grid import GridParameters
from lottery.seeds import rng
from tests.records import ToyExperiment

NOTHING = Observed(pd.DataFrame(), ())
UP = Claim("up", "4", "The difference is above one tenth.", {"a": 1, "b": -1}, -0.1)
DOWN = Claim("down", "4", "The difference is below one tenth.", {"a": -1, "b": 1}, 0.1)


def observed(differences: Sequence[float], *degenerate: tuple[str, int]) -> Observed:
    b = rng("base").random(len(differences))
    index = pd.MultiIndex.from_tuples([("sst2", at) for at in range(len(b))])
    return Observed(pd.DataFrame({"a": b + differences, "b": b}, index), degenerate)


def one(differences: Sequence[float], *claims: Claim) -> Verdict:
    return judge(observed(differences), NOTHING, claims or (UP,))[0]


CLEAR = [0.3, 0.4, 0.35, 0.2, 0.5, 0.3, 0.45]


def test_a_claim_is_a_sum_over_columns() -> None:
    assert measured(UP, observed(CLEAR)) == pytest.approx(np.array(CLEAR) - 0.1)
    assert UP.test == "a - b - 0.1 > 0"
    assert DOWN.test == "- a + b + 0.1 > 0"


def test_verdict_effect_and_interval() -> None:
    found = one(CLEAR)
    assert found.verdict == "reproduced"
    assert found.effect == pytest.approx(np.mean(CLEAR) - 0.1)
    assert 0 < found.low < found.effect < found.high
    assert found.n == 7
    assert found.p == pytest.approx(2**-7)
    assert "7 of 7 cells" in found.evidence


def test_the_opposite_claim_is_contradicted() -> None:
    found, opposite = one(CLEAR), one(CLEAR, DOWN)
    assert opposite.verdict == "contradicted"
    assert (opposite.effect, opposite.p_holm) == pytest.approx((-found.effect, found.p_holm))


def test_what_scatters_around_zero_is_undecided() -> None:
    found = one([0.3, -0.1, 0.2, 0.05, 0.1, -0.2, 0.35, 0.0])
    assert found.verdict == "undecided"
    assert "too close to zero" in found.evidence


def test_what_is_clear_alone_may_not_be_among_many() -> None:
    others = [Claim(f"{at}", "4", "The same.", UP.terms) for at in range(5)]
    mixed = [0.9, 0.8, 0.7, 0.9, -0.4, 0.3, 0.2]
    found = judge(observed(mixed), NOTHING, [UP, *others])[0]
    alone = one(mixed)
    assert (alone.verdict, found.verdict) == ("reproduced", "undecided")
    assert f"clear for it as the only test (p = {found.p:.3f}), not as one of 6" in found.evidence
    against = judge(observed(mixed), NOTHING, [DOWN, *others])[0]
    assert "clear against it as the only test" in against.evidence


@pytest.mark.parametrize("n", [1, 2, 4])
def test_too_few_cells_are_a_lack_of_data(n: int) -> None:
    found = one(CLEAR[:n])
    assert (found.verdict, found.n) == ("undecided", n)
    assert "lack of data" in found.evidence
    assert np.isnan(found.p) == (n < 2)


def test_more_claims_ask_for_more() -> None:
    alone = one(CLEAR)
    others = [Claim(f"{at}", "4", "The same.", UP.terms) for at in range(10)]
    many = one(CLEAR, UP, *others)
    assert many.p == alone.p
    assert many.p_holm == pytest.approx(11 * alone.p)
    assert many.verdict == "undecided"
    assert f"11 tests ask for {ALPHA / 11:.4f}" in many.evidence


def test_what_was_not_measured_is_no_test() -> None:
    missing = Claim("missing", "4", "Nobody looked.", {"a": 1, "c": -1})
    found, known = judge(observed(CLEAR), NOTHING, [missing, UP])
    assert (found.verdict, found.n, found.evidence) == ("undecided", 0, "not measured in this run")
    assert known.p_holm == one(CLEAR).p_holm


def test_cells_without_a_score_are_left_out_and_counted() -> None:
    found = one([*CLEAR, float("nan")])
    assert found.n == 7
    assert found.effect == pytest.approx(one(CLEAR).effect)
    assert "1 cell without a score left out" in found.evidence


def test_degenerate_cells_are_counted() -> None:
    found = judge(observed(CLEAR, ("wnli", 1), ("wnli", 2)), NOTHING, [UP])[0]
    assert found.evidence.endswith("2 degenerate cells left out")


def test_the_published_effect_stands_beside() -> None:
    found = judge(observed(CLEAR), observed([0.2, 0.4]), [UP])[0]
    assert found.published == pytest.approx(0.2)
    assert found.published_n == 2


def test_nothing_published_is_no_number() -> None:
    assert np.isnan(one(CLEAR).published)
    assert one(CLEAR).published_n == 0


def test_claims_have_names_of_their_own() -> None:
    assert len({claim.name for claim in CLAIMS}) == len(CLAIMS)


def test_a_run_measures_every_term_of_every_claim(tmp_path: Path) -> None:
    experiment = ToyExperiment(supers=True)
    experiment.write(tmp_path)
    grid = GridParameters(tasks=tuple(experiment.tasks), seeds=tuple(experiment.seeds), shares=(1,))
    parts = ("scores", "subnetworks", "attention", "data/patterns")
    own = tables.gather(grid, *(tmp_path / part for part in parts))
    table = score_tables.cells(own.scores, experiment.tasks)
    verdicts = judge(
        observe(table, own.good, own.importance, heterogeneity(own.profiles, own.good)), NOTHING
    )
    assert {verdict.n for verdict in verdicts} == {9}
    assert {verdict.verdict for verdict in verdicts[:10]} == {"reproduced"}
    supers = [verdict for verdict in verdicts if "super" in verdict.claim]
    assert len(supers) == 2
