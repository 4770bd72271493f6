"""Tables of an analysis that never ran, in the columns that the report reads: every verdict and every note occurs."""

from collections.abc import Iterator, Mapping
from itertools import product

import numpy as np
import pandas as pd

from lottery.seeds import rng
from lottery.tickets.methods import MAGNITUDE, METHODS, STRUCTURED
from lottery.vocabulary import GOOD_AND_CONTROLS, WHOLE
from tests.records import LEVELS, ToyExperiment

CLAIMS = {
    "P1": ("primary", "P1", "probability", "reproduced", 0.48),
    "P2": ("primary", "P2", "probability", "reproduced", 0.31),
    "P3": ("primary", "P3", "share", "contradicted", -0.12),
    "P4": ("primary", "P4", "kappa", "undecided", 0.05),
    "P5": ("primary", "P5", "maps", "equivalent", 0.01),
    "m-pruning, pruned: random below good": ("secondary", "P1", "share", "reproduced", 0.72),
    "s-pruning, retrained: random below good": ("secondary", "P1", "share", "undecided", 0.06),
    "s-pruning, pruned: bad below random": ("secondary", "P2", "share", "reproduced", 0.22),
    "s-pruning, bad: retrained above pruned": ("secondary", "P3", "share", "reproduced", 0.51),
    "m-pruning: alike across seeds": ("secondary", "P4", "kappa", "closed", 0.37),
    "s-pruning: 70 % of heads unstable": ("secondary", "P4", "heads", "untested", np.nan),
    "m-pruning: std about 0.01": ("secondary", "P4", "std", "reproduced", 0.001),
    "a claim of our own": ("own", "", "share", "undecided", 0.02),
}
"""Family, clause, unit, verdict and effect of each made-up claim."""


def fabricated(
    experiment: ToyExperiment, tables: Mapping[str, pd.DataFrame]
) -> dict[str, pd.DataFrame]:
    """The tables of `experiment` that the analysis does not have yet; `tables` are those it has."""
    sound = [task for task in experiment.tasks if task not in experiment.degenerate]
    draws = pd.DataFrame(_draws(experiment))
    cells = _with_shares(tables["cells"], sound)
    return {
        "cells": cells,
        "draws": draws,
        "averages": _averages(cells),
        "verdicts": pd.DataFrame(_verdicts(experiment, sound)),
        "verdict-tasks": pd.DataFrame(_by_task(experiment, sound), columns=BY_TASK),
        "verdict-cells": pd.DataFrame(
            _by_cell(experiment, sound), columns=["claim", "task", "seed", "effect"]
        ),
        "agreement": _agreement(tables["agreement"]),
        "overlap": tables["overlap"].assign(matched=np.nan),
        "curves": tables["curves"].assign(guess=0.5),
        "results": tables["results"].assign(matched=np.nan),
        "baselines": _beside(cells, []),
        "ood": _beside(cells[cells["task"] == "sst2"], ["split"]),
        "calibration": pd.DataFrame(
            [("published", 14, 16), ("random-against-random", 0, 30)],
            columns=["name", "decided", "of"],
        ),
        "published": _published(tables["published"]),
        "searches": pd.DataFrame(_searches(experiment, sound)),
    }


BY_TASK = [
    "claim", "task", "verdict", "effect", "low", "high", "cells", "p", "mde",
    "published_effect", "published_low", "published_high",
]  # fmt: skip


def _draws(experiment: ToyExperiment) -> Iterator[dict[str, object]]:
    for task, seed, method, matched in product(
        experiment.tasks, experiment.seeds, METHODS.values(), (np.nan, 0.5)
    ):
        generator = rng(task, seed, method.name, str(matched), "draws")
        sparsity = 0.5 if matched == 0.5 else float(generator.uniform(0.2, 0.65))
        for kind, count in {"good": 1, "random": 19, "bad": 9}.items():
            level = LEVELS[method.prunes_weights]["pruned"][kind]
            for draw in range(count if matched != 0.5 or kind == "good" else 5):
                share = 1 - (1 - level) * (sparsity / 0.5) ** 1.5 + generator.normal(0, 0.07)
                yield {
                    "task": task, "seed": seed, "method": method.name, "kind": kind, "draw": draw,
                    "matched": matched, "sparsity": sparsity, "value": 0.5 + 0.32 * share,
                    "share": np.nan if task in experiment.degenerate else share,
                }  # fmt: skip


def _with_shares(cells: pd.DataFrame, sound: list[str]) -> pd.DataFrame:
    majority = (
        cells["metric"].isin(["pearson", "spearman", "matthews"]).map({True: 0.0, False: 0.5})
    )
    is_sound = cells["task"].isin(sound)
    judged = cells.assign(
        matched=np.nan,
        share=((cells["value"] - majority) / (0.82 - majority)).where(is_sound),
        sound=is_sound,
        usable=is_sound,
        reason=np.where(is_sound, "", "full-near-guess-select; full-near-guess-dev"),
    )
    pruned = judged[(judged["state"] == "pruned") & judged["kind"].isin(GOOD_AND_CONTROLS)]
    return pd.concat([judged, pruned.assign(matched=0.5)], ignore_index=True)


def _averages(cells: pd.DataFrame) -> pd.DataFrame:
    shown = cells[cells["reported"] & cells["sound"]]
    grouped = shown.groupby(["method", "kind", "state"], sort=False)["share"]
    mean, spread = grouped.mean(), grouped.std().fillna(0)
    table = pd.DataFrame(
        {
            "matched": np.nan,
            "mean": mean,
            "low": mean - spread,
            "high": mean + spread,
            "n": grouped.size(),
        }
    ).reset_index()
    baselines = [
        {"method": WHOLE, "kind": "words", "state": "finetuned", "mean": 0.55, "n": 3},
        {"method": STRUCTURED.name, "kind": "good", "state": "reinitialised", "mean": 0.4, "n": 3},
        {"method": MAGNITUDE.name, "kind": "good", "state": "reinitialised", "mean": 0.3, "n": 3},
    ]
    return pd.concat([table, pd.DataFrame(baselines if len(table) else [])], ignore_index=True)


def _agreement(agreement: pd.DataFrame) -> pd.DataFrame:
    frame = agreement.assign(
        matched=np.nan, kappa=agreement["jaccard"] - 0.2, pretrained_kappa=np.nan
    )
    fixed = frame.assign(matched=0.5, kappa=frame["kappa"] + 0.1)
    fixed.loc[fixed["method"] == MAGNITUDE.name, ["kappa", "pretrained_kappa"]] = 0.98
    return pd.concat([frame, fixed], ignore_index=True)


def _beside(cells: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    usable = cells[cells["usable"] & cells["split"].str.startswith("dev")]
    if not by:
        usable = usable[usable["reported"]]
    key = ["task", *by, "method", "kind", "state", "matched"]
    means = usable.groupby(key, sort=False, dropna=False).agg(
        value=("value", "mean"), std=("value", "std"), share=("share", "mean"), n=("value", "count"),
    )  # fmt: skip
    return means.reset_index()


def _published(published: pd.DataFrame) -> pd.DataFrame:
    majority, full = (
        published.loc[published["kind"] == kind, "mean"].iloc[0] for kind in ("majority", "full")
    )
    return published.assign(share=(published["mean"] - majority) / (full - majority))


def _verdicts(experiment: ToyExperiment, sound: list[str]) -> Iterator[dict[str, object]]:
    for claim, (family, clause, unit, word, effect) in CLAIMS.items():
        tested = bool(sound) and word != "untested" and len(experiment.seeds) > 1
        shown = effect if tested else np.nan
        yield {
            "claim": claim, "family": family, "clause": clause, "section": "4",
            "sentence": f"In words, {claim}.", "test": "Welch's t over seeds, tasks as strata",
            "verdict": word if tested else "untested", "effect": shown, "low": shown - 0.07, "high": shown + 0.07,
            "unit": unit, "cells": len(sound) * len(experiment.seeds) if tested else 0, "tasks": len(sound),
            "p": 0.0004 if tested else np.nan, "p_adjusted": 0.002 if tested else np.nan,
            "mde": 0.09 if tested else np.nan,
            "published_verdict": "untested" if family == "own" else "undecided" if clause == "P3" else "reproduced",
            "published_effect": np.nan if family == "own" else 0.2, "published_n": 0 if family == "own" else 8,
            "supporting": len(sound), "note": "",
        }  # fmt: skip


def _by_task(experiment: ToyExperiment, sound: list[str]) -> Iterator[list[object]]:
    for (claim, (family, _, _, word, effect)), task in product(CLAIMS.items(), experiment.tasks):
        if family == "primary" and task in sound:
            n = len(experiment.seeds)
            yield [
                claim, task, word, effect, effect - 0.1, effect + 0.1, n, 0.03, 0.1, effect + 0.02, np.nan, np.nan,
            ]  # fmt: skip


def _by_cell(experiment: ToyExperiment, sound: list[str]) -> Iterator[list[object]]:
    generator = rng("dots")
    for (claim, (*_, effect)), task, seed in product(CLAIMS.items(), sound, experiment.seeds):
        yield [claim, task, seed, effect + generator.normal(0, 0.04)]


def _searches(experiment: ToyExperiment, sound: list[str]) -> Iterator[dict[str, object]]:
    for task, seed, method in product(experiment.tasks, experiment.seeds, METHODS.values()):
        generator = rng(task, seed, method.name, "draws")
        yield {
            "task": task, "seed": seed, "method": method.name, "sparsity": float(generator.uniform(0.2, 0.65)),
            "steps": 9, "full_score": 0.82, "threshold": 0.74, "guess": 0.5, "score": 0.75,
            "censored": seed == experiment.seeds[0], "usable": task in sound,
            "reason": "" if task in sound else "vacuous; kept-nothing",
        }  # fmt: skip
