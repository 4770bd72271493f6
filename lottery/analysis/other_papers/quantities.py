"""The quantities that the claims of other papers are about, by cell: corrected scores on dev.

Of rewound masks and their controls: at the sparsities at which controls were trained, averaged, or at the largest one
up to LOW. Of transferred masks: weights only, whose sizes differ by their source. Of s-pruning: the retrained good
ticket, and the mean of the search's steps up to LIGHT, on the data of the search.
"""

from collections.abc import Mapping, Sequence

import pandas as pd

from lottery.analysis import rewinding, transfer
from lottery.analysis.columns import CELL
from lottery.analysis.evidence import Evidence
from lottery.analysis.frames import beside
from lottery.analysis.other_papers import claims
from lottery.analysis.score_tables import first_phase
from lottery.tickets import rewound
from lottery.tickets.methods import MAGNITUDE, STRUCTURED
from lottery.tickets.transfer import PRETRAINED
from lottery.vocabulary import WHOLE

LOW = 0.4
"""The largest sparsity of Gordon et al.'s low regime, and the least of Chen et al.'s matching subnetworks."""
LIGHT = 0.2
"""The largest sparsity of light pruning (our choice)."""
ROUNDING = 1e-6


def of_run(
    tables: Mapping[str, pd.DataFrame], rewound: pd.DataFrame, transferred: pd.DataFrame
) -> Evidence:
    """The evidence of a run: its tables of `cells` and `curves`, and the records of the two parts, perhaps empty."""
    guess, full = baselines(tables["cells"])
    parts = []
    if not rewound.empty:
        parts.append(_rewound(rewinding.reported(rewound)))
    if not transferred.empty:
        parts.append(_transferred(transfer.by_cell(transferred)))
    scores = beside(parts).reindex(full.index)
    corrected = scores.sub(guess, axis=0).div(full - guess, axis=0)
    of_searches = _of_searches(tables["cells"], tables["curves"])
    seeds = int(full.groupby("task").size().max()) if len(full) else 0
    return Evidence(cells=beside([corrected, of_searches]).reindex(full.index), seeds=seeds)


def baselines(cells: pd.DataFrame) -> "tuple[pd.Series[float], pd.Series[float]]":
    """Scores of the majority class and of the full model, of the sound cells."""
    whole = cells[cells["reported"] & cells["sound"] & (cells["method"] == WHOLE)]
    by_kind = whole.pivot(index=CELL, columns="kind", values="value")
    by_kind = by_kind.reindex(columns=["majority", "full"])  # which no cell has, if none is sound
    return by_kind["majority"], by_kind["full"]


def _of_searches(cells: pd.DataFrame, curves: pd.DataFrame) -> pd.DataFrame:
    """Quantities of s-pruning, which are corrected: that of a full model is 1."""
    good = cells[
        cells["reported"]
        & cells["usable"]
        & (cells["method"] == STRUCTURED.name)
        & (cells["kind"] == "good")
        & (cells["state"] == "retrained")
        & cells["matched"].isna()
    ]
    steps = first_phase(curves)
    light = steps[
        (steps["method"] == STRUCTURED.name) & steps["sparsity"].between(ROUNDING, LIGHT + ROUNDING)
    ]
    share = (light["score"] - light["guess"]) / (light["full_score"] - light["guess"])
    by_cell = light.assign(share=share).groupby(CELL)["share"].mean()
    return beside(
        [
            good.set_index(CELL)["share"].rename(claims.RETRAINED).to_frame(),
            by_cell.rename(claims.LIGHTLY_PRUNED).to_frame(),
        ]
    )


def _rewound(reported: pd.DataFrame) -> pd.DataFrame:
    """Scores of rewound masks and controls."""
    at = reported.set_index([*CELL, "sparsity"])
    controlled = sorted(set(reported.loc[reported["control"] != rewound.REWOUND, "sparsity"]))
    rounds = sorted(set(reported.loc[reported["control"] == rewound.REWOUND, "sparsity"]) - {0})

    def mean(name: str, control: str, sparsities: Sequence[float]) -> pd.DataFrame:
        of_control = at[(at["control"] == control) & at.index.isin(sparsities, level="sparsity")]
        return of_control.groupby(CELL)["value"].mean().rename(name).to_frame()

    return beside(
        [
            mean(claims.FULL, rewound.REWOUND, [0.0]),
            mean(claims.REWOUND, rewound.REWOUND, controlled),
            mean(claims.RANDOM, "random", controlled),
            mean(claims.REINITIALISED, "reinitialised", controlled),
            mean(claims.LOW_REWOUND, rewound.REWOUND, _largest_low(rounds)),
            mean(claims.LOW_PRETRAINED, "pretrained", _largest_low(controlled)),
        ]
    )


def _largest_low(sparsities: Sequence[float]) -> list[float]:
    """The largest sparsity up to LOW, if there is one."""
    return [sparsity for sparsity in sparsities if sparsity <= LOW + ROUNDING][-1:]


def _transferred(gains: pd.DataFrame) -> pd.DataFrame:
    """Scores under masks of weights by where they come from; other tasks are averaged."""
    of_weights = gains[gains["method"] == MAGNITUDE.name]
    origin = transfer.origins(of_weights)
    named = {"own": claims.OWN, "another": claims.ANOTHER, PRETRAINED: claims.PRETRAINED}
    chosen = of_weights.assign(name=origin.map(named)).dropna(subset=["name"])
    return chosen.pivot_table(index=CELL, columns="name", values="score", aggfunc="mean")
