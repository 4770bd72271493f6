"""Observations of this run that the paper does not have, each only where its tables support it."""

from collections.abc import Iterator, Mapping

import pandas as pd

from lottery.analysis.frames import rows
from lottery.model.parameters import FinetuneParameters
from lottery.report.blocks import Block, Bullets, Paragraph
from lottery.report.clauses import names
from lottery.report.material import Material
from lottery.tickets.methods import METHODS, STRUCTURED, method_title
from lottery.vocabulary import TICKET_STATE, UNITS, WHOLE
from lottery.wording import counted, listed, number, percent

NAN = float("nan")
NOTICEABLE = 0.05
"""A difference between two kappas that is worth a sentence."""


def unsaid(material: Material) -> Iterator[Block]:
    """One bullet for each observation."""
    observations = [
        *_budget(material),
        *_sizes(material),
        *_weak(material.tables["verdicts"]),
        *_selection(material.tables["selection"], material.titles),
    ]
    if observations:
        yield Bullets(observations)
    else:
        yield Paragraph("This run is too small to add anything.")


def _budget(material: Material) -> Iterator[str]:
    """The training that losing tickets had, and the scores that it led to."""
    steps = _steps(material)
    averages = material.tables["averages"]
    ours = averages[averages["matched"].isna()].set_index(TICKET_STATE)["mean"].to_dict()
    theirs = material.tables["published"].set_index(TICKET_STATE)["share"].to_dict()
    learned = [
        f"{number(ours[at], 2)} under {method.title} (the paper: {number(theirs[at], 2)})"
        for method in METHODS.values()
        if (at := (method.name, "bad", "retrained")) in ours and at in theirs
    ]
    words = (WHOLE, "words", "finetuned")
    if not (steps and learned and words in ours):
        return
    fewest, most = min(steps), max(steps)
    span = f"{fewest:,}" if fewest == most else f"{fewest:,} to {most:,}"
    yield (
        f"**The paper looked for losing tickets after one length of training.** With {span} optimiser steps"
        f" each, retrained bad subnetworks reach an r of {listed(learned)}. A bag of words, which needs no encoder,"
        f" reaches {number(ours[words], 2)}. Tasks differ: {_by_task(material)}."
    )


def _by_task(material: Material) -> str:
    """r of retrained bad subnetworks of s-pruning, and of a bag of words, on each task."""
    results = material.tables["results"]
    shares = results[results["reported"] & results["matched"].isna()].set_index(
        ["task", *TICKET_STATE]
    )["share"]
    bad, words = (STRUCTURED.name, "bad", "retrained"), (WHOLE, "words", "finetuned")
    return listed(
        f"{number(shares.get((task, *bad)), 2)} beside {number(shares.get((task, *words)), 2)} on {title}"
        for task, title in material.titles.items()
    )


def _steps(material: Material) -> list[int]:
    """Optimiser steps of a training, by task."""
    recipe = material.parameters[FinetuneParameters]
    sizes = [meta["splits"]["train"]["examples"] for meta in material.meta.values()]
    return [recipe.epochs * -(-size // recipe.batch) for size in sizes]


def _sizes(material: Material) -> Iterator[str]:
    """Agreement as searches left the masks, and at one size."""
    pairs, searches = material.tables["agreement"], material.tables["searches"]
    sized = pairs.assign(size=pairs["matched"].notna().map({False: "searched", True: "matched"}))
    kappa = sized.groupby(["method", "unit", "size"])["kappa"].mean().to_dict()
    parts = [
        f"{method.title}, {UNITS[unit]}: {number(searched, 2)} and {number(matched, 2)}"
        for method in METHODS.values()
        for unit in method.units
        for searched, matched in [
            [kappa.get((method.name, unit, size), NAN) for size in ("searched", "matched")]
        ]
        if abs(matched - searched) >= NOTICEABLE
    ]
    if parts:
        yield (
            "**Agreement is partly a matter of where searches stop.** They end anywhere between"
            f" {percent(searches['sparsity'].min(), 0)} and {percent(searches['sparsity'].max(), 0)} of the weights."
            " Cohen's kappa of two seeds, at the sizes that the searches left and at one size:"
            f" {'; '.join(parts)}."
        )


def _weak(claims: pd.DataFrame) -> Iterator[str]:
    """Claims that the authors' own data do not decide."""
    weak = claims[(claims["family"] != "own") & (claims["published_verdict"] == "undecided")]
    tested = claims[
        (claims["family"] != "own") & ~claims["published_verdict"].isin(["untested", "closed"])
    ]
    if len(weak):
        titles = names(claims)
        yield (
            f"**{counted(len(weak), 'claim')} of the {len(tested)} that can be tested on the authors' own data"
            f" {'is' if len(weak) == 1 else 'are'} undecided there:**"
            f" {'; '.join(f'{titles[row.claim]} ({number(row.published_effect, 2)})' for row in rows(weak))}."
        )


def _selection(selection: pd.DataFrame, titles: Mapping[str, str]) -> Iterator[str]:
    """Searches whose tickets score higher where they were chosen than on dev, if more do than the other way round."""
    gaps = selection[selection["quantity"] == "gap"].dropna(subset=["low", "high"])
    above, below = gaps[gaps["low"] > 0], gaps[gaps["high"] < 0]
    if len(above) > len(below):
        higher = listed(
            f"{number(row.mean, 2)} [{number(row.low, 2)}, {number(row.high, 2)}] ({method_title(row.method)},"
            f" {titles[row.task]})"
            for row in rows(above)
        )
        yield (
            "**Choosing on the data that are reported can flatter good subnetworks.** On select, where they were"
            f" chosen, their r is higher than on dev by {higher}. Of the {len(gaps)} intervals (95 %, not corrected),"
            f" {len(above)} lie above 0 and {len(below)} below. The paper chose and reported on the same examples."
        )
