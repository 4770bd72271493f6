"""A ticket: a subnetwork that knows which task, seed, method, kind and draw it belongs to."""

from dataclasses import dataclass
from pathlib import Path

from lottery import subnetwork
from lottery.errors import UserError
from lottery.subnetwork import Subnetwork
from lottery.vocabulary import WHOLE, Kind

Key = tuple[str, Kind, int]
"""Method, kind and draw: a ticket within its task and seed."""


@dataclass(frozen=True)
class Ticket:
    """A subnetwork with its identity. `draw` numbers the random tickets, and is 0 for every other kind."""

    task: str
    seed: int
    method: str
    kind: Kind
    draw: int
    subnetwork: Subnetwork

    @classmethod
    def load(cls, folder: Path, task: str, seed: int, key: Key) -> "Ticket":
        """Read a ticket from the folder of its task and seed.

        Raises UserError if the file is missing, damaged, or holds another ticket.
        """
        path = folder / _file(key)
        kept, identity = subnetwork.load(path)
        expected = _identity(task, seed, key)
        if identity != expected:
            raise UserError(
                f"{path}: holds the ticket {identity}; delete it and run the pipeline again"
            )
        return cls(task, seed, *key, kept)

    @classmethod
    def whole(cls, task: str, seed: int, shapes: dict[str, tuple[int, ...]]) -> "Ticket":
        """The full model as a ticket that keeps everything."""
        return cls(task, seed, WHOLE, "full", 0, Subnetwork.full(shapes))

    @property
    def key(self) -> Key:
        return self.method, self.kind, self.draw

    @property
    def is_whole(self) -> bool:
        """Whether this is the full model."""
        return self.method == WHOLE

    @property
    def name(self) -> str:
        """The ticket within its task and seed, as logs and messages call it."""
        return f"{self.method} {self.kind}" + (f" {self.draw}" if self.kind == "random" else "")

    def save(self, folder: Path) -> None:
        """Write the ticket into the folder of its task and seed."""
        path = folder / _file(self.key)
        path.parent.mkdir(parents=True, exist_ok=True)
        self.subnetwork.save(path, **_identity(self.task, self.seed, self.key))


def _file(key: Key) -> Path:
    method, kind, draw = key
    return Path(method, f"random-{draw}.safetensors" if kind == "random" else f"{kind}.safetensors")


def _identity(task: str, seed: int, key: Key) -> dict[str, str | int]:
    method, kind, draw = key
    return {"task": task, "seed": seed, "method": method, "kind": kind, "draw": draw}
