"""The section on what heads attend to: whether the survivors are the meaningful ones."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

from lottery.analysis.frames import rows
from lottery.attention.patterns import PATTERNS, AttentionParameters
from lottery.report import numbers
from lottery.report.blocks import Block, Entry, Figure, Folded, Number, Paragraph, Table
from lottery.report.material import Material
from lottery.tickets.methods import STRUCTURED
from lottery.wording import NONE, listed, number, percent, probability

Rows = Mapping[str, Any]
"""Headings of the descriptors in the table `attention`."""
GROUPS = {"all": "all heads", "super": "kept by every seed", "never": "kept by no seed"}
STATES = {"finetuned": "fine-tuned", "pretrained": "pre-trained", "pruned": "pruned"}
DESCRIPTORS = {
    "rule": "heterogeneous by rule",
    "entropy": "entropy",
    "distance": "distance, tokens",
    "cls": "to {first}",
    "sep": "to {last}",
    "itself": "to itself",
}
PAPERS_R = 0.0023
MAPS = {
    True: "from maps labelled by hand",
    False: "from synthetic maps generated from the definitions of the patterns; a plain rule on the same definitions is"
    " the check",
}
"""The classifier's training maps in words, by whether a labelled set is given."""


def attention(material: Material) -> Iterator[Block]:
    """The classifier of patterns, the patterns of survivors and others, and the atlas of heads."""
    if material.tables["attention"].empty:
        yield Paragraph("No task has a usable ticket, so attention and survival cannot be related.")
        return
    yield _correlation(material)
    confusion = _confusion(material.tables["patterns"])
    yield Folded("How attention is classified, and how well", [_patterns(material), confusion])
    yield Folded("Patterns of survivors and of other heads", [_shares(material)])
    yield Folded("Other descriptors of the same maps", [_descriptors(material)])
    yield Folded("Before fine-tuning and after pruning", [_states(material)])
    yield Folded("The atlas of heads", [_atlas(material, task) for task in material.titles])


def _patterns(material: Material) -> Paragraph:
    held_out, profiles = material.tables["patterns"], material.tables["attention"]
    correct = held_out[held_out["pattern"] == held_out["told"]]
    network, rule = (
        percent(correct[by].sum() / held_out[by].sum()) for by in ("recogniser", "rule")
    )
    agreed = profiles[
        (profiles["descriptor"] == "agreement")
        & (profiles["group"] == "all")
        & (profiles["state"] == "finetuned")
    ]
    both = agreed.groupby("weighting")["mean"].mean()
    return Paragraph(
        "Only heterogeneous maps (Kovaleva et al. 2019) could reflect the meaning of the words, so if survival were a"
        " matter of meaning, survivors should show more of them. We examine raw attention and attention weighted by the"
        " length of the vectors that it passes on (normed; Kobayashi et al. 2020), over sentences of dev. A small"
        " convolutional network classifies the patterns. It learns"
        f" {MAPS[material.parameters[AttentionParameters].labelled is not None]}. Of {held_out['rule'].sum():,}"
        f" held-out maps, the network classifies {network} correctly and the rule {rule}; on the maps of the fine-tuned"
        f" models they agree on {percent(both['normed'])} of normed and {percent(both['raw'])} of raw maps. The"
        " class of the others is uncertain; P5 asks both."
    )


def _confusion(held_out: pd.DataFrame) -> Table:
    counts = held_out.set_index(["pattern", "told"])
    return Table(
        "Held-out maps by their true pattern (rows) and the one they are classified as (columns); mixed is"
        " vertical + diagonal. Source: `tables/patterns.csv`.",
        ["pattern", "classified by", *PATTERNS],
        [
            [
                pattern,
                title,
                *(numbers.number(counts[by].get((pattern, other), 0), 0) for other in PATTERNS),
            ]
            for pattern in PATTERNS
            for by, title in {"recogniser": "network", "rule": "rule"}.items()
        ],
    )


def _correlation(material: Material) -> Paragraph:
    frame, titles = material.tables["attention-survival"], material.titles
    normed = frame[frame["weighting"] == "normed"]
    by_task = [
        f"{number(row.r)} on {titles[row.task]} (p = {probability(row.p)})"
        for row in rows(normed[normed["task"].notna()])
    ]
    pooled = next(rows(normed[normed["task"].isna()]))
    if pd.isna(pooled.r):
        return Paragraph(
            "Every head of a task is kept equally often, so no correlation of survival and attention is defined."
        )
    return Paragraph(
        "Over heads, the share of seeds that keep a head and its share of heterogeneous normed maps have a"
        f" correlation of {number(pooled.r, 4)} (p = {probability(pooled.p)}; {pooled.n} pairs of a head and a task):"
        f" {listed(by_task)}."
        f" The paper reports {PAPERS_R:.4f}. p is two-sided, from shuffling heads within their layer. Source:"
        " `tables/attention-survival.csv`."
    )


def _shares(material: Material) -> Table:
    return _by_group(
        material,
        "Patterns of the fine-tuned models: share of sentences in which a head shows each, mean over n heads"
        " with its 95 % interval. In the last columns, the heterogeneous share of as many random heads of the same"
        " layers, with the range [ ] of 95 of 100 draws, and the two-sided p of the difference from them, not corrected"
        " for the number of tests. Source: `tables/attention.csv`.",
        {pattern: pattern for pattern in PATTERNS},
        "heterogeneous",
    )


def _descriptors(material: Material) -> Table:
    # Markdown would take <s> for a tag.
    first, last = (f"`{token}`" if "<" in token else token for token in material.frame)
    headings = {
        descriptor: heading.format(first=first, last=last)
        for descriptor, heading in DESCRIPTORS.items()
    }
    return _by_group(
        material,
        "Descriptors of the fine-tuned models: share of heterogeneous maps by rule; entropy of attention (1 is"
        " uniform); mean distance to the attended token; attention to the first token, to separators and to the token"
        " itself. Means over n heads with 95 % intervals. Random heads and p, as for the patterns, are for entropy;"
        " those for the other columns are in the source: `tables/attention.csv`.",
        headings,
        "entropy",
    )


def _by_group(
    material: Material, caption: str, headings: Mapping[str, str], compared: str
) -> Table:
    """Descriptors of every group of heads in the fine-tuned models, one of them compared with random heads."""
    return Table(
        caption,
        ["task", "maps", "heads", "n", *headings.values(), "random heads", "p"],
        [
            [
                title,
                weighting,
                GROUPS[group],
                *_means(profiles, list(headings)),
                *_random(profiles[compared]),
            ]
            for title, weighting, group, profiles in _groups(material, "finetuned")
        ],
    )


def _states(material: Material) -> Table:
    return Table(
        "Patterns of all heads: in the fine-tuned models, in the pre-trained encoder on the same sentences,"
        f" and, in the pruned models, of the heads that {STRUCTURED.title} leaves to some seed. Columns as"
        " for the patterns. Source: `tables/attention.csv`.",
        ["task", "maps", "model", "n", *PATTERNS],
        [
            [title, weighting, name, *_means(profiles, PATTERNS)]
            for state, name in STATES.items()
            for title, weighting, group, profiles in _groups(material, state)
            if group == "all"
        ],
    )


def _groups(material: Material, state: str) -> Iterator[tuple[str, str, str, Rows]]:
    """Title, weighting, group and rows, in the order of the grid's tasks."""
    profiles = material.tables["attention"]
    profiles = profiles[profiles["state"] == state]
    for task, title in material.titles.items():
        grouped = profiles[profiles["task"] == task].groupby(["weighting", "group"], sort=False)
        for (weighting, group), part in grouped:
            yield title, str(weighting), str(group), {row.descriptor: row for row in rows(part)}


def _means(profiles: Rows, names: Sequence[str]) -> list[Entry]:
    """The number of heads, and their mean of each descriptor."""
    heads = numbers.number(profiles[names[0]].n, 0)
    return [heads, *(numbers.estimate(profiles[name], 2) for name in names)]


def _random(profile: Any) -> list[Entry]:
    """The same number of random heads, and p."""
    if pd.isna(profile.p):
        return [NONE, NONE]
    low, high = number(profile.random_low, 2), number(profile.random_high, 2)
    text = f"{number(profile.random, 2)} [{low}, {high}]"
    return [Number(text, profile.random), numbers.probability(profile.p)]


def _atlas(material: Material, task: str) -> Figure:
    title, method = material.titles[task], STRUCTURED.title
    return Figure(
        material.figure(f"atlas-{task}"),
        f"Small pictures of the attention of every head, layers by heads, on one sentence of {title}, each framed by"
        " how many seeds keep the head.",
        f"{title}: normed attention of every head in the first seed's fine-tuned model, on the sampled"
        " sentence of median length, every map scaled to the same size and to its own maximum: rows attend, columns are"
        f" attended to, dark is high. Frames: thick if {method} keeps the head with every seed, thin if with some,"
        f" dashed if with none. Sources: `attention/{task}/pictures.safetensors`, `tables/survival.csv`.",
    )
