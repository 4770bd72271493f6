"""The section on what heads attend to: are the survivors the meaningful ones?"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

from lottery.analysis.frames import rows
from lottery.attention.patterns import PATTERNS
from lottery.report.markdown import figure, folded, table
from lottery.wording import NONE, between, listed, number, percent, probability

Tables = Mapping[str, pd.DataFrame]
Numbers = Mapping[str, Any]
"""Rows of the table `attention` by their number."""
GROUPS = {"all": "all heads", "super": "kept by every seed", "never": "kept by no seed"}
STATES = {"finetuned": "fine-tuned", "pretrained": "pre-trained", "pruned": "pruned"}
DESCRIPTORS = {
    "rule": "heterogeneous by rule",
    "entropy": "entropy",
    "distance": "distance, tokens",
    "cls": "to [CLS]",
    "sep": "to [SEP]",
    "itself": "to itself",
}
PAPERS_R = 0.0023


def meaning(tables: Tables, figures: Mapping[str, str]) -> Iterator[str]:
    """What the recogniser is worth, the patterns of survivors and others, and the atlas."""
    yield _recognised(tables)
    yield folded("How well patterns are told apart", _confusion(tables["patterns"]))
    yield _correlation(tables)
    yield _shares(tables)
    yield folded("The same maps without classes", _descriptors(tables))
    yield folded("Before fine-tuning, and after pruning", _states(tables))
    first, *others = (_atlas(row.task, row.title, figures) for row in rows(tables["tasks"]))
    yield first
    if others:
        yield folded("The atlas of the other tasks", "\n\n".join(others))


def _recognised(tables: Tables) -> str:
    told, seen = tables["patterns"], tables["attention"]
    right = told[told["pattern"] == told["told"]]
    network, rule = (percent(right[by].sum() / told[by].sum()) for by in ("recogniser", "rule"))
    agreed = seen[(seen["number"] == "agreement") & (seen["group"] == "all")]
    both = agreed[agreed["state"] == "finetuned"].groupby("weighting")["mean"].mean()
    return (
        "Only heterogeneous maps (Kovaleva et al. 2019) can depend on what the words mean, so if survival were a"
        " matter of meaning, survivors should show more of them. We look at raw attention and at attention"
        " weighted by what it hands over (normed; Kobayashi et al. 2020), over sentences of dev. A small"
        " convolutional network tells the patterns apart; as it learns, unless a labelled set is given, from maps drawn"
        f" by the patterns' definitions, a plain rule is asked too. Of {told['rule'].sum():,} maps held out, the"
        f" network names {network} rightly and the rule {rule}; on the maps of the fine-tuned models they agree in"
        f" {percent(both['normed'])} (normed) and {percent(both['raw'])} (raw)."
        " Where they differ, the class of a map is uncertain."
    )


def _confusion(told: pd.DataFrame) -> str:
    body = [
        [pattern, by, *(f"{own[by].get((pattern, other), 0):,}" for other in PATTERNS)]
        for own in (told.set_index(["pattern", "told"]),)
        for pattern in PATTERNS
        for by in ("recogniser", "rule")
    ]
    caption = (
        "Table 7. Maps held out, by their true pattern (rows) and the one they are taken for (columns); mixed is"
        " vertical + diagonal. Source: `tables/patterns.csv`."
    )
    return table(caption, ["pattern", "told by", *PATTERNS], body, 2)


def _correlation(tables: Tables) -> str:
    names = dict(zip(tables["tasks"]["task"], tables["tasks"]["title"], strict=True))
    own = tables["attention-survival"]
    own = own[own["weighting"] == "normed"]
    each = [
        f"{number(row.r)} on {names[row.task]} (p = {probability(row.p)})"
        for row in rows(own[own["task"].notna()])
    ]
    whole = next(rows(own[own["task"].isna()]))
    return (
        "Over heads, the share of seeds that keep a head and its share of heterogeneous normed maps correlate at"
        f" r = {number(whole.r, 4)} (p = {probability(whole.p)}; {whole.n} heads of all tasks): {listed(each)}. The"
        f" paper reports r = {PAPERS_R:.4f}. p is two-sided, by shuffling heads within their layer. Source:"
        " `tables/attention-survival.csv`."
    )


def _shares(tables: Tables) -> str:
    body = [
        [title, weighting, GROUPS[group], *_row(own, PATTERNS, "heterogeneous")]
        for title, weighting, group, own in _groups(tables, "finetuned")
    ]
    caption = (
        "Table 8. Patterns of the fine-tuned models: share of sentences in which a head shows each, mean over n heads"
        " with its 95 % interval; in the last columns the heterogeneous share of as many random heads of the same"
        " layers, within [ ] in 95 of 100 draws, and the two-sided p of the difference from them, not corrected for the"
        " number of tests. Source: `tables/attention.csv`."
    )
    header = ["task", "maps", "heads", "n", *PATTERNS, "random heads", "p"]
    return table(caption, header, body, 3)


def _descriptors(tables: Tables) -> str:
    body = [
        [title, weighting, GROUPS[group], *_row(own, tuple(DESCRIPTORS), "entropy")]
        for title, weighting, group, own in _groups(tables, "finetuned")
    ]
    caption = (
        "Table 9. Share of heterogeneous maps by rule; entropy of attention (1 is even); mean distance of the attended"
        " token; attention to the first token, to separators and to oneself. Means over n heads with 95 % intervals;"
        " random heads and p, as in Table 8, are of entropy; those of the others are in the source:"
        " `tables/attention.csv`."
    )
    header = ["task", "maps", "heads", "n", *DESCRIPTORS.values(), "random heads", "p"]
    return table(caption, header, body, 3)


def _states(tables: Tables) -> str:
    body = [
        [title, weighting, name, *_row(own, PATTERNS, "heterogeneous")[:-2]]
        for state, name in STATES.items()
        for title, weighting, group, own in _groups(tables, state)
        if group == "all"
    ]
    caption = (
        "Table 10. Patterns of all heads: of the fine-tuned models, of the pre-trained encoder on the same sentences,"
        " and of the heads that s-pruning leaves to some seed, in the pruned models. Columns as in Table 8. Source:"
        " `tables/attention.csv`."
    )
    return table(caption, ["task", "maps", "model", "n", *PATTERNS], body, 3)


def _groups(tables: Tables, state: str) -> Iterator[tuple[str, str, str, Numbers]]:
    """Title, weighting, group and rows, in the order of the grid's tasks."""
    seen = tables["attention"]
    seen = seen[seen["state"] == state]
    for known in rows(tables["tasks"]):
        own = seen[seen["task"] == known.task]
        for (weighting, group), part in own.groupby(["weighting", "group"], sort=False):
            yield known.title, str(weighting), str(group), {row.number: row for row in rows(part)}


def _row(own: Numbers, shown: Sequence[str], tested: str) -> list[str]:
    """n, the numbers shown, and of one of them what random heads have, and p."""
    of = own[tested]
    chance = NONE
    if pd.notna(of.p):
        low, high = number(of.random_low, 2), number(of.random_high, 2)
        chance = f"{number(of.random, 2)} [{low}, {high}]"
    means = [between(own[name], 2) for name in shown]
    return [number(of.n, 0), *means, chance, probability(of.p)]


def _atlas(task: str, title: str, figures: Mapping[str, str]) -> str:
    return figure(
        figures[f"atlas-{task}"],
        f"Small pictures of the attention of every head, layers by heads, on one sentence of {title}, each framed by"
        " how many seeds keep the head.",
        f"Figure 6 ({title}). Normed attention of every head in the first seed's fine-tuned model, on the sampled"
        " sentence of middle length, scaled to one size and to its own maximum: rows attend, columns are attended to,"
        " dark is much. Frames: thick where every seed's s-pruning keeps the head, thin where some do, dashed where"
        " none does.",
    )
