"""Stability of s-pruning: do searches with different seeds keep the same components? (paper, section 5)

Boolean arrays kept_S... hold one mask per seed, of heads [S, L, H] or MLPs [S, L]. Statistics that are undefined (one
seed, nothing kept, everything kept) are NaN.
Suffixes: S seeds, L layers, H heads, C all components.
"""

from collections.abc import Sequence
from itertools import combinations

import krippendorff
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from statsmodels.stats.contingency_tables import cochrans_q
from statsmodels.stats.inter_rater import fleiss_kappa

from lottery import seeds
from lottery.analysis.resampling import PERMUTATIONS, greater, permutations
from lottery.metrics import spearman
from lottery.subnetwork import Kept
from lottery.ticket import Ticket
from lottery.tickets.methods import STRUCTURED

NAN = float("nan")
QUANTILES = (0.0, 0.1, 0.25, 0.5, 0.75, 0.9, 1.0)


def stability(tickets: Sequence[Ticket]) -> pd.DataFrame:
    """All statistics of each task's s-pruned good tickets: task, matched, unit, statistic, value.

    `matched` is null for tickets of the size of their search.
    """
    sizes = list(dict.fromkeys((ticket.task, ticket.key.matched) for ticket in tickets))
    rows = [
        (task, matched, unit, statistic, value)
        for task, matched in sizes
        for unit, kept_S in _masks_over_seeds(tickets, task, matched).items()
        for statistic, value in statistics(kept_S, _stream(task, matched, unit)).items()
    ]
    columns = ["task", "matched", "unit", "statistic", "value"]
    return pd.DataFrame(rows, columns=columns).astype({"matched": float})


def _stream(task: str, matched: float | None, unit: str) -> np.random.Generator:
    size = () if matched is None else (f"{matched:g}",)
    return seeds.rng("stability", task, unit, *size)


def _masks_over_seeds(
    tickets: Sequence[Ticket], task: str, matched: float | None
) -> dict[str, Kept]:
    """Masks of a task's s-pruned tickets, stacked in the order of seeds: heads [S, L, H], mlps [S, L]."""
    key = STRUCTURED.good._replace(matched=matched)
    subnetworks = [
        ticket.subnetwork
        for ticket in sorted(tickets, key=lambda ticket: ticket.seed)
        if (ticket.task, ticket.key) == (task, key)
    ]
    if not subnetworks:
        return {}
    return {unit: np.stack([kept[unit] for kept in subnetworks]) for unit in STRUCTURED.units}


def statistics(kept_S: Kept, rng: np.random.Generator) -> dict[str, float]:
    """Sizes of one task's masks [S, ...], agreement between seeds, and its chance level."""
    kept_SC = kept_S.reshape(len(kept_S), -1)
    return sizes(kept_SC) | reliability(kept_SC) | similarity(kept_S, rng) | cochran(kept_SC)


def sizes(kept_SC: Kept) -> dict[str, float]:
    """Numbers of components that survive, with every seed or with none, and their spread over seeds.

    `share_mixed` is the share of components that some seeds keep and others prune. The paper gives the share of heads
    whose std lies in [.45, .55]. Over 5 seeds a std (ddof 1) is 0, .447 or .548, so it matters whether it is rounded
    to two decimals first: both shares are given. Expected counts are those of independent seeds of these sizes.
    """
    seeds, components = kept_SC.shape
    size_S, times_C = kept_SC.sum(axis=1), kept_SC.sum(axis=0)
    std_C = kept_SC.std(axis=0, ddof=1) if seeds > 1 else np.full(components, NAN)
    return {
        "surviving_mean": float(size_S.mean()),
        "surviving_std": float(size_S.std(ddof=1)) if seeds > 1 else NAN,
        "super_survivors": float((times_C == seeds).sum()),
        "super_survivors_expected": float(components * np.prod(size_S / components)),
        "never_survivors": float((times_C == 0).sum()),
        "never_survivors_expected": float(components * np.prod(1 - size_S / components)),
        "share_mixed": float(((times_C > 0) & (times_C < seeds)).mean()) if seeds > 1 else NAN,
        "share_std_in_045_055": _share_from_045_to_055(std_C),
        "share_std_in_045_055_rounded": _share_from_045_to_055(std_C.round(2)),
    }


def _share_from_045_to_055(std_C: NDArray[np.float64]) -> float:
    return NAN if np.isnan(std_C).any() else float(((std_C >= 0.45) & (std_C <= 0.55)).mean())


def reliability(kept_SC: Kept) -> dict[str, float]:
    """Agreement beyond chance, with components as subjects and seeds as raters: 1 is perfect, 0 is chance level."""
    if len(kept_SC) < 2 or kept_SC.all() or not kept_SC.any():
        return {"fleiss_kappa": NAN, "krippendorff_alpha": NAN}
    times_C = kept_SC.sum(axis=0)
    return {
        "fleiss_kappa": float(fleiss_kappa(np.stack([len(kept_SC) - times_C, times_C], axis=1))),
        "krippendorff_alpha": float(
            krippendorff.alpha(kept_SC.astype(int), level_of_measurement="nominal")
        ),
    }


def similarity(kept_S: Kept, rng: np.random.Generator) -> dict[str, float]:
    """Mean Jaccard index over pairs of seeds, its chance level, and permutation tests of whether it exceeds chance.

    Permutations keep each seed's size: over all components (`uniform`), or within each layer (`within_layer`, for
    heads only), which preserves a preference for layers. Two empty masks have no index.
    """
    kept_SC = kept_S.reshape(len(kept_S), -1)
    observed, has_layers = _mean(jaccard(kept_SC)), kept_S.ndim > 2
    return {
        "jaccard_mean": observed,
        "jaccard_chance": _mean(expected_jaccard(kept_SC)),
        "jaccard_p_uniform": _permutation_p(kept_SC, observed, rng),
        "jaccard_p_within_layer": _permutation_p(kept_S, observed, rng) if has_layers else NAN,
    }


def jaccard(kept_SC: Kept) -> NDArray[np.float64]:
    """|A and B| / |A or B| of every two of S masks, [..., S, C] -> [..., pairs]; NaN for two empty ones."""
    a, b = np.triu_indices(kept_SC.shape[-2], k=1)
    # The product of masks as matrices counts the components that each pair shares.
    ones_SC = kept_SC.astype(np.float32)
    shared = (ones_SC @ ones_SC.swapaxes(-1, -2))[..., a, b].astype(np.float64)
    size_S = kept_SC.sum(axis=-1)
    return _ratio(shared, size_S[..., a] + size_S[..., b] - shared)


def expected_jaccard(kept_SC: Kept) -> NDArray[np.float64]:
    """Chance level for the same pairs: e / (a + b - e), where e = ab / C is the overlap of independent masks."""
    a, b = (kept_SC.sum(axis=1)[index] for index in np.triu_indices(len(kept_SC), k=1))
    shared = a * b / kept_SC.shape[1]
    return _ratio(shared, a + b - shared)


def _ratio(part: NDArray[np.float64], whole: NDArray[np.float64]) -> NDArray[np.float64]:
    ratio: NDArray[np.float64] = np.full(part.shape, NAN)
    return np.divide(part, whole, out=ratio, where=whole > 0)


def _permutation_p(kept: Kept, observed: float, rng: np.random.Generator) -> float:
    """p value of a mean Jaccard index this large, by permuting the last axis; NaN if no permutation changes it."""
    sizes = kept.sum(axis=-1)
    if np.isnan(observed) or not ((sizes > 0) & (sizes < kept.shape[-1])).any():
        return NAN
    permuted = permutations(kept, rng).reshape(PERMUTATIONS, len(kept), -1)
    return greater(observed, np.nanmean(jaccard(permuted), axis=-1))


def _mean(values: NDArray[np.float64]) -> float:
    defined = values[~np.isnan(values)]
    return float(defined.mean()) if defined.size else NAN


def cochran(kept_SC: Kept) -> dict[str, float]:
    """Cochran's Q with components as blocks and seeds as treatments.

    It tests whether seeds keep the same *number* of components, not whether they keep the *same* ones: a large p value
    means that sizes agree, and says nothing about stability.
    """
    if len(kept_SC) < 2:
        return {"cochran_q": NAN, "cochran_df": NAN, "cochran_p": NAN}
    df = float(len(kept_SC) - 1)
    if (kept_SC == kept_SC[0]).all():
        return {"cochran_q": NAN, "cochran_df": df, "cochran_p": NAN}
    test = cochrans_q(kept_SC.T.astype(int))
    return {
        "cochran_q": float(test.statistic),
        "cochran_df": df,
        "cochran_p": float(test.pvalue),
    }


def importance_quantiles(importance: pd.DataFrame) -> pd.DataFrame:
    """Quantiles over the components of unpruned models: task, unit, quantile, mean and std over seeds, n."""
    by = ["task", "unit", "quantile"]
    rows = [
        (task, unit, level, float(of_seed["importance"].quantile(level)))
        for (task, unit, _), of_seed in importance.groupby(["task", "unit", "seed"], sort=False)
        for level in QUANTILES
    ]
    values = pd.DataFrame(rows, columns=[*by, "value"]).groupby(by, sort=False)["value"]
    return values.agg(mean="mean", std="std", n="count").reset_index()


def importance_reliability(importance: pd.DataFrame) -> pd.DataFrame:
    """The noise of importance: Spearman correlation of either half of the examples, task by task and seed by seed.

    `reliability` is that of importance by all examples, by the formula of Spearman and Brown.
    """
    rows = []
    for keys, cell in importance.groupby(["task", "unit", "seed"], sort=False):
        halves = cell[["first_half", "second_half"]].astype(np.float64).dropna()
        if len(halves):
            rho = spearman(*(halves[half].to_numpy() for half in halves))
            rows.append((*keys, rho, 2 * rho / (1 + rho) if rho > -1 else np.nan))
    return pd.DataFrame(rows, columns=["task", "unit", "seed", "spearman", "reliability"])


def importance_agreement(importance: pd.DataFrame) -> pd.DataFrame:
    """Spearman correlation of importance between every two seeds: task, unit, seed_a, seed_b, spearman."""
    rows: list[tuple[object, ...]] = []
    for (task, unit), of_unit in importance.groupby(["task", "unit"], sort=False):
        by_seed = {
            seed: of_seed.sort_values(["layer", "index"])["importance"].to_numpy(np.float64)
            for seed, of_seed in of_unit.groupby("seed", sort=False)
        }
        rows += [
            (task, unit, a, b, spearman(by_seed[a], by_seed[b]))
            for a, b in combinations(by_seed, 2)
        ]
    return pd.DataFrame(rows, columns=["task", "unit", "seed_a", "seed_b", "spearman"])
