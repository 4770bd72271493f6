"""The page of results: what was to be reached, what was, and all rows."""

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from benchmarks.rows import Row
from benchmarks.shares import PRODUCTS, SPEED

PEERS = ("text_pruner", "torch_pruning", "transformers")


class Target(NamedTuple):
    """words: what was to be reached. row: the one that tells, and what it is to tell; of several the worst."""

    words: str
    wanted: float
    at_most: bool
    rows: Callable[[Row], bool]
    value: Callable[[Row], float]

    def row(self, table: list[Row]) -> Row | None:
        """The one that decides, if it was raced."""
        return min(filter(self.rows, table), key=self.value, default=None)

    def reached(self, row: Row) -> bool:
        """Whether the row says what was wanted."""
        value = self.value(row)
        return value <= self.wanted if self.at_most else value >= self.wanted


def _ratio(words: str, wanted: float, work: str, *baselines: str) -> Target:
    """The smallest median against any of the baselines, MiniLM-L6."""

    def rows(row: Row) -> bool:
        return (row.work, row.encoder, row.at) == (work, "minilm", "") and row.baseline in baselines

    return Target(words, wanted, False, rows, lambda row: row.ratio_median)


def _memory(words: str, wanted: float, encoder: str) -> Target:
    """The peak of an m-search over the size of its model."""
    return Target(
        words,
        wanted,
        True,
        lambda row: (row.work, row.encoder) == ("m_search", encoder),
        lambda row: row.peak_memory_mib / row.model_mib,
    )


TARGETS = (
    _ratio("importance, times faster than the reference", 10, "importance", "reference"),
    _ratio("importance, than the best peer", 3, "importance", *PEERS),
    _ratio("scoring, than the reference", 5, "scoring", "reference"),
    _ratio("the whole s-search, than the reference", 18, "s_search", "reference"),
    _ratio(
        "the same with the authors' reduction, masks identical", 12, "s_search_authors", "reference"
    ),
    _ratio("the whole m-search, than the reference", 8, "m_search", "reference"),
    _memory("its peak memory over the model, MiniLM-L6", 1.5, "minilm"),
    _memory("the same at bert-base size", 1.5, "base"),
    _ratio("fine-tuning, than the reference", 5, "finetune", "reference"),
    _ratio("fine-tuning, than transformers' Trainer", 2, "finetune", "trainer"),
    _ratio("encoder passes, share of the GEMM peak", 0.8, "encoder_pass", "gemm"),
    _ratio("s-retraining with 45 % pruned, than full", 1.5, "retrain", "full"),
)


def text(table: list[Row]) -> str:
    """The page as Markdown."""
    parts = [*_head(), "## Targets", "", *targets(table), "", *_bounds(table), *_rows(table)]
    return "\n".join([*parts, *_shares(table), *_growth(table)]) + "\n"


def targets(table: list[Row]) -> Iterator[str]:
    """What was to be reached, and whether it is, as a table of Markdown."""
    yield from ("| what | wanted | measured | |", "|---|---|---|---|")
    for target in TARGETS:
        if (row := target.row(table)) is not None:
            sign = "at most " if target.at_most else ""
            verdict = "reached" if target.reached(row) else "missed"
            value = target.value(row)
            yield f"| {target.words} | {sign}{target.wanted:g} | {value:.2f} | {verdict} |"


def _bounds(table: list[Row]) -> Iterator[str]:
    """Of each target that was missed, what would be left of it if nothing but its core were there."""
    for target in TARGETS:
        row = target.row(table)
        if row is not None and not target.reached(row):
            told = _memory_bound(row, table) if target.at_most else _time_bound(row)
            yield f"What bounds *{target.words}*: {told}"
            yield ""


def _time_bound(row: Row) -> str:
    products, speed = row.shares[PRODUCTS], row.shares[SPEED]
    return (
        f"matrix products take {products:.0%} of the project's time, at {speed:.0%} of the speed of this machine's"
        f" fastest. With nothing else left to do it would be {row.ratio_median / products:.2f}."
    )


def _memory_bound(row: Row, table: list[Row]) -> str:
    passes = [each for each in table if (each.work, each.encoder) == ("scoring", row.encoder)]
    peak = max((each.peak_memory_mib for each in passes), default=float("nan"))
    return (
        f"of its {row.peak_memory_mib:.0f} MiB the model takes {row.model_mib:.0f}; scoring sentences with a model"
        f" that nothing is cut from takes {peak:.0f}, activations included."
    )


def placed(readme: str, table: list[Row]) -> str:
    """The README with the targets as they are now, in the place of those that it has."""
    rows = "\n".join(targets(table)) + "\n"
    return re.sub(r"\| what \| wanted \|.*?\n(?=\n)", lambda _: rows, readme, flags=re.DOTALL)


def cells(row: Row) -> tuple[str, ...]:
    """A row as it is shown."""
    return (
        row.work,
        row.baseline,
        row.at or row.encoder,
        f"{row.ratio_median:.2f}",
        f"{row.ratio_min:.2f} to {row.ratio_max:.2f}",
        f"{row.peak_memory_mib:.0f} / {row.baseline_peak_memory_mib:.0f}",
        _same(row),
    )


def _same(row: Row) -> str:
    if row.bits is not None:
        return f"{row.bits_differing:,} of {row.bits:,} bits"
    return "" if row.difference is None else f"{row.difference:.0e}"


def _head() -> Iterator[str]:
    yield from (
        "# Benchmarks",
        "",
        "`make bench` writes this page. Every contender runs in a process of its own with one thread; they take"
        " turns. A ratio is CPU seconds of the baseline over those of the project in the same round: median and"
        " range over the rounds. MiniLM-L6 is all-MiniLM-L6-v2 fine-tuned on SST-2, `base` has the size of"
        " bert-base and random weights, which is good for times alone. All contenders have the same checkpoint"
        " and the same SST-2 sentences. `reference` is a plain program that behaves like the paper's: padded to"
        " 128, float masks, gradients of all weights. The other baselines pad to the longest sentence of a"
        " batch.",
        "",
    )


def _rows(table: list[Row]) -> Iterator[str]:
    yield from (
        "## All rows",
        "",
        "Memory is the peak above a process that has computed something but has no model: project / baseline. The"
        " last column says how far the results are apart: the largest difference of logits or scores, relative to"
        " the largest one, or the bits of all candidates' masks that differ.",
        "",
        "| work | against | encoder | times | range | MiB | difference |",
        "|---|---|---|---|---|---|---|",
    )
    yield from (f"| {' | '.join(cells(row))} |" for row in table if not row.at)
    yield ""


def _shares(table: list[Row]) -> Iterator[str]:
    """A row for each work and encoder."""
    profiles = {(row.work, row.encoder): row.shares for row in table if not row.at}
    kinds = list(dict.fromkeys(kind for found in profiles.values() for kind in found))
    yield from (
        "## Where the time goes",
        "",
        "Shares of the project's time under torch's profiler, one thread; the speed of matrix products is a share"
        " of the speed of the fastest product of this machine.",
        "",
        f"| work | encoder | {' | '.join(kinds)} |",
        "|---|---|" + "---|" * len(kinds),
    )
    for (work, encoder), found in profiles.items():
        cells = (f"{found[kind]:.0%}" if kind in found else "" for kind in kinds)
        yield f"| {work} | {encoder} | {' | '.join(cells)} |"
    yield ""


def _growth(table: list[Row]) -> Iterator[str]:
    grown = [row for row in table if row.at]
    if grown:
        yield from (
            "## Growth",
            "",
            "Importance on MiniLM-L6, 16 sentences unless it says otherwise, CPU seconds.",
            "",
            "| at | project | reference | times |",
            "|---|---|---|---|",
        )
        for row in grown:
            own, other = row.cpu_seconds, row.baseline_cpu_seconds
            yield f"| {row.at} | {own:.2f} | {other:.2f} | {row.ratio_median:.1f} |"
        yield ""
