"""Subnetwork: an immutable mapping from parts of the encoder to boolean arrays, True where a component is kept.

Every pruning method uses it. If heads and MLPs are pruned, the parts are `heads` [layers, heads] and `mlps` [layers];
if neurons of MLPs are too, there is the part `neurons` [layers, width], empty where the MLP is not kept. If weights are
pruned, there is one part for each prunable weight matrix, of its shape.
"""

import hashlib
import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from lottery.errors import MALFORMED, UserError

Kept = NDArray[np.bool_]
Bits = NDArray[np.uint8]
"""A part in memory and on disk: eight components per byte, padding bits of the last byte are 0."""


def unpacked(bits: Bits, shape: Sequence[int]) -> Kept:
    """The array of this shape whose bits these are. Raises ValueError if it has more or fewer components."""
    if bits.size != -(-math.prod(shape) // 8):
        raise ValueError(f"{bits.size} bytes of bits for the shape {tuple(shape)}")
    return np.unpackbits(bits, count=math.prod(shape)).view(np.bool_).reshape(shape)


class Subnetwork(Mapping[str, Kept]):
    """An immutable set of components, with the set operations `|`, `&`, `-` and `~`.

    One bit is stored per component; reading a part unpacks it into a read-only array.
    """

    __slots__ = ("_bits", "_shapes")

    def __init__(self, parts: Mapping[str, Any] | Iterable[tuple[str, Any]]) -> None:
        self._bits: dict[str, Bits] = {}
        self._shapes: dict[str, tuple[int, ...]] = {}
        for name, kept in parts.items() if isinstance(parts, Mapping) else parts:
            array = np.asarray(kept)
            if array.dtype != np.bool_:
                raise TypeError(f"part {name!r} holds {array.dtype}, not bool")
            self._bits[name], self._shapes[name] = np.packbits(array), array.shape

    @classmethod
    def full(cls, shapes: Mapping[str, tuple[int, ...]]) -> "Subnetwork":
        """The whole encoder: every component is kept."""
        return cls((name, np.ones(shape, bool)) for name, shape in shapes.items())

    @classmethod
    def unflatten(cls, shapes: Mapping[str, tuple[int, ...]], kept: Kept) -> "Subnetwork":
        """The inverse of `flat`: `kept` [total] split into parts of the given shapes."""
        ends = np.cumsum([math.prod(shape) for shape in shapes.values()])
        flat_parts = np.split(kept, ends[:-1])
        return cls(
            (name, flat.reshape(shape))
            for (name, shape), flat in zip(shapes.items(), flat_parts, strict=True)
        )

    def __getitem__(self, part: str) -> Kept:
        kept = unpacked(self._bits[part], self._shapes[part])
        kept.setflags(write=False)
        return kept

    def __iter__(self) -> Iterator[str]:
        return iter(self._shapes)

    def __len__(self) -> int:
        return len(self._shapes)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Subnetwork):
            return NotImplemented
        # In order, as `digest` and `flat` go through the parts.
        return [*self._shapes.items()] == [*other._shapes.items()] and all(
            np.array_equal(bits, other._bits[part]) for part, bits in self._bits.items()
        )

    def __hash__(self) -> int:
        return hash(self.digest)

    def __repr__(self) -> str:
        sizes = (f"{part}: {kept.sum()}/{kept.size}" for part, kept in self.items())
        return f"Subnetwork({', '.join(sizes)})"

    @property
    def is_structured(self) -> bool:
        """True if its components are heads and MLPs, and perhaps neurons of these; False if they are weights."""
        return "heads" in self._shapes

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The shape of each part."""
        return dict(self._shapes)

    @property
    def flat(self) -> Kept:
        """All components as one array [total], part after part."""
        return np.concatenate([kept.ravel() for kept in self.values()])

    @property
    def size(self) -> int:
        """Number of components kept."""
        return sum(int(np.bitwise_count(bits).sum()) for bits in self._bits.values())

    @property
    def total(self) -> int:
        """Number of components, kept or pruned."""
        return sum(math.prod(shape) for shape in self._shapes.values())

    @property
    def density(self) -> float:
        """Share of the components that are kept, in [0, 1]."""
        return self.size / self.total

    @property
    def digest(self) -> str:
        """SHA-256 of names, shapes and bits."""
        sha = hashlib.sha256()
        for part, shape in self._shapes.items():
            sha.update(f"{part}{shape}".encode())
            sha.update(self._bits[part].tobytes())
        return sha.hexdigest()

    def __and__(self, other: "Subnetwork") -> "Subnetwork":
        return self._combine(other, np.bitwise_and)

    def __or__(self, other: "Subnetwork") -> "Subnetwork":
        return self._combine(other, np.bitwise_or)

    def __sub__(self, other: "Subnetwork") -> "Subnetwork":
        return self & ~other

    def __invert__(self) -> "Subnetwork":
        # Unpacked, because inverting the bits would set the padding bits too.
        return Subnetwork((part, ~kept) for part, kept in self.items())

    def __le__(self, other: "Subnetwork") -> bool:
        """True if `other` keeps every component that this one keeps."""
        return (self - other).size == 0

    def _combine(
        self, other: "Subnetwork", operation: Callable[[Bits, Bits], Bits]
    ) -> "Subnetwork":
        if self._shapes != other._shapes:
            raise ValueError(f"{self!r} and {other!r} are subnetworks of different encoders")
        combined = Subnetwork({})
        combined._shapes = self._shapes
        combined._bits = {
            part: operation(bits, other._bits[part]) for part, bits in self._bits.items()
        }
        return combined

    def part(self, name: str) -> "Subnetwork":
        """A single part as a subnetwork."""
        return Subnetwork({name: self[name]})

    def replace(self, **parts: Kept) -> "Subnetwork":
        """Copy with some parts replaced. Raises KeyError if there is no such part."""
        if unknown := parts.keys() - self.keys():
            raise KeyError(f"no such part: {', '.join(sorted(unknown))}")
        return Subnetwork({**self, **parts})

    def save(self, path: Path, **identity: str | float | None) -> None:
        """Write a safetensors file: one bit per component, its shapes and identity (task, seed, ...) in the header."""
        header = {
            "shapes": {part: list(shape) for part, shape in self._shapes.items()},
            "identity": identity,
        }
        # A single entry: safetensors orders several entries differently in every process.
        path.write_bytes(save(self._bits, {"about": json.dumps(header)}))


def load(path: Path) -> tuple[Subnetwork, dict[str, Any]]:
    """Read a subnetwork and its identity. Raises UserError if the file is missing or malformed."""
    try:
        with safe_open(path, framework="numpy") as file:
            header = json.loads((file.metadata() or {})["about"])
            shapes = header["shapes"].items()
            kept = {part: unpacked(file.get_tensor(part), shape) for part, shape in shapes}
            return Subnetwork(kept), header["identity"]
    except (SafetensorError, *MALFORMED) as error:
        raise UserError(
            f"{path}: not a readable subnetwork ({error}); delete it and run the pipeline again"
        ) from None
