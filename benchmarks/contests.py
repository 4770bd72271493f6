"""Who races whom, at what, on which encoder: contests small enough that all of them take minutes."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from benchmarks.encoders import Paddock
from benchmarks.load import Load

WORKS = (
    "importance",
    "scoring",
    "s_search",
    "m_search",
    "finetune",
    "retrain",
    "encoder_pass",
    "growth",
)


class Side(NamedTuple):
    """A function of a module of this package."""

    module: str
    work: str


class Pair(NamedTuple):
    """A row of the table: what is measured, who does it, and how else it is done."""

    work: str
    ours: Side
    baseline: Side


@dataclass(frozen=True)
class Contest:
    """Pairs that share a load; `at` says what was varied."""

    name: str
    encoder: str
    load: Load
    pairs: tuple[Pair, ...]
    at: str = ""

    @property
    def sides(self) -> list[Side]:
        """Everybody once, in the order of the pairs."""
        return list(dict.fromkeys(side for pair in self.pairs for side in pair[1:]))


def contests(work: str, paddock: Paddock, quick: bool) -> Iterator[Contest]:
    """The contests of a work, or their smallest likeness."""
    if work == "growth":
        yield from () if quick else _growth(paddock)
        return
    pairs = PAIRS[work]
    if quick:
        load = Load(paddock.toy(), paddock.noise(), 16, batch=4, rate=0.3, sparsity=_off(work))
        yield Contest(f"{work}-toy", "toy", load, pairs)
        return
    for encoder, folder in (("minilm", paddock.minilm), ("base", paddock.base)):
        size = SIZES[work, encoder]
        load = Load(folder(), paddock.sentences, sparsity=_off(work), **size)  # type: ignore[arg-type]
        yield Contest(f"{work}-{encoder}", encoder, load, pairs)


def _off(work: str) -> float:
    """As much as a good s-subnetwork of the paper has lost."""
    return 0.45 if work == "retrain" else 0.0


def _against(work: str, *baselines: str) -> tuple[Pair, ...]:
    return tuple(Pair(work, Side("project", work), Side(name, work)) for name in baselines)


PAIRS: dict[str, tuple[Pair, ...]] = {
    "importance": _against(
        "importance", "reference", "batch1", "transformers", "text_pruner", "torch_pruning"
    ),
    "scoring": _against("scoring", "reference", "transformers"),
    "s_search": (
        *_against("s_search", "reference"),
        Pair(
            "s_search_authors", Side("project", "s_search_authors"), Side("reference", "s_search")
        ),
    ),
    "m_search": _against("m_search", "reference", "torch_prune"),
    "finetune": _against("finetune", "reference", "trainer"),
    "retrain": (
        *_against("retrain", "reference"),
        Pair("retrain", Side("project", "retrain"), Side("project", "finetune")),
    ),
    "encoder_pass": _against("encoder_pass", "gemm"),
}

# Sentences, and for searches the share cut per step: a round of a contest takes seconds, not minutes.
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
    ("encoder_pass", "minilm"): {"count": 256},
    ("encoder_pass", "base"): {"count": 64},
}


def _growth(paddock: Paddock) -> Iterator[Contest]:
    """Importance as examples, layers, heads or what is gone grow, one at a time."""
    whole = paddock.minilm()
    axes = [(f"{count} examples", whole, count, 0.0) for count in (8, 16, 32, 64)]
    for layers in (1, 2, 4):
        folder = paddock.variant(f"minilm-{layers}-layers", num_hidden_layers=layers)
        axes.append((f"{layers} layers", folder, 16, 0.0))
    for heads in (3, 6, 24):
        folder = paddock.variant(f"minilm-{heads}-heads", num_attention_heads=heads)
        axes.append((f"{heads} heads a layer", folder, 16, 0.0))
    axes += [(f"{share:.0%} pruned", whole, 16, share) for share in (0.25, 0.5, 0.75)]
    for at, folder, count, share in axes:
        load = Load(folder, paddock.sentences, count, sparsity=share)
        pairs = _against("importance", "reference")
        name = "growth-" + at.replace(" ", "-").replace("%", "")
        yield Contest(name, "minilm", load, pairs, at)
