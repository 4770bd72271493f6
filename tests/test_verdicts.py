from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lottery.analysis import score_tables, tables
from lottery.analysis.claims import CLAIMS, Claim
from lottery.analysis.head_patterns import heterogeneity
from lottery.analysis.quantities import Quantities, measure_cells
from lottery.analysis.significance import ALPHA
from lottery.analysis.verdicts import Verdict, cell_effects, decide
from lottery.grid import GridParameters
from lottery.seeds import rng
from tests.records import ToyExperiment
from tests.reports import reported

NOTHING = Quantities(pd.DataFrame(), ())
UP = Claim("up", "4", "The difference is above one tenth.", {"a": 1, "b": -1}, -0.1)
DOWN = Claim("down", "4", "The difference is below one tenth.", {"a": -1, "b": 1}, 0.1)


def measured(differences: Sequence[float], *degenerate: tuple[str, int]) -> Quantities:
    """Quantities `a` and `b` with these differences, one cell each."""
    b = rng("base").random(len(differences))
    index = pd.MultiIndex.from_tuples([("sst2", seed) for seed in range(len(b))])
    return Quantities(pd.DataFrame({"a": b + differences, "b": b}, index), degenerate)


def decide_first(differences: Sequence[float], *claims: Claim) -> Verdict:
    """The verdict on the first of the claims, by default on UP alone."""
    return decide(measured(differences), NOTHING, claims or (UP,))[0]


CLEAR = [0.3, 0.4, 0.35, 0.2, 0.5, 0.3, 0.45]


def test_a_claim_is_a_sum_over_columns() -> None:
    assert cell_effects(UP, measured(CLEAR)) == pytest.approx(np.array(CLEAR) - 0.1)
    assert UP.test == "a - b - 0.1 > 0"
    assert DOWN.test == "- a + b + 0.1 > 0"


def test_a_clear_effect_is_reproduced() -> None:
    verdict = decide_first(CLEAR)
    assert verdict.verdict == "reproduced"
    assert verdict.effect == pytest.approx(np.mean(CLEAR) - 0.1)
    assert 0 < verdict.low < verdict.effect < verdict.high
    assert verdict.n == 7
    assert verdict.p == pytest.approx(2**-7)
    assert "7 of 7 cells" in verdict.evidence


def test_the_opposite_claim_is_contradicted() -> None:
    up, down = decide_first(CLEAR), decide_first(CLEAR, DOWN)
    assert down.verdict == "contradicted"
    assert (down.effect, down.p_holm) == pytest.approx((-up.effect, up.p_holm))


def test_an_effect_that_scatters_around_zero_is_undecided() -> None:
    verdict = decide_first([0.3, -0.1, 0.2, 0.05, 0.1, -0.2, 0.35, 0.0])
    assert verdict.verdict == "undecided"
    assert "too close to zero" in verdict.evidence


def test_a_claim_that_is_clear_alone_may_be_undecided_among_many() -> None:
    others = [Claim(f"{number}", "4", "The same.", UP.terms) for number in range(5)]
    mixed = [0.9, 0.8, 0.7, 0.9, -0.4, 0.3, 0.2]
    alone, among_others = decide_first(mixed), decide_first(mixed, UP, *others)
    assert (alone.verdict, among_others.verdict) == ("reproduced", "undecided")
    expected = f"significant for the claim as a single test (p = {alone.p:.3f}), but not after correction for 6 tests"
    assert expected in among_others.evidence
    assert (
        "significant against the claim as a single test"
        in decide_first(mixed, DOWN, *others).evidence
    )


@pytest.mark.parametrize("n", [1, 2, 4])
def test_too_few_cells_are_a_lack_of_data(n: int) -> None:
    verdict = decide_first(CLEAR[:n])
    assert (verdict.verdict, verdict.n) == ("undecided", n)
    assert "too few cells" in verdict.evidence
    assert np.isnan(verdict.p) == (n < 2)


def test_p_is_corrected_for_the_number_of_claims() -> None:
    alone = decide_first(CLEAR)
    others = [Claim(f"{number}", "4", "The same.", UP.terms) for number in range(10)]
    among_others = decide_first(CLEAR, UP, *others)
    assert among_others.p == alone.p
    assert among_others.p_holm == pytest.approx(11 * alone.p)
    assert among_others.verdict == "undecided"
    assert f"11 tests require {ALPHA / 11:.4f}" in among_others.evidence


def test_claims_without_measurements_are_undecided_and_no_tests() -> None:
    unmeasured = Claim("unmeasured", "4", "There is no c.", {"a": 1, "c": -1})
    verdict, other = decide(measured(CLEAR), NOTHING, [unmeasured, UP])
    assert (verdict.verdict, verdict.n) == ("undecided", 0)
    assert verdict.evidence == "not measured in this run"
    assert other.p_holm == decide_first(CLEAR).p_holm


def test_cells_without_a_score_are_left_out_and_counted() -> None:
    verdict = decide_first([*CLEAR, float("nan")])
    assert verdict.n == 7
    assert verdict.effect == pytest.approx(decide_first(CLEAR).effect)
    assert "1 cell left out, where it is not defined" in verdict.evidence


def test_degenerate_cells_are_counted() -> None:
    (verdict,) = decide(measured(CLEAR, ("wnli", 1), ("wnli", 2)), NOTHING, [UP])
    assert verdict.evidence.endswith("2 degenerate cells left out")


def test_the_published_effect_is_the_mean_over_published_cells() -> None:
    (verdict,) = decide(measured(CLEAR), measured([0.2, 0.4]), [UP])
    assert verdict.published == pytest.approx(0.2)
    assert verdict.published_n == 2


def test_claims_without_published_quantities_have_no_published_effect() -> None:
    assert np.isnan(decide_first(CLEAR).published)
    assert decide_first(CLEAR).published_n == 0


def test_names_of_claims_are_unique() -> None:
    assert len({claim.name for claim in CLAIMS}) == len(CLAIMS)


def test_a_run_measures_all_terms_of_all_claims(tmp_path: Path) -> None:
    experiment = ToyExperiment(supers=True)
    experiment.write(tmp_path)
    grid = GridParameters(tasks=tuple(experiment.tasks), seeds=tuple(experiment.seeds), shares=(1,))
    parts = ("scores", "subnetworks", "attention", "data/patterns")
    run = tables.gather(grid, *(tmp_path / part for part in parts))
    cells = score_tables.cells(run.scores, experiment.tasks)
    attention = heterogeneity(run.profiles, run.good)
    verdicts = decide(measure_cells(cells, run.good, run.importance, attention), NOTHING)
    assert {verdict.n for verdict in verdicts} == {9}
    assert {verdict.verdict for verdict in verdicts[:10]} == {"reproduced"}
    supers = [verdict for verdict in verdicts if "super" in verdict.claim]
    assert len(supers) == 2


def test_claims_of_ones_own_leave_the_verdicts_on_the_papers_claims_as_they_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    experiment = ToyExperiment(tasks=("sst2", "rte"), seeds=(1, 2))
    reported(experiment, tmp_path / "paper")
    own = Claim(
        "mine",
        "none",
        "Good beats bad.",
        {"structured good pruned": 1, "structured bad pruned": -1},
    )
    monkeypatch.setattr(
        "lottery.analysis.tables.FAMILIES", {"verdicts": CLAIMS, "own-verdicts": (own,)}
    )
    reported(experiment, tmp_path / "own")
    paper, with_own = (tmp_path / name / "reports" for name in ("paper", "own"))
    name = "tables/verdicts.csv"
    assert (paper / name).read_bytes() == (with_own / name).read_bytes()
    [verdict] = pd.read_csv(with_own / "tables/own-verdicts.csv").to_dict("records")
    assert verdict["p_holm"] == verdict["p"]
    assert "| mine " in (with_own / "report.md").read_text(encoding="utf-8")
    assert "| mine " not in (paper / "report.md").read_text(encoding="utf-8")
