"""A row of the table: how many times the cost of the project a baseline has, and whether it finds the same."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from statistics import median

import msgspec
import numpy as np

from benchmarks.contests import Contest, Pair, Side
from benchmarks.measure import Arrays
from benchmarks.turns import Result


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """Ratios are of CPU seconds, baseline over project, a ratio a round; `wall_ratio_median` is of seconds.

    Peaks are MiB above a process without a model, model_mib is the model itself. difference: the largest one
    between floats that both bring (logits, importance), over the largest of the baseline's; bits: how many
    differ between the masks of all candidates, and how many there are; null where there is nothing to compare.
    shares: of the project's time, by kind of work.
    """

    work: str
    baseline: str
    encoder: str
    at: str
    rounds: int
    ratio_min: float
    ratio_median: float
    ratio_max: float
    wall_ratio_median: float
    cpu_seconds: float
    baseline_cpu_seconds: float
    peak_memory_mib: float
    baseline_peak_memory_mib: float
    model_mib: float
    difference: float | None
    bits_differing: int | None
    bits: int | None
    candidates: int | None
    baseline_candidates: int | None
    shares: Mapping[str, float]


def rows(
    contest: Contest, results: Mapping[Side, Result], shares: Mapping[str, Mapping[str, float]]
) -> Iterator[Row]:
    """A row for each pair of which both took part."""
    for pair in contest.pairs:
        if pair.baseline in results:
            mine, theirs = results[pair.ours], results[pair.baseline]
            yield _row(contest, pair, mine, theirs, shares[pair.ours.work])


def _row(
    contest: Contest, pair: Pair, ours: Result, theirs: Result, shares: Mapping[str, float]
) -> Row:
    both = list(zip(ours.readings, theirs.readings, strict=True))
    ratios = [baseline.cpu / own.cpu for own, baseline in both]
    differing, bits = _bits(ours.arrays, theirs.arrays)
    name = pair.baseline.module
    return Row(
        work=pair.work,
        baseline="full" if name == pair.ours.module else name,
        encoder=contest.encoder,
        at=contest.at,
        rounds=len(both),
        ratio_min=min(ratios),
        ratio_median=median(ratios),
        ratio_max=max(ratios),
        wall_ratio_median=median(baseline.wall / own.wall for own, baseline in both),
        cpu_seconds=median(own.cpu for own, _ in both),
        baseline_cpu_seconds=median(baseline.cpu for _, baseline in both),
        peak_memory_mib=median(own.peak for own, _ in both),
        baseline_peak_memory_mib=median(baseline.peak for _, baseline in both),
        model_mib=_size(contest.load.folder),
        difference=_difference(ours.arrays, theirs.arrays),
        bits_differing=differing,
        bits=bits,
        candidates=_candidates(ours.arrays),
        baseline_candidates=_candidates(theirs.arrays),
        shares=shares,
    )


def _difference(ours: Arrays, theirs: Arrays) -> float | None:
    compared = [name for name in COMPARED if name in ours and name in theirs]
    return max((_relative(ours[name], theirs[name]) for name in compared), default=None)


COMPARED = ("logits", "heads", "mlps", "heads_cumulative", "mlps_cumulative")


def _relative(ours: np.ndarray, theirs: np.ndarray) -> float:
    return float(np.abs(ours - theirs).max() / np.abs(theirs).max())


def _bits(ours: Arrays, theirs: Arrays) -> tuple[int | None, int | None]:
    """Over the candidates that both searches visited; a candidate too many or too few differs in every bit."""
    if "masks" not in ours or "masks" not in theirs:
        return None, None
    mine, other = ours["masks"], theirs["masks"]
    shared = min(len(mine), len(other))
    differing = int(np.bitwise_count(mine[:shared] ^ other[:shared]).sum())
    width = mine.shape[1] * 8
    return differing + abs(len(mine) - len(other)) * width, max(len(mine), len(other)) * width


def _candidates(arrays: Arrays) -> int | None:
    return len(arrays["scores"]) if "scores" in arrays else None


def _size(folder: Path) -> float:
    return (folder / "model.safetensors").stat().st_size / 2**20
