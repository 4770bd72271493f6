"""The benchmarks: which implementations are timed, on what work and encoder. Each takes minutes at most."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from typing import NamedTuple

from benchmarks.encoders import Encoders
from benchmarks.load import Load

WORKS = (
    "importance",
    "scoring",
    "s_search",
    "m_search",
    "finetune",
    "retrain",
    "ticket",
    "predictions",
    "encoder_pass",
    "growth",
)


class Implementation(NamedTuple):
    """A function of a module of this package."""

    module: str
    work: str

    def __str__(self) -> str:
        return f"{self.module}-{self.work}"


class Pair(NamedTuple):
    """A row of the table: the work, this project's implementation, and the one it is compared with."""

    work: str
    ours: Implementation
    baseline: Implementation

    @property
    def name(self) -> str:
        """The baseline by its module, or by its work if it is this project's too."""
        alike = self.baseline.module == self.ours.module
        return self.baseline.work if alike else self.baseline.module


@dataclass(frozen=True)
class Benchmark:
    """Pairs with the same input; `at` names the size that is varied."""

    name: str
    encoder: str
    load: Load
    pairs: tuple[Pair, ...]
    at: str = ""

    @property
    def implementations(self) -> list[Implementation]:
        """Each implementation once, in the order of the pairs."""
        both = ((pair.ours, pair.baseline) for pair in self.pairs)
        return list(dict.fromkeys(chain.from_iterable(both)))


def benchmarks(work: str, encoders: Encoders, quick: bool) -> Iterator[Benchmark]:
    """The benchmarks of a work, or with `quick` a tiny version of them."""
    if work == "growth":
        yield from () if quick else _growth(encoders)
        return
    pairs = PAIRS[work]
    if quick:
        load = Load(
            encoders.toy(), encoders.noise(), 16, batch=4, rate=0.3, sparsity=_sparsity(work)
        )
        yield Benchmark(f"{work}-toy", "toy", load, pairs)
        return
    for encoder, folder in (("minilm", encoders.minilm), ("base", encoders.base)):
        size = SIZES[work, encoder]
        load = Load(folder(), encoders.sentences, sparsity=_sparsity(work), **size)  # type: ignore[arg-type]
        yield Benchmark(f"{work}-{encoder}", encoder, load, pairs)


def _sparsity(work: str) -> float:
    """Sparsity from the start; of tickets, that of a good structured one of the paper."""
    return 0.45 if work in ("retrain", "ticket") else 0.0


def _against(work: str, *baselines: str) -> tuple[Pair, ...]:
    return tuple(
        Pair(work, Implementation("project", work), Implementation(name, work))
        for name in baselines
    )


PAIRS: dict[str, tuple[Pair, ...]] = {
    "importance": _against(
        "importance", "reference", "batch1", "transformers", "text_pruner", "torch_pruning"
    ),
    "scoring": _against("scoring", "reference", "transformers"),
    "s_search": (
        *_against("s_search", "reference"),
        Pair(
            "s_search_authors",
            Implementation("project", "s_search_authors"),
            Implementation("reference", "s_search"),
        ),
    ),
    "m_search": _against("m_search", "reference", "torch_prune"),
    "finetune": _against("finetune", "reference", "trainer"),
    "retrain": (
        *_against("retrain", "reference"),
        Pair(
            "retrain", Implementation("project", "retrain"), Implementation("project", "finetune")
        ),
    ),
    "ticket": _against("ticket", "transformers", "onnxruntime"),
    "predictions": (
        Pair(
            "predictions",
            Implementation("project", "predictions"),
            Implementation("project", "scoring"),
        ),
    ),
    "encoder_pass": _against("encoder_pass", "gemm"),
}

# Number of sentences, and for searches the fraction pruned per step, so that a round takes seconds.
SIZES: dict[tuple[str, str], dict[str, float]] = {
    ("importance", "minilm"): {"count": 64},
    ("importance", "base"): {"count": 8},
    ("scoring", "minilm"): {"count": 128},
    ("scoring", "base"): {"count": 16},
    ("s_search", "minilm"): {"count": 24, "batch": 8},
    ("s_search", "base"): {"count": 4, "batch": 2, "rate": 0.34},
    ("m_search", "minilm"): {"count": 32, "rate": 0.2},
    ("m_search", "base"): {"count": 4, "rate": 0.34, "until": 0.6},
    ("finetune", "minilm"): {"count": 64, "batch": 32},
    ("finetune", "base"): {"count": 16, "batch": 8},
    ("retrain", "minilm"): {"count": 64, "batch": 32},
    ("retrain", "base"): {"count": 16, "batch": 8},
    ("ticket", "minilm"): {"count": 128},
    ("ticket", "base"): {"count": 16},
    ("predictions", "minilm"): {"count": 320},
    ("predictions", "base"): {"count": 16},
    ("encoder_pass", "minilm"): {"count": 256},
    ("encoder_pass", "base"): {"count": 64},
}


def _growth(encoders: Encoders) -> Iterator[Benchmark]:
    """Importance for growing numbers of examples, layers, heads or pruned parts."""
    minilm = encoders.minilm()
    axes = [(f"{count} examples", minilm, count, 0.0) for count in (8, 16, 32, 64)]
    for layers in (1, 2, 4):
        folder = encoders.variant(f"minilm-{layers}-layers", num_hidden_layers=layers)
        axes.append((f"{layers} layers", folder, 16, 0.0))
    for heads in (3, 6, 24):
        folder = encoders.variant(f"minilm-{heads}-heads", num_attention_heads=heads)
        axes.append((f"{heads} heads a layer", folder, 16, 0.0))
    axes += [(f"{share:.0%} pruned", minilm, 16, share) for share in (0.25, 0.5, 0.75)]
    for at, folder, count, share in axes:
        load = Load(folder, encoders.sentences, count, sparsity=share)
        pairs = _against("importance", "reference")
        name = "growth-" + at.replace(" ", "-").replace("%", "")
        yield Benchmark(name, "minilm", load, pairs, at)
