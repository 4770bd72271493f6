"""Worlds to simulate: how tickets of a task would score, the masks of its seeds, and runs that are drawn from them."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from lottery.analysis.claims import HALF_WAY, MARGIN, SUBSTANTIAL_KAPPA
from lottery.analysis.columns import CELL
from lottery.analysis.evidence import MATCHED, Evidence
from lottery.analysis.frames import beside, load
from lottery.analysis.heads import COLUMNS, slopes
from lottery.analysis.kappas import across_seeds
from lottery.seeds import rng
from lottery.subnetwork import Subnetwork
from lottery.ticket import Ticket
from lottery.tickets.methods import MAGNITUDE, STRUCTURED

LAYERS, HEADS, RANDOM, BAD = 6, 12, 19, 9
S, M = STRUCTURED.name, MAGNITUDE.name
Array = NDArray[np.float64]


@dataclass(frozen=True)
class World:
    """Corrected scores of a task: means, and standard deviations over masks and over seeds.

    pruned: of good, random and bad tickets. bad_sd: of bad masks, None if it is that of others. trained: of bad
    ones, with its std in `trained_sd`; None if they are not retrained. likeness: correlation over seeds of what
    decides which heads are kept. slope: the difference of the share of heterogeneous maps between heads that are
    kept and those that are not.
    """

    pruned: tuple[float, float, float] = (0.87, 0.50, 0.25)
    mask_sd: float = 0.15
    bad_sd: float | None = None
    seed_sd: float = 0.08
    trained: float | None = 0.85
    trained_sd: float = 0.09
    words: float = 0.50
    words_sd: float = 0.03
    likeness: float = 0.40
    slope: float = 0.03
    map_sd: float = 0.36


LIKELY = {
    "sst2": World(trained=0.80, trained_sd=0.09, words=0.48),
    "sarcasm": World(trained=0.90, trained_sd=0.10, words=0.58),
    "stsb": World(mask_sd=0.20, trained=None),
}
"""Numbers that the pilot runs suggest, in which no tickets of STS-B were retrained."""
LUCK = 0.7
"""Share of the variance of bad masks that those of one cell have in common; .74 in the committed default run."""
LIKE_AT_BORDER = 0.805
"""The likeness at which kappas of the larger halves of 72 heads average 0.6, by simulation."""
NULL = World(
    (0.5, 0.5, 0.5), trained=HALF_WAY, words=HALF_WAY, likeness=LIKE_AT_BORDER, slope=MARGIN
)
NULLS = {
    "sst2": replace(NULL, mask_sd=0.05, trained_sd=0.03),
    "sarcasm": replace(NULL, mask_sd=0.10, trained_sd=0.40),
    "stsb": replace(NULL, mask_sd=0.20, trained_sd=0.10),
}


def run(worlds: dict[str, World], seeds: int, random: np.random.Generator) -> Evidence:
    """The evidence of one run of these worlds."""
    cells = [(task, seed) for task in worlds for seed in range(seeds)]
    tickets = [
        ticket for task, world in worlds.items() for ticket in masks(task, world, seeds, random)
    ]
    index = pd.MultiIndex.from_tuples(cells, names=CELL)
    trained = {
        (task, seed): retrained(world, world.trained, random)
        for task, world in worlds.items()
        if world.trained is not None
        for seed in range(seeds)
    }
    scores = pd.DataFrame.from_dict(trained, orient="index").set_index(
        pd.MultiIndex.from_tuples(list(trained), names=CELL)
    )
    heads = pd.concat([profiles(ticket, worlds[ticket.task], random) for ticket in tickets])
    kappas = across_seeds(tickets).add_suffix(MATCHED)
    return Evidence(
        cells=beside([scores.reindex(index), kappas, slopes(heads)]),
        draws=pd.concat(
            [drawn(*cell, worlds[cell[0]], random) for cell in cells], ignore_index=True
        ),
        seeds=seeds,
    )


def retrained(world: World, mean: float, random: np.random.Generator) -> dict[str, float]:
    """The retrained bad ticket and the bag of words of a cell."""
    return {
        f"{S} bad retrained": random.normal(mean, world.trained_sd),
        "words": random.normal(world.words, world.words_sd),
    }


def drawn(task: str, seed: int, world: World, random: np.random.Generator) -> pd.DataFrame:
    """All masks of a cell, scored pruned."""
    kinds = zip(("good", "random", "bad"), world.pruned, (1, RANDOM, BAD), strict=True)
    # Bad masks are drawn from what one good ticket left, so they have part of their luck in common.
    bad_sd = world.mask_sd if world.bad_sd is None else world.bad_sd
    common = {"good": world.seed_sd, "random": 0.0, "bad": LUCK**0.5 * bad_sd}
    alone = {"good": world.mask_sd, "random": world.mask_sd, "bad": (1 - LUCK) ** 0.5 * bad_sd}
    rows = [
        (
            task,
            seed,
            method,
            kind,
            draw,
            np.nan,
            mean + shift + random.normal(0, alone[kind]),
        )
        for kind, mean, count in kinds
        for method in (S, M)
        for shift in [random.normal(0, common[kind])]
        for draw in range(count)
    ]
    return pd.DataFrame(rows, columns=[*CELL, "method", "kind", "draw", "matched", "share"])


def preference(task: str) -> Array:
    """The liking for heads [L, H] that all seeds of a task share: the quantiles of a normal distribution."""
    quantiles = stats.norm.ppf((np.arange(LAYERS * HEADS) + 0.5) / (LAYERS * HEADS))
    return rng("preference", task).permutation(quantiles).reshape(LAYERS, HEADS)


def masks(task: str, world: World, seeds: int, random: np.random.Generator) -> Iterator[Ticket]:
    """Masks that keep half of the heads."""
    shared, noise = np.sqrt(world.likeness), np.sqrt(1 - world.likeness)
    for seed in range(seeds):
        liking = shared * preference(task) + noise * random.normal(size=(LAYERS, HEADS))
        kept = {"heads": liking > np.median(liking), "mlps": np.ones(LAYERS, bool)}
        yield Ticket(task, seed, STRUCTURED.good, Subnetwork(kept))


def profiles(ticket: Ticket, world: World, random: np.random.Generator) -> pd.DataFrame:
    """Both shares of heterogeneous maps of every head of a cell.

    Apart from the slope, they have nothing to do with how often a head is kept.
    """
    kept = ticket.subnetwork["heads"]
    layer, index = (place.ravel() for place in np.indices(kept.shape))
    odds = stats.norm.cdf(preference(ticket.task) * np.sqrt(world.likeness / (1 - world.likeness)))
    odds -= odds.mean(axis=1, keepdims=True)
    base = rng("heads", ticket.task).normal(0.5, world.map_sd, (2, *kept.shape))
    base -= ((base * odds).sum((1, 2)) / (odds**2).sum())[:, None, None] * odds
    shares = base + world.slope * kept + random.normal(0, 0.05, base.shape)
    columns = (ticket.task, ticket.seed, layer, index, kept.ravel().astype(float))
    return pd.DataFrame(dict(zip(COLUMNS, (*columns, *shares.reshape(2, -1)), strict=True)))


def like(kappa: float) -> float:
    """The correlation of two normal variables whose larger halves agree with this kappa (Sheppard 1899)."""
    return float(np.sin(kappa * np.pi / 2))


def measured(folder: Path) -> dict[str, World]:
    """LIKELY worlds with the means and standard deviations of a run, as far as its tables have them."""
    draws, cells = load(folder / "draws.csv"), load(folder / "cells.csv")
    effects = load(folder / "verdict-cells.csv").groupby(["task", "claim"])["effect"].mean()
    return {
        task: _measured(
            world,
            draws[(draws["task"] == task) & (draws["method"] == S) & draws["matched"].isna()],
            cells[(cells["task"] == task) & cells["reported"] & cells["usable"]],
            effects.get(task, pd.Series(dtype=float)),
        )
        for task, world in LIKELY.items()
    }


def _measured(
    world: World, draws: pd.DataFrame, cells: pd.DataFrame, effects: "pd.Series[float]"
) -> World:
    """A world with the numbers of a task; those that cannot be estimated stay as they are."""
    by_kind = draws.groupby("kind")["share"].mean()
    masks_sd = draws[draws["kind"] == "random"].groupby("seed")["share"].std().mean()
    of_bad = (cells["method"] == S) & (cells["kind"] == "bad") & (cells["state"] == "retrained")
    bad, words = cells.loc[of_bad, "share"], cells.loc[cells["kind"] == "words", "share"]
    estimates = {
        "mask_sd": masks_sd, "bad_sd": draws.loc[draws["kind"] == "bad", "share"].std(),
        "trained": bad.mean(), "trained_sd": bad.std(),
        "words": words.mean(), "words_sd": words.std(),
        "likeness": like(SUBSTANTIAL_KAPPA - effects.get("P4", np.nan)),
        "slope": effects.get("P5", np.nan),
    }  # fmt: skip
    numbers: dict[str, Any] = {
        name: float(value) for name, value in estimates.items() if not np.isnan(value)
    }
    if {"good", "random", "bad"} <= set(by_kind.dropna().index):
        numbers["pruned"] = tuple(by_kind[["good", "random", "bad"]])
    return replace(world, **numbers)
