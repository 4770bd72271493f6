"""Rows of the results table: cost of a baseline relative to this project, and the difference of their results."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from statistics import median

import msgspec
import numpy as np

from benchmarks.measure import Arrays
from benchmarks.rounds import Result
from benchmarks.suite import Benchmark, Implementation, Pair
from lottery.report.provenance import machine


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """Ratios are CPU seconds of the baseline over those of the project, one per round; wall_ratio_median is of seconds.

    Peaks are MiB above a process without a model; model_mib is the model itself. difference: largest absolute
    difference of logits and importance, relative to the largest value of the baseline. bits_differing, bits: of the
    masks of all candidates. Null if there is nothing to compare, as when the project does not compute pruned parts.
    shares: fractions of the project's time by kind of operation. machine: the processor, its cores and memory.
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
    machine: str


def rows(
    benchmark: Benchmark,
    results: Mapping[Implementation, Result],
    shares: Mapping[str, Mapping[str, float]],
) -> Iterator[Row]:
    """A row for each pair whose implementations both ran."""
    for pair in benchmark.pairs:
        if pair.baseline in results:
            ours, theirs = results[pair.ours], results[pair.baseline]
            yield _row(benchmark, pair, ours, theirs, shares[pair.ours.work])


def _row(
    benchmark: Benchmark, pair: Pair, ours: Result, theirs: Result, shares: Mapping[str, float]
) -> Row:
    readings = list(zip(ours.readings, theirs.readings, strict=True))
    ratios = [baseline.cpu / measured.cpu for measured, baseline in readings]
    differing, bits = _masks(ours.arrays, theirs.arrays)
    return Row(
        work=pair.work,
        baseline=pair.name,
        encoder=benchmark.encoder,
        at=benchmark.at,
        rounds=len(readings),
        ratio_min=min(ratios),
        ratio_median=median(ratios),
        ratio_max=max(ratios),
        wall_ratio_median=median(baseline.wall / measured.wall for measured, baseline in readings),
        cpu_seconds=median(measured.cpu for measured, _ in readings),
        baseline_cpu_seconds=median(baseline.cpu for _, baseline in readings),
        peak_memory_mib=median(measured.peak for measured, _ in readings),
        baseline_peak_memory_mib=median(baseline.peak for _, baseline in readings),
        model_mib=_size(benchmark.load.folder),
        difference=_difference(ours.arrays, theirs.arrays, bool(benchmark.load.sparsity)),
        bits_differing=differing,
        bits=bits,
        candidates=_candidates(ours.arrays),
        baseline_candidates=_candidates(theirs.arrays),
        shares=shares,
        machine=machine(),
    )


def _difference(ours: Arrays, theirs: Arrays, pruned: bool) -> float | None:
    """Of logits and importance; of logits alone where parts are pruned, as this project does not compute these."""
    names = ("logits",) if pruned else COMPARED
    compared = [name for name in names if name in ours and name in theirs]
    return max((relative(ours[name], theirs[name]) for name in compared), default=None)


COMPARED = ("logits", "heads", "mlps", "heads_cumulative", "mlps_cumulative")


def relative(ours: np.ndarray, theirs: np.ndarray) -> float:
    """Largest absolute difference, relative to the largest value of the baseline."""
    return float(np.abs(ours - theirs).max() / np.abs(theirs).max())


def _masks(ours: Arrays, theirs: Arrays) -> tuple[int, int] | tuple[None, None]:
    if "masks" not in ours or "masks" not in theirs:
        return None, None
    return differing_bits(ours["masks"], theirs["masks"])


def differing_bits(ours: np.ndarray, theirs: np.ndarray) -> tuple[int, int]:
    """Differing and all bits of the candidates' masks; a candidate of one search only differs in every bit."""
    lengths = len(ours), len(theirs)
    common = min(lengths)
    differing = int(np.bitwise_count(ours[:common] ^ theirs[:common]).sum())
    width = ours.shape[1] * 8
    return differing + (max(lengths) - common) * width, max(lengths) * width


def _candidates(arrays: Arrays) -> int | None:
    return len(arrays["scores"]) if "scores" in arrays else None


def _size(folder: Path) -> float:
    return (folder / "model.safetensors").stat().st_size / 2**20
