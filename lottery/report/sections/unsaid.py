"""Observations of this run that the paper does not have, each only where its tables support it."""

from collections.abc import Iterator

import pandas as pd

from lottery.analysis.frames import rows
from lottery.model.parameters import FinetuneParameters
from lottery.report.blocks import Block, Bullets, Paragraph
from lottery.report.clauses import names
from lottery.report.material import Material
from lottery.tickets.methods import MAGNITUDE, METHODS, STRUCTURED
from lottery.vocabulary import TICKET_STATE, UNITS, WHOLE
from lottery.wording import counted, listed, number, percent

NAN = float("nan")
NEARLY_SAME = 0.9
"""Cohen's kappa from which on two masks are called nearly the same."""
NOTICEABLE = 0.05
"""A difference between two kappas that is worth a sentence."""


def unsaid(material: Material) -> Iterator[Block]:
    """One bullet for each observation."""
    observations = [
        *_pretrained(material.tables["agreement"]),
        *_budget(material),
        *_sizes(material),
        *_weak(material.tables["verdicts"]),
        *_selection(material.tables["selection"]),
    ]
    if observations:
        yield Bullets(observations)
    else:
        yield Paragraph("This run is too small to add anything.")


def _pretrained(agreement: pd.DataFrame) -> Iterator[str]:
    """The m-mask is that of the pre-trained weights."""
    masks = agreement[agreement["method"] == MAGNITUDE.name].dropna(subset="pretrained_kappa")
    if len(masks) and masks["pretrained_kappa"].min() >= NEARLY_SAME:
        like = masks["pretrained_kappa"]
        yield (
            f"**The mask of {MAGNITUDE.title} is nearly that of the pre-trained weights.** Cohen's kappa of the two,"
            f" with about {percent(masks['matched'].iloc[0], 0)} of the weights removed, is {number(like.mean(), 2)} on"
            " average and"
            f" at least {number(like.min(), 2)}; that of the masks of two seeds is"
            f" {number(masks['kappa'].mean(), 2)}. Fine-tuning hardly reorders the weights, so seeds and tasks"
            " cannot but agree."
        )


def _budget(material: Material) -> Iterator[str]:
    """The training that losing tickets had, and the scores that it led to."""
    steps = _steps(material)
    averages = material.tables["averages"]
    ours = averages[averages["matched"].isna()].set_index(TICKET_STATE)["mean"].to_dict()
    theirs = material.tables["published"].set_index(TICKET_STATE)["share"].to_dict()
    learned = listed(
        f"{number(ours[at], 2)} under {method.title} (the paper: {number(theirs[at], 2)})"
        for method in METHODS.values()
        if (at := (method.name, "bad", "retrained")) in ours and at in theirs
    )
    words = (WHOLE, "words", "finetuned")
    if not steps or learned == "none" or words not in ours:
        return
    fewest, most = min(steps), max(steps)
    span = f"{fewest:,}" if fewest == most else f"{fewest:,} to {most:,}"
    yield (
        f"**That there are no losing tickets is said of one budget.** With {span} optimiser steps each, retrained bad"
        f" subnetworks reach an r of {learned}. A bag of words, which needs no encoder, reaches"
        f" {number(ours[words], 2)}. Tasks differ: {_by_task(material)}."
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
    sized = pairs.assign(size=pairs["matched"].notna().map({False: "own", True: "matched"}))
    kappa = sized.groupby(["method", "unit", "size"])["kappa"].mean().to_dict()
    parts = [
        f"{method.title}, {UNITS[unit]}: {number(own, 2)} and {number(matched, 2)}"
        for method in METHODS.values()
        for unit in method.units
        for own, matched in [
            [kappa.get((method.name, unit, size), NAN) for size in ("own", "matched")]
        ]
        if abs(matched - own) >= NOTICEABLE
    ]
    if parts:
        yield (
            "**Agreement is partly a matter of where searches stop.** They end anywhere between"
            f" {percent(searches['sparsity'].min(), 0)} and {percent(searches['sparsity'].max(), 0)} of the weights."
            " Cohen's kappa of two seeds, at the sizes that the searches left and at one size:"
            f" {'; '.join(parts)}."
        )


def _weak(claims: pd.DataFrame) -> Iterator[str]:
    """Sentences that the authors' own data do not decide."""
    weak = claims[(claims["family"] != "own") & (claims["published_verdict"] == "undecided")]
    tested = claims[
        (claims["family"] != "own") & ~claims["published_verdict"].isin(["untested", "closed"])
    ]
    if len(weak):
        titles = names(claims)
        yield (
            f"**{counted(len(weak), 'sentence')} of the {len(tested)} that can be tested on the authors' own data"
            f" {'is' if len(weak) == 1 else 'are'} undecided there:**"
            f" {'; '.join(f'{titles[row.claim]} ({number(row.published_effect, 2)})' for row in rows(weak))}."
        )


def _selection(selection: pd.DataFrame) -> Iterator[str]:
    """The difference that choosing on the reported data makes."""
    gaps = selection[selection["quantity"] == "gap"]["mean"].dropna()
    if len(gaps) and gaps.mean() > 0:
        yield (
            "**Choosing on the data that are reported flatters good subnetworks.** On select, where they were"
            f" chosen, their r is {number(gaps.mean(), 2)} higher than on dev (over tasks and methods:"
            f" {number(gaps.min(), 2)} to {number(gaps.max(), 2)}). The paper chose and reported on the same"
            " examples."
        )
