"""Claims of other papers are tested as the paper's are, where a run has what they are about."""

import re
from typing import cast

import numpy as np
import pandas as pd
import pytest

from lottery.analysis import rewinding
from lottery.analysis.other_papers import claims, numbers, quantities
from lottery.analysis.other_papers.tables import tables
from lottery.params import Sections
from lottery.report import markdown
from lottery.report.blocks import Document
from lottery.report.material import Material
from lottery.report.provenance import Provenance
from lottery.report.sections import other_papers as section

TASKS, SEEDS = ("sst2", "stsb"), range(4)
METRIC = {"sst2": "accuracy", "stsb": "pearson"}
NOTHING = pd.DataFrame()


def noise(task: str, seed: int, what: str) -> float:
    return 0.01 * float(np.random.default_rng([len(task), seed, *what.encode()]).normal())


def run_tables(good: float = 1.0, light: float = 1.0) -> dict[str, pd.DataFrame]:
    """Cells whose full model scores 0.9 and whose majority class 0.5, and curves of one lightly pruned step."""
    scored = [("full", "majority", "finetuned", 0.0), ("full", "full", "finetuned", 1.0)]
    scored += [("structured", "good", "retrained", good)]
    cells = [
        (task, seed, method, kind, state, np.nan, METRIC[task], 0.5 + 0.4 * share, share)
        for task in TASKS
        for seed in SEEDS
        for method, kind, state, base in scored
        for share in [base + noise(task, seed, kind) * (method != "full")]
    ]
    columns = ["task", "seed", "method", "kind", "state", "matched", "metric", "value", "share"]
    flags = {"reported": True, "sound": True, "usable": True}
    steps = [
        (task, seed, "structured", phase, step, sparsity, 0.5 + 0.4 * share, 0.9, 0.5)
        for task in TASKS
        for seed in SEEDS
        for phase, step, sparsity, share in (
            ("full", 0, 0.0, 1.0),
            ("both", 1, 0.1, light + noise(task, seed, "light")),
            ("both", 2, 0.5, 0.0),
        )
    ]
    of_steps = [
        "task", "seed", "method", "phase", "step", "sparsity", "score", "full_score", "guess",
    ]  # fmt: skip
    return {
        "cells": pd.DataFrame(cells, columns=columns).assign(**flags),
        "curves": pd.DataFrame(steps, columns=of_steps),
    }


def rewound(**shares: float) -> pd.DataFrame:
    """Records of masks at 40 %, by the corrected score of each control."""
    rows = [
        (task, seed, control, sparsity, "dev", METRIC[task], value, 100)
        for task in TASKS
        for seed in SEEDS
        for control, sparsity, share in (
            ("rewound", 0.0, 1.0),
            *((name, 0.4, share) for name, share in shares.items()),
        )
        for value in [0.5 + 0.4 * share + noise(task, seed, control)]
    ]
    columns = ["task", "seed", "control", "sparsity", "split", "metric", "value", "n"]
    return pd.DataFrame(rows, columns=columns)


def transferred(**shares: float) -> pd.DataFrame:
    """Records of masks of weights, by the corrected score of each source; random masks score a guess."""
    rows = [
        (task, seed, "magnitude", source, kind, 0.5, "dev", METRIC[task], value)
        for task in TASKS
        for seed in SEEDS
        for name, share in shares.items()
        for source in [
            {"own": task, "another": TASKS[task == TASKS[0]]}.get(name, "pre-trained weights")
        ]
        for kind in ("mask", "random")
        for value in [0.5 + 0.4 * share * (kind == "mask") + noise(task, seed, name)]
    ]
    columns = [
        "task", "seed", "method", "source", "kind", "sparsity", "split", "metric", "value",
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=columns)


def everything() -> dict[str, pd.DataFrame]:
    masks = rewound(rewound=1.0, random=0.2, reinitialised=0.1, pretrained=0.5)
    run = run_tables(good=1.3)
    run |= rewinding.tables(masks, run["cells"])
    others = transferred(own=0.9, another=0.4, pretrained=0.9)
    return {**run, **tables(run, masks, others, TASKS, len(SEEDS), (len(SEEDS),))}


def test_claims_get_the_words_that_made_up_scores_deserve() -> None:
    verdicts = everything()["papers"].set_index("claim")["verdict"].to_dict()
    assert verdicts == {
        "Frankle: winning tickets match": "reproduced",
        "Frankle: first weights matter": "reproduced",
        "Frankle: structure matters": "reproduced",
        "Chen: matching at 40 %": "reproduced",
        "Chen: above random": "reproduced",
        "Chen: limited transfer": "reproduced",
        "Chen: pre-trained masks are universal": "reproduced",
        "Gordon: 40 % for free": "contradicted",
        "Gordon: pruned once for all tasks": "reproduced",
        "Liang: super tickets": "reproduced",
        "Liang: light pruning helps": "equivalent",
    }


def test_effects_are_differences_of_corrected_scores() -> None:
    effects = everything()["papers"].set_index("claim")["effect"]
    expected = {
        "Frankle: structure matters": 0.8,
        "Chen: limited transfer": 0.5,
        "Liang: super tickets": 0.3,
    }
    assert effects[[*expected]].tolist() == pytest.approx([*expected.values()], abs=0.05)
    assert effects["Gordon: 40 % for free"] == pytest.approx(-0.5 + 0.1, abs=0.05)


def test_claims_about_what_did_not_run_are_untested() -> None:
    run = run_tables()
    arguments = (TASKS, len(SEEDS), (len(SEEDS),))
    assert not tables(run, NOTHING, NOTHING, *arguments)
    verdicts = tables(run, NOTHING, transferred(own=0.9, another=0.4), *arguments)["papers"]
    tested = set(verdicts.loc[verdicts["verdict"] != "untested", "claim"])
    assert tested == {
        "Chen: limited transfer",
        "Liang: super tickets",
        "Liang: light pruning helps",
    }


def test_a_cell_that_is_not_sound_counts_nowhere() -> None:
    run = run_tables()
    run["cells"]["sound"] = run["cells"]["seed"] != 0
    masks = rewound(rewound=1.0, random=0.2)
    evidence = quantities.of_run(run, masks, NOTHING)
    assert set(evidence.cells.index.get_level_values("seed")) == set(SEEDS) - {0}


def test_a_constant_prediction_counts_as_a_guess() -> None:
    masks = rewound(rewound=1.0, random=0.2)
    masks.loc[(masks["control"] == "random") & (masks["task"] == "stsb"), "value"] = np.nan
    values = rewinding.reported(masks)
    assert set(
        values.loc[(values["control"] == "random") & (values["task"] == "stsb"), "value"]
    ) == {0}


def test_every_name_of_ours_is_measured_in_a_run_of_its_task() -> None:
    ours = everything()["paper-numbers"]
    of_other_tasks = [
        name
        for task in ("mnli", "qqp", "qnli", "mrpc", "rte", "cola")
        for name in [f"{task} matches"]
    ]
    for number, value in zip(numbers.NUMBERS, ours["ours"], strict=True):
        has_ours = number.ours and number.ours not in of_other_tasks
        assert np.isfinite(value) == bool(has_ours), number
    assert set(ours["status"]) == {numbers.READ, numbers.NOT_VERIFIED}
    gain = ours.loc[ours["quantity"].str.startswith("gain of super"), "ours"].item()
    assert gain == pytest.approx(100 * 0.4 * 0.3, abs=1)


def test_a_task_without_a_mask_that_matches_counts_in_the_mean() -> None:
    run = everything()
    means, task = run["rewinding"], run["rewinding"]["task"]

    def ours(matches: "pd.Series[bool]") -> float:
        changed = {**run, "rewinding": means.assign(matches=matches)}
        table = numbers.table(changed).set_index("quantity")["ours"]
        return float(table["sparsity of matching subnetworks"])

    every = means["matches"] | True
    assert ours(every & (task == TASKS[0])) == pytest.approx(ours(every) / len(TASKS))
    assert ours(every & False) == 0
    assert np.isnan(ours(pd.Series(None, means.index, dtype=object)))


def test_the_families_name_each_claim_once() -> None:
    names = [claim.name for paper in claims.PAPERS for claim in paper.claims]
    assert len(set(names)) == len(names)


def test_the_report_shows_other_papers_in_runs_that_have_them_alone() -> None:
    material = Material(everything(), {}, Sections([]), "figures", cast(Provenance, None))
    text = markdown.render(Document("", list(section.other_papers(material)), []))
    assert re.search(r"\| Gordon: 40 % for free +\| \N{MINUS SIGN}0\.\d\d \[.*contradicted", text)
    assert re.search(r"\| Chen et al. 2020 +\| Table 2 .*\| not verified", text)
    assert re.search(r"less than 10-20 % +\| read in the source +\| +60 %", text)
    without = Material(run_tables(), {}, material.parameters, "figures", material.provenance)
    assert not list(section.other_papers(without))
