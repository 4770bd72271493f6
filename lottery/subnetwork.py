"""What survives: a frozen mapping from parts of the encoder to arrays of kept / not kept.

The same value serves both prunings. Structured pruning has the parts `heads` [layers, heads] and
`mlps` [layers]; magnitude pruning has one part for each prunable weight matrix, shaped like it.
"""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from lottery.faults import Fault

Kept = NDArray[np.bool_]
# What a header that somebody wrote by hand can lead to.
BROKEN = (
    LookupError,
    ValueError,
    TypeError,
    AttributeError,
    OverflowError,
    MemoryError,
    RecursionError,
)


class Subnetwork(Mapping[str, Kept]):
    """A set of components, immutable; `|`, `&`, `-` and `~` are those of sets, part by part."""

    __slots__ = ("_parts",)

    def __init__(self, parts: Mapping[str, Any]) -> None:
        frozen = {}
        for name, kept in parts.items():
            array = np.array(kept)
            if array.dtype != np.bool_:
                raise TypeError(f"part {name!r} holds {array.dtype}, not bool")
            array.setflags(write=False)
            frozen[name] = array
        self._parts: dict[str, Kept] = frozen

    @classmethod
    def full(cls, shapes: Mapping[str, tuple[int, ...]]) -> "Subnetwork":
        """Everything kept."""
        return cls({name: np.ones(shape, bool) for name, shape in shapes.items()})

    @classmethod
    def unflatten(cls, shapes: Mapping[str, tuple[int, ...]], kept: Kept) -> "Subnetwork":
        """The inverse of `flat`: `kept` [total] cut into parts of the given shapes."""
        ends = np.cumsum([int(np.prod(shape)) for shape in shapes.values()])
        pieces = np.split(kept, ends[:-1])
        return cls({n: p.reshape(s) for (n, s), p in zip(shapes.items(), pieces, strict=True)})

    def __getitem__(self, part: str) -> Kept:
        return self._parts[part]

    def __iter__(self) -> Iterator[str]:
        return iter(self._parts)

    def __len__(self) -> int:
        return len(self._parts)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Subnetwork):
            return NotImplemented
        return self.shapes == other.shapes and all(
            np.array_equal(self[part], other[part]) for part in self
        )

    def __hash__(self) -> int:
        return hash(self.digest)

    def __repr__(self) -> str:
        return f"Subnetwork({', '.join(f'{p}: {k.sum()}/{k.size}' for p, k in self.items())})"

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        return {part: kept.shape for part, kept in self.items()}

    @property
    def flat(self) -> Kept:
        """All components in one array [total], part after part."""
        return np.concatenate([kept.ravel() for kept in self.values()])

    @property
    def size(self) -> int:
        """How many components survive."""
        return sum(int(kept.sum()) for kept in self.values())

    @property
    def total(self) -> int:
        """How many components there are."""
        return sum(kept.size for kept in self.values())

    @property
    def density(self) -> float:
        """The share that survives, in [0, 1]."""
        return self.size / self.total

    @property
    def digest(self) -> str:
        """SHA-256 over names, shapes and bits."""
        sha = hashlib.sha256()
        for part, kept in self.items():
            sha.update(f"{part}{kept.shape}".encode())
            sha.update(np.packbits(kept).tobytes())
        return sha.hexdigest()

    def __and__(self, other: "Subnetwork") -> "Subnetwork":
        return self._combine(other, np.logical_and)

    def __or__(self, other: "Subnetwork") -> "Subnetwork":
        return self._combine(other, np.logical_or)

    def __sub__(self, other: "Subnetwork") -> "Subnetwork":
        return self & ~other

    def __invert__(self) -> "Subnetwork":
        return Subnetwork({part: ~kept for part, kept in self.items()})

    def __le__(self, other: "Subnetwork") -> bool:
        """Whether every survivor of this one survives in `other`."""
        return (self - other).size == 0

    def _combine(
        self, other: "Subnetwork", operation: Callable[[Kept, Kept], Kept]
    ) -> "Subnetwork":
        if self.shapes != other.shapes:
            raise ValueError(f"{self!r} and {other!r} are subnetworks of different encoders")
        return Subnetwork({part: operation(kept, other[part]) for part, kept in self.items()})

    def replace(self, **parts: Kept) -> "Subnetwork":
        """A copy with some parts exchanged."""
        if unknown := parts.keys() - self.keys():
            raise KeyError(f"no such part: {', '.join(sorted(unknown))}")
        return Subnetwork({**self, **parts})

    def save(self, path: Path, **identity: str | int) -> None:
        """One bit a component, with the shapes and the identity (task, seed, kind, ...) beside them."""
        header = {
            "shapes": json.dumps({part: list(kept.shape) for part, kept in self.items()}),
            "identity": json.dumps(identity, sort_keys=True),
        }
        save_file({part: np.packbits(kept) for part, kept in self.items()}, path, header)


def load(path: Path) -> tuple[Subnetwork, dict[str, Any]]:
    """A saved subnetwork and its identity; a Fault where the file is not one."""
    try:
        with safe_open(path, framework="numpy") as file:
            header = file.metadata() or {}
            shapes = {p: tuple(s) for p, s in json.loads(header["shapes"]).items()}
            kept = {
                part: np.unpackbits(file.get_tensor(part), count=int(np.prod(shape)))
                .reshape(shape)
                .astype(bool)
                for part, shape in shapes.items()
            }
            return Subnetwork(kept), json.loads(header["identity"])
    except (OSError, SafetensorError, *BROKEN) as error:
        raise Fault(f"{path}: not a subnetwork: {error}") from None
