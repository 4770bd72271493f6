"""Tickets: subnetworks with the task, seed and key that identify them."""

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from lottery import subnetwork
from lottery.errors import UserError
from lottery.subnetwork import Subnetwork
from lottery.vocabulary import DRAWN, WHOLE, Kind


class Key(NamedTuple):
    """Identity of a ticket within its task and seed.

    draw: the number of a ticket that is drawn at random, 0 for every other kind. matched: the sparsity at which the
    tickets of all cells are compared; None for a ticket that is as large as its search left it.
    """

    method: str
    kind: Kind
    draw: int = 0
    matched: float | None = None

    @property
    def good(self) -> "Key":
        """Key of the good ticket of the same size: a control is drawn from it."""
        return Key(self.method, "good", matched=self.matched)

    @property
    def name(self) -> str:
        """The words of logs and messages: `structured random 2`, `magnitude good at sparsity 0.5`."""
        draw = f" {self.draw}" if self.kind in DRAWN else ""
        size = "" if self.matched is None else f" at sparsity {self.matched}"
        return f"{self.method} {self.kind}{draw}{size}"

    @property
    def file(self) -> Path:
        """The file of the ticket within the folder of its task and seed: `magnitude/good-0.5.safetensors`."""
        draw = f"-{self.draw}" if self.kind in DRAWN else ""
        size = "" if self.matched is None else f"-{self.matched}"
        return Path(self.method, f"{self.kind}{draw}{size}.safetensors")


FULL = Key(WHOLE, "full")
MAJORITY = Key(WHOLE, "majority")
WORDS = Key(WHOLE, "words")


@dataclass(frozen=True)
class Ticket:
    """A subnetwork and its identity."""

    task: str
    seed: int
    key: Key
    subnetwork: Subnetwork

    @classmethod
    def load(cls, folder: Path, task: str, seed: int, key: Key) -> "Ticket":
        """Read a ticket from the folder of its task and seed.

        Raises UserError if the file is missing or damaged, or holds another ticket.
        """
        path = folder / key.file
        kept, identity = subnetwork.load(path)
        if identity != _identity(task, seed, key):
            raise UserError(
                f"{path}: holds the ticket {identity}; delete it and run the pipeline again"
            )
        return cls(task, seed, key, kept)

    @property
    def method(self) -> str:
        return self.key.method

    @property
    def kind(self) -> Kind:
        return self.key.kind

    @property
    def name(self) -> str:
        """Name of the ticket within its task and seed, for logs and messages."""
        return self.key.name

    def save(self, folder: Path) -> None:
        """Write the ticket to the folder of its task and seed."""
        path = folder / self.key.file
        path.parent.mkdir(parents=True, exist_ok=True)
        self.subnetwork.save(path, **_identity(self.task, self.seed, self.key))


def _identity(task: str, seed: int, key: Key) -> dict[str, str | float | None]:
    return {"task": task, "seed": seed, **key._asdict()}
