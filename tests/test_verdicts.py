"""Verdicts: words, families and their gates, tasks, intervals that agree, the authors' data, random masks."""

from collections.abc import Mapping, Sequence
from itertools import chain
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lottery.analysis import published_masks, published_scores, tables
from lottery.analysis.calibration import PRETENDERS, controls, negative_control
from lottery.analysis.claims import FAMILIES, MARGIN, PRIMARY, Claim, claims_hash
from lottery.analysis.estimate import Estimate
from lottery.analysis.evidence import Evidence
from lottery.analysis.hypotheses import Above, Within
from lottery.analysis.verdicts import ClaimDecision, decide, decide_family
from lottery.seeds import rng
from tests.project import ROOT
from tests.records import ToyExperiment, analysed

TASKS = ("sst2", "rte", "stsb")
ABOVE = Above({"a": 1, "b": -1}, -0.1, margin=MARGIN)


def claim(name: str = "P1", clause: str = "P1", hypothesis: Above | Within = ABOVE) -> Claim:
    return Claim(name, clause, "4", "A sentence.", [hypothesis])


def evidence(effects: Sequence[float], sd: float = 0.02, seeds: int = 3) -> Evidence:
    """Quantities `a` and `b` of three tasks, with these mean values of a - b - 0.1, and noise over seeds."""
    noise = np.linspace(-sd, sd, seeds)
    cells = {
        (task, seed): {"a": 0.5 + effect + 0.1 + noise[seed], "b": 0.5}
        for task, effect in zip(TASKS, effects, strict=True)
        for seed in range(seeds)
    }
    index = pd.MultiIndex.from_tuples(list(cells), names=["task", "seed"])
    return Evidence(pd.DataFrame(list(cells.values()), index), seeds=seeds)


def verdict_on(
    effects: Sequence[float], sd: float = 0.02, hypothesis: Above | Within = ABOVE
) -> ClaimDecision:
    [decision] = decide(
        {"primary": [claim(hypothesis=hypothesis)]}, evidence(effects, sd), TASKS, 0.05
    )
    return decision


@pytest.mark.parametrize(
    ("effects", "sd", "verdict"),
    [
        ((0.3, 0.5, 0.4), 0.02, "reproduced"),
        ((-0.3, -0.5, -0.4), 0.02, "contradicted"),
        ((0.0, 0.01, -0.01), 0.02, "equivalent"),
        ((0.1, -0.2, 0.0), 0.4, "undecided"),
    ],
)
def test_each_word_has_its_evidence(effects: tuple[float, ...], sd: float, verdict: str) -> None:
    decision = verdict_on(effects, sd)
    assert decision.overall.verdict == verdict
    assert decision.overall.estimate.effect == pytest.approx(np.mean(effects))
    assert (decision.overall.detectable > 0.1) == (verdict == "undecided")


def test_a_claim_of_equivalence_is_reproduced_within_its_margin_and_contradicted_beyond() -> None:
    hypothesis = Within({"a": 1, "b": -1}, -0.1, MARGIN)
    assert verdict_on((0.0, 0.01, 0.0), hypothesis=hypothesis).overall.verdict == "reproduced"
    for sign in (1, -1):
        beyond = verdict_on((sign * 0.4, sign * 0.4, sign * 0.5), hypothesis=hypothesis)
        assert beyond.overall.verdict == "contradicted"
    assert verdict_on((0.0, 0.1, 0.0), 0.5, hypothesis).overall.verdict == "undecided"
    assert hypothesis.words == "|a - b - 0.1| < 0.1"


def test_a_claim_that_needs_more_seeds_is_untested() -> None:
    hypothesis = Within({"a": 1}, -0.6, MARGIN, seeds=5)
    assert verdict_on((0.0, 0.0, 0.0), hypothesis=hypothesis).overall.verdict == "untested"


@settings(max_examples=50)
@given(
    st.lists(st.tuples(*[st.floats(-0.5, 0.5)] * 3), min_size=1, max_size=5), st.floats(0.01, 0.3)
)
def test_an_interval_excludes_zero_just_where_the_verdict_says_so(
    effects: list[tuple[float, ...]], sd: float
) -> None:
    tested: list[Estimate] = [ABOVE.test(evidence(of_claim, sd)) for of_claim in effects]
    for decision in decide_family(tested, 0.05):
        if decision.verdict == "reproduced":
            assert decision.low > 0
        elif decision.verdict == "contradicted":
            assert decision.high < 0
        elif decision.verdict == "equivalent":
            assert -MARGIN < decision.low <= decision.high < MARGIN
        else:
            assert decision.low <= 0 <= decision.high


def test_claims_of_a_clause_are_tested_once_it_is_decided() -> None:
    unclear = Above({"a": 1, "b": -1}, -0.5)
    data = evidence((0.3, 0.5, 0.4))
    families = {
        "primary": [claim(), claim("P2", "P2", unclear)],
        "secondary": [claim("one", "P1"), claim("two", "P2")],
    }
    verdicts = {
        each.claim.name: each.overall.verdict for each in decide(families, data, TASKS, 0.05)
    }
    assert verdicts == {"P1": "reproduced", "P2": "undecided", "one": "reproduced", "two": "closed"}
    [*_, ungated] = decide(families, data, TASKS, 0.05, of_means=True)
    assert ungated.overall.verdict == "reproduced"


def test_claims_of_other_families_change_nothing() -> None:
    data, own = evidence((0.05, 0.1, 0.02)), [claim(f"own {number}", "") for number in range(9)]
    [alone] = decide({"primary": [claim()]}, data, TASKS, 0.05)
    with_own = decide({"primary": [claim()], "own": own}, data, TASKS, 0.05)
    assert with_own[0] == alone
    assert with_own[1].overall.p_adjusted == pytest.approx(9 * alone.overall.p)


def test_the_number_of_tasks_that_hold_is_corrected_for_the_number_of_tasks() -> None:
    decision = verdict_on((0.5, 0.5, -0.5), 0.02)
    assert decision.supporting == 2
    assert decision.tasks["stsb"].verdict == "contradicted"
    assert decision.tasks["sst2"].p_adjusted == pytest.approx(3 * decision.tasks["sst2"].p)


def test_what_was_not_measured_is_untested_and_no_test() -> None:
    unmeasured = claim("other", "P1", Above({"c": 1}))
    first, second = decide(
        {"primary": [claim(), unmeasured]}, evidence((0.3, 0.5, 0.4)), TASKS, 0.05
    )
    assert second.overall.verdict == "untested"
    assert first.overall.p_adjusted == first.overall.p


def test_names_of_claims_are_unique_and_clauses_are_primary() -> None:
    claims = list(chain.from_iterable(FAMILIES.values()))
    assert len({claim.name for claim in claims}) == len(claims)
    assert {claim.clause for claim in claims} <= {claim.name for claim in PRIMARY}
    assert len(PRIMARY) == 5
    assert len(claims_hash()) == 64


@pytest.fixture(scope="module")
def authors() -> list[ClaimDecision]:
    return tables.Published(
        published_scores.read(ROOT / "published" / "results.csv"),
        published_masks.read(ROOT / "published" / "masks.csv"),
    ).decide()


def test_positive_control_the_authors_own_means_decide_most_claims_about_scores(
    authors: list[ClaimDecision],
) -> None:
    row, _ = controls(authors, []).to_dict("records")
    assert (row["name"], row["of"]) == ("published", 16)
    assert row["decided"] >= 9
    verdicts = {each.claim.name: each.overall.verdict for each in authors}
    assert "contradicted" not in verdicts.values()
    assert verdicts["P1"] == verdicts["P4"] == "reproduced"
    weak = "s-pruning, retrained: random below good"
    assert verdicts[weak] == "undecided"


def random_masks(seed: int, draws: int = 8) -> Evidence:
    """Scores of random masks of both methods, which differ between cells, but not between draws."""
    random = rng("random masks", seed)
    rows = [
        (task, cell, method, "random", draw, level + random.normal(0, 0.1))
        for task in TASKS
        for cell in range(3)
        for level in [random.normal(0.4, 0.2)]
        for method in ("structured", "magnitude")
        for draw in range(draws)
    ]
    columns = ["task", "seed", "method", "kind", "draw", "share"]
    return Evidence(pd.DataFrame(), draws=pd.DataFrame(rows, columns=columns))


def test_negative_control_one_random_mask_against_another_decides_nothing() -> None:
    runs = [negative_control(random_masks(seed), TASKS, 0.05) for seed in range(30)]
    assert {len(run) for run in runs} == {len(PRETENDERS)}
    false = [
        any(each.overall.verdict in {"reproduced", "contradicted"} for each in run) for run in runs
    ]
    # Each of the two words may be wrong in 5 % of the runs.
    assert sum(false) <= 7


@pytest.fixture(scope="module")
def toy_tables(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, pd.DataFrame]:
    root = tmp_path_factory.mktemp("toy")
    analysed(ToyExperiment(), root)
    paths = (root / "reports" / "tables").glob("*.csv")
    return {path.stem: pd.read_csv(path) for path in paths}


def test_a_run_tests_all_claims_and_reproduces_what_was_made_up(
    toy_tables: Mapping[str, pd.DataFrame],
) -> None:
    verdicts = toy_tables["verdicts"].set_index("claim")["verdict"]
    assert verdicts[verdicts == "untested"].index.tolist() == ["s-pruning: 70 % of heads unstable"]
    assert (verdicts[[claim.name for claim in PRIMARY]] == "reproduced").all()
    assert not (verdicts == "contradicted").any()
    replicates = toy_tables["verdicts"].set_index("claim")["replicates"]
    assert replicates[replicates == "heads"].index.tolist() == [
        "m-pruning: std about 0.01", "s-pruning: survivors not mostly meaningful",
    ]  # fmt: skip
    assert replicates[replicates == "seeds"].index.tolist() == [
        "m-pruning: alike across tasks", "s-pruning: heads differ across tasks",
    ]  # fmt: skip
    by_name = toy_tables["controls"].set_index("name")
    decided = by_name["decided"].to_dict()
    assert decided["random"] == 0
    assert decided["published"] >= 9


def test_dots_average_to_the_effect(toy_tables: Mapping[str, pd.DataFrame]) -> None:
    dots = toy_tables["verdict-cells"].groupby(["claim", "task"])["effect"].mean()
    effects = toy_tables["verdicts"].set_index("claim")["effect"]
    for name in ("P1", "P2", "P3", "s-pruning, pruned: random below good"):
        assert dots[name].mean() == pytest.approx(effects[name], rel=1e-4)
        by_task = toy_tables["verdict-tasks"].set_index(["claim", "task"])["effect"]
        for task, mean in dots[name].items() if name != "P3" else ():
            # The weakest part of a claim need not be the same in a task.
            assert by_task[name, task] == pytest.approx(mean, rel=1e-4)


def test_a_claim_of_ones_own_is_in_the_table_and_changes_no_other_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    experiment = ToyExperiment(tasks=("sst2", "rte"), seeds=(1, 2))
    analysed(experiment, tmp_path / "paper")
    mine = claim("mine", "", Above({"structured good pruned": 1, "structured bad pruned": -1}))
    monkeypatch.setattr("lottery.analysis.tables.FAMILIES", {**FAMILIES, "own": [mine]})
    analysed(experiment, tmp_path / "own")
    paper, with_own = (
        pd.read_csv(tmp_path / name / "reports/tables/verdicts.csv") for name in ("paper", "own")
    )
    pd.testing.assert_frame_equal(paper, with_own.iloc[:-1])
    last = with_own.iloc[-1]
    assert (last["claim"], last["family"]) == ("mine", "own")
    assert last["p"] == last["p_adjusted"]
