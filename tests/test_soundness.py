"""Cells and tickets that are left out: near a guess, vacuous or censored searches, empty; and the corrected scale."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pytest

from lottery.analysis.scale import corrected
from lottery.analysis.soundness import judged, searches, sound_cells, super_sparsity, usable_tickets
from tests import toys

MLPS = np.ones(2, bool)


def full_models(select: float, dev: float, task: str = "sst2", guess: float = 0.5) -> pd.DataFrame:
    metric = "pearson" if task == "stsb" else "accuracy"
    rows = [
        ("full", kind, split, value)
        for split, full in (("select", select), ("dev", dev))
        for kind, value in (("full", full), ("majority", guess))
    ]
    frame = pd.DataFrame(rows, columns=["method", "kind", "split", "value"])
    return frame.assign(
        task=task, seed=1, state="finetuned", metric=metric, n=100, draw=0, matched=np.nan
    )


def steps(
    scores: Sequence[float], threshold: float = 0.7, step: float = 0.2, task: str = "sst2"
) -> pd.DataFrame:
    frame = pd.DataFrame({"step": range(len(scores)), "score": scores})
    return frame.assign(
        task=task, seed=1, method="structured", phase="both", sparsity=frame["step"] * step,
        accepted=frame["score"] >= threshold, threshold=threshold, full_score=scores[0],
    )  # fmt: skip


@pytest.mark.parametrize(
    ("select", "dev", "reason"),
    [
        (0.8, 0.8, ""),
        (0.55, 0.8, "full-near-guess-select"),
        (0.8, 0.58, "full-near-guess-dev"),
        (0.5, 0.3, "full-near-guess-dev; full-near-guess-select"),
        (np.nan, 0.8, "full-near-guess-select"),
    ],
)
def test_a_cell_is_sound_on_select_and_on_dev(select: float, dev: float, reason: str) -> None:
    [row] = sound_cells(full_models(select, dev)).to_dict("records")
    assert row == {"sound": reason == "", "reason": reason}


def test_a_correlation_is_compared_with_zero() -> None:
    assert sound_cells(full_models(0.3, 0.3, "stsb", np.nan))["sound"].all()
    assert not sound_cells(full_models(0.3, 0.1, "stsb", np.nan))["sound"].any()


@pytest.mark.parametrize(
    ("scores", "threshold", "step", "reason"),
    [
        ((0.8, 0.75, 0.5), 0.7, 0.2, ""),
        ((0.6, 0.55, 0.4), 0.5, 0.2, "vacuous"),
        ((0.8, 0.75, 0.5), 0.7, 0.96, "kept-nothing"),
        ((0.8, 0.75, 0.5), 0.7, 0.04, "kept-everything"),
        ((0.8, 0.6, 0.5), 0.7, 0.2, "kept-everything"),
    ],
)
def test_searches_that_show_nothing_have_a_reason(
    scores: Sequence[float], threshold: float, step: float, reason: str
) -> None:
    [row] = searches(steps(scores, threshold, step), full_models(0.8, 0.8)).to_dict("records")
    assert (row["reason"], row["usable"]) == (reason, reason == "")


@pytest.mark.parametrize(("last", "censored"), [(0.75, True), (0.5, False)])
def test_a_search_that_still_accepts_when_it_ends_is_censored(last: float, censored: bool) -> None:
    [row] = searches(steps((0.8, 0.75, last)), full_models(0.8, 0.8)).to_dict("records")
    assert row["censored"] == censored
    assert row["sparsity"] == pytest.approx(0.4 if censored else 0.2)


def test_reasons_reach_every_ticket_but_those_of_matched_size_keep_their_own() -> None:
    found = searches(steps((0.8, 0.75, 0.5), step=0.96), full_models(0.8, 0.8))
    sound = sound_cells(full_models(0.8, 0.8))
    rows = [("full", "full", np.nan), ("structured", "good", np.nan), ("structured", "good", 0.5)]
    rows.append(("structured", "super", np.nan))
    cells = pd.DataFrame(rows, columns=["method", "kind", "matched"]).assign(task="sst2", seed=1)
    marked = judged(cells, sound, found, {"sst2": 0.99})
    assert marked["reason"].tolist() == ["", "kept-nothing", "", "kept-nothing"]
    assert marked["usable"].tolist() == [True, False, True, False]
    unsound = judged(cells, sound_cells(full_models(0.8, 0.5)), found, {"sst2": 0.5})
    assert not unsound["sound"].any()
    assert not unsound["usable"].any()
    assert unsound["reason"].iloc[1] == "full-near-guess-dev; kept-nothing"


def test_tickets_of_unusable_searches_and_unsound_cells_are_dropped() -> None:
    ticket = toys.good_ticket("sst2", 1, np.eye(2, 6, dtype=bool), MLPS)
    sound, found = (
        sound_cells(full_models(0.8, 0.8)),
        searches(steps((0.8, 0.75, 0.5)), full_models(0.8, 0.8)),
    )
    assert usable_tickets([ticket], sound, found) == [ticket]
    assert not usable_tickets([ticket], sound_cells(full_models(0.5, 0.8)), found)
    assert not usable_tickets([ticket], sound, found.assign(usable=False))


def test_super_survivors_are_what_all_seeds_keep() -> None:
    left, right = np.eye(2, 6, dtype=bool), np.eye(2, 6, 3, dtype=bool)
    tickets = [
        toys.good_ticket("sst2", seed, kept, MLPS) for seed, kept in enumerate((left, right))
    ]
    assert super_sparsity(tickets)["sst2"] == pytest.approx(1 / 3)


def test_zero_is_a_guess_and_one_the_full_model() -> None:
    frame = pd.concat(
        [
            full_models(0.8, 0.8),
            full_models(0.8, 0.8)
            .query("kind == 'full'")
            .assign(method="structured", kind="good", value=0.65),
        ]
    )
    shares = corrected(frame).set_index("kind")["share"]
    assert shares["full"].tolist() == [1, 1]
    assert shares["majority"].tolist() == [0, 0]
    assert shares["good"].tolist() == pytest.approx([0.5, 0.5])


def test_a_ticket_without_a_correlation_is_a_guess_and_a_bad_full_model_gives_no_scale() -> None:
    ticket = full_models(0.8, 0.8, "stsb", 0).query("kind == 'full'")
    constant = ticket.assign(method="structured", kind="good", value=np.nan)
    assert corrected(pd.concat([full_models(0.8, 0.8, "stsb", 0), constant])).query(
        "kind == 'good'"
    )["share"].tolist() == [0, 0]
    assert corrected(full_models(0.4, 0.4))["share"].isna().all()
