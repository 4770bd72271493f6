"""What the benchmarks should reach."""

from collections.abc import Callable
from typing import NamedTuple

from benchmarks.rows import Row

LIBRARIES = ("text_pruner", "torch_pruning", "transformers")


class Target(NamedTuple):
    """A value that the rows of one kind should reach; the worst of them counts."""

    title: str
    wanted: float
    at_most: bool
    rows: Callable[[Row], bool]
    value: Callable[[Row], float]

    def row(self, table: list[Row]) -> Row | None:
        """The worst matching row; None if there is none."""
        worst = max if self.at_most else min
        return worst(filter(self.rows, table), key=self.value, default=None)

    def reached(self, row: Row) -> bool:
        """True if a row reaches the target."""
        value = self.value(row)
        return value <= self.wanted if self.at_most else value >= self.wanted


def _ratio(title: str, wanted: float, work: str, *baselines: str) -> Target:
    """Smallest median ratio to any of the baselines, for MiniLM-L6."""

    def rows(row: Row) -> bool:
        return (row.work, row.encoder, row.at) == (work, "minilm", "") and row.baseline in baselines

    return Target(title, wanted, False, rows, lambda row: row.ratio_median)


def _memory(title: str, wanted: float, encoder: str) -> Target:
    """Peak memory of an m-search relative to the size of its model."""
    return Target(
        title,
        wanted,
        True,
        lambda row: (row.work, row.encoder) == ("m_search", encoder),
        lambda row: row.peak_memory_mib / row.model_mib,
    )


TARGETS = (
    _ratio("importance, speed-up over the reference", 10, "importance", "reference"),
    _ratio("importance, speed-up over the fastest other library", 3, "importance", *LIBRARIES),
    _ratio("scoring, speed-up over the reference", 5, "scoring", "reference"),
    _ratio("structured search, speed-up over the reference", 18, "s_search", "reference"),
    _ratio(
        "structured search with the authors' reduction, same masks, speed-up over the reference",
        12,
        "s_search_authors",
        "reference",
    ),
    _ratio("magnitude search, speed-up over the reference", 8, "m_search", "reference"),
    _memory("magnitude search, peak memory over the model, MiniLM-L6", 1.5, "minilm"),
    _memory("magnitude search, peak memory over the model, bert-base size", 1.5, "base"),
    _ratio("fine-tuning, speed-up over the reference", 5, "finetune", "reference"),
    _ratio("fine-tuning, speed-up over transformers' Trainer", 2, "finetune", "trainer"),
    _ratio("encoder passes, fraction of the machine's GEMM peak", 0.8, "encoder_pass", "gemm"),
    _ratio("retraining with 45 % pruned, speed-up over the full model", 1.5, "retrain", "finetune"),
    _ratio(
        "scoring, speed with predictions kept over that without", 0.99, "predictions", "scoring"
    ),
)
