"""The page of results: what was to be reached, what was, and all rows."""

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from benchmarks.rows import Row

PEERS = ("text_pruner", "torch_pruning", "transformers")


class Target(NamedTuple):
    """words: what was to be reached. value: what it came to, from the rows of MiniLM-L6 or all of them."""

    words: str
    wanted: float
    at_most: bool
    value: Callable[[list[Row]], float | None]


def _ratio(work: str, *baselines: str) -> Callable[[list[Row]], float | None]:
    """The smallest median against any of the baselines, MiniLM-L6."""

    def value(table: list[Row]) -> float | None:
        return min(
            (
                row.ratio_median
                for row in table
                if (row.work, row.encoder, row.at) == (work, "minilm", "")
                if row.baseline in baselines
            ),
            default=None,
        )

    return value


def _memory(encoder: str) -> Callable[[list[Row]], float | None]:
    def value(table: list[Row]) -> float | None:
        return next(
            (
                row.peak_memory_mib / row.model_mib
                for row in table
                if (row.work, row.encoder) == ("m_search", encoder)
            ),
            None,
        )

    return value


TARGETS = (
    Target(
        "importance, times faster than the reference", 10, False, _ratio("importance", "reference")
    ),
    Target("importance, than the best peer", 3, False, _ratio("importance", *PEERS)),
    Target("scoring, than the reference", 5, False, _ratio("scoring", "reference")),
    Target("the whole s-search, than the reference", 18, False, _ratio("s_search", "reference")),
    Target(
        "the same with the authors' reduction, masks identical",
        12,
        False,
        _ratio("s_search_authors", "reference"),
    ),
    Target("the whole m-search, than the reference", 8, False, _ratio("m_search", "reference")),
    Target("its peak memory over the model, MiniLM-L6", 1.5, True, _memory("minilm")),
    Target("the same at bert-base size", 1.5, True, _memory("base")),
    Target("fine-tuning, than the reference", 5, False, _ratio("finetune", "reference")),
    Target("fine-tuning, than transformers' Trainer", 2, False, _ratio("finetune", "trainer")),
    Target("encoder passes, share of the GEMM peak", 0.8, False, _ratio("encoder_pass", "gemm")),
    Target("s-retraining with 45 % pruned, than full", 1.5, False, _ratio("retrain", "full")),
)


def text(table: list[Row]) -> str:
    """The page as Markdown."""
    parts = [*_head(), "## Targets", "", *targets(table), "", *_rows(table), *_growth(table)]
    return "\n".join(parts) + "\n"


def targets(table: list[Row]) -> Iterator[str]:
    """What was to be reached, and whether it is, as a table of Markdown."""
    yield from ("| what | wanted | measured | |", "|---|---|---|---|")
    for target in TARGETS:
        value = target.value(table)
        if value is not None:
            reached = value <= target.wanted if target.at_most else value >= target.wanted
            sign = "at most " if target.at_most else ""
            verdict = "reached" if reached else "missed"
            yield f"| {target.words} | {sign}{target.wanted:g} | {value:.2f} | {verdict} |"


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
        "Memory is the peak above a process without a model: project / baseline. The last column says how far"
        " the results are apart: the largest difference of logits or scores, relative to the largest one, or"
        " the bits of all candidates' masks that differ.",
        "",
        "| work | against | encoder | times | range | MiB | difference |",
        "|---|---|---|---|---|---|---|",
    )
    yield from (f"| {' | '.join(cells(row))} |" for row in table if not row.at)
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
