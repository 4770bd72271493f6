"""Parameter sections of searches, importance, controls and retraining, in a module that does not import torch."""

from collections.abc import Collection, Mapping
from itertools import chain
from typing import Annotated, Literal

from msgspec import Meta

from lottery.errors import UserError
from lottery.grid import GridParameters, Seed
from lottery.params import SHORT, Parameters
from lottery.ticket import Key
from lottery.vocabulary import Kind

Draws = Annotated[int, Meta(ge=1, le=1000)]


class PruneParameters(Parameters, frozen=True):
    """The pruning search: its steps, when it continues, and which data drive it.

    rate: share of the heads, or of the remaining weights, pruned per step. threshold: share of the full model's
    score that a subnetwork must keep. floor: absolute score that it must keep as well, or null; `guess` is the score
    that is significantly above that of guessing on these data. data: the split that
    drives the search; `select` is held out of train, `dev` is the paper's choice, which reports scores on the data
    that it selected on. entry: the importance that later phases start from; `fresh` is that of the accepted
    subnetwork, `stale` (the authors' code) that of the rejected one. curve: the sparsity
    up to which the first phase continues below the threshold, for the report's curves and for matched sparsities.
    """

    rate: Annotated[float, Meta(gt=0, lt=1)]
    threshold: Annotated[float, Meta(gt=0, le=1)]
    floor: Annotated[float, Meta(ge=-1, le=1)] | Literal["guess"] | None
    data: Literal["select", "dev"]
    entry: Literal["fresh", "stale"]
    curve: Annotated[float, Meta(ge=0, le=1)]


class ImportanceParameters(Parameters, frozen=True):
    """Importance of heads and MLPs: how gate gradients are reduced and normalised.

    reduction: `example` takes one absolute value per example (the paper's equation), `batch` one per batch mean,
    `cumulative` one per running sum of batch means (the authors' code, which never clears the gradients). batch:
    examples in such a batch, in the order of the data. normalise: the importance of heads is divided by its L2 norm
    over the `surviving` heads of their layer or over `all` of them; `all` needs the gradients of pruned heads too.
    saliency: `gate` is that of the paper; the keys above are its own. Others are in `lottery.tickets.saliencies`.
    neurons: single neurons of MLPs are pruned too, in a last phase of the search.
    """

    reduction: Literal["example", "batch", "cumulative"]
    batch: Annotated[int, Meta(ge=1, le=2**20)]
    normalise: Literal["surviving", "all"]
    saliency: Annotated[str, Meta(min_length=1)]
    neurons: bool


class MagnitudeParameters(Parameters, frozen=True):
    """Step size and end of m-pruning.

    rate: share of the remaining weights pruned per step; null takes that of `prune`. biases: count the biases of all
    but the last projection among the weights, as the authors' code does. until: the sparsity at which the search
    ends, and with it its curve. saliency: by what weights are ranked, `magnitude` or another of
    `lottery.tickets.saliencies` that is defined for weights.
    """

    rate: Annotated[float, Meta(gt=0, lt=1)] | None
    biases: bool
    until: Annotated[float, Meta(gt=0, lt=1)]
    saliency: Annotated[str, Meta(min_length=1)]


class ControlsParameters(Parameters, frozen=True):
    """Tickets beside the good one: how many controls are scored, of which sizes, and how they are drawn.

    random_draws, bad_draws: controls of the size of the good ticket. matched: sparsities at which tickets of all cells
    are compared. matched_draws: random and bad controls at each of them. random: `exact` draws as many components as
    survive; `bernoulli` (the authors' heads and MLPs) keeps each with the probability of survival, so that sizes are
    equal on average only. bad: `unsurvived` takes components that did not survive (the paper's text); `smallest` (the
    authors' weights) takes the smallest weights, as many as survive.
    """

    random_draws: Draws
    bad_draws: Draws
    matched: Annotated[tuple[Annotated[float, Meta(gt=0, lt=1)], ...], Meta(min_length=1)]
    matched_draws: Draws
    random: Literal["exact", "bernoulli"]
    bad: Literal["unsurvived", "smallest"]

    def __post_init__(self) -> None:
        if len(set(self.matched)) < len(self.matched):
            values = SHORT.repr(list(self.matched))
            raise UserError(f"parameters: controls.matched = {values}: a sparsity is repeated")


class RewindParameters(Parameters, frozen=True):
    """Iterative magnitude pruning with rewinding (Frankle & Carbin 2019; Chen et al. 2020): off where `tasks` is empty.

    tasks, seeds: its cells, which are some of the grid's. rate: share of all prunable weights that a round prunes.
    until: the sparsity of the last round, a multiple of `rate`. step: the optimiser step whose weights each round
    starts from; 0 are the pre-trained ones. controls: sparsities at which controls are trained. draws: random masks
    at each of them.
    """

    tasks: tuple[str, ...]
    seeds: tuple[Seed, ...]
    rate: Annotated[float, Meta(gt=0, lt=1)]
    until: Annotated[float, Meta(gt=0, lt=1)]
    step: Annotated[int, Meta(ge=0, le=10**9)]
    controls: tuple[Annotated[float, Meta(gt=0, lt=1)], ...]
    draws: Draws

    def __post_init__(self) -> None:
        if not self.rounds:
            raise UserError(
                f"parameters: rewind.until = {self.until:g}: expected a multiple of rewind.rate = {self.rate:g}"
            )
        if len(set(self.controls)) < len(self.controls):
            values = SHORT.repr(list(self.controls))
            raise UserError(f"parameters: rewind.controls = {values}: a sparsity is repeated")
        for sparsity in self.controls:
            if self.round_at(sparsity) not in range(1, self.rounds + 1):
                raise UserError(
                    f"parameters: rewind.controls: {sparsity:g} is no round: these are {self.rate:g} apart and end at"
                    f" {self.until:g}"
                )

    @property
    def rounds(self) -> int:
        """Number of rounds."""
        return self.round_at(self.until)

    def round_at(self, sparsity: float) -> int:
        """The number of the round with this sparsity, from 1; 0 if there is none."""
        number = round(sparsity / self.rate)
        return number if abs(number * self.rate - sparsity) < 1e-6 else 0

    def cells(self, grid: GridParameters) -> tuple[tuple[str, int], ...]:
        """Every (task, seed) that is rewound, in the order of the grid."""
        return grid.cells_of(self.tasks, self.seeds)


class RetrainParameters(Parameters, frozen=True):
    """The tickets that are trained again.

    draws: random and bad tickets of a cell that are retrained; they are stored. tickets: the seeds with which a kind
    of ticket of a method is retrained; with all seeds if it is not named. reinitialised: the seeds with which a
    method's good ticket is trained from random weights too; with none if it is not named. kept: the seeds whose
    retrained good tickets are kept, weights and all, to be taken home.
    """

    draws: Draws
    tickets: Mapping[str, Mapping[Kind, tuple[Seed, ...]]]
    reinitialised: Mapping[str, tuple[Seed, ...]]
    kept: tuple[Seed, ...]

    def absent(self, seeds: Collection[int]) -> dict[str, list[int]]:
        """The seeds that each key names and a grid of `seeds` does not have, where there are any."""
        named = {
            "tickets": [chosen for kinds in self.tickets.values() for chosen in kinds.values()],
            "reinitialised": [*self.reinitialised.values()],
            "kept": [self.kept],
        }
        missing = {
            key: {*chain.from_iterable(lists)}.difference(seeds) for key, lists in named.items()
        }
        return {key: sorted(numbers) for key, numbers in missing.items() if numbers}

    def retrains(self, key: Key, seed: int) -> bool:
        """True if a ticket is retrained with this seed. Tickets at a matched sparsity never are."""
        seeds = self.tickets.get(key.method, {}).get(key.kind)
        chosen = seeds is None or seed in seeds
        return chosen and key.matched is None and key.draw < self.draws

    def reinitialises(self, key: Key, seed: int) -> bool:
        """True if a ticket is trained from random weights too with this seed."""
        good = key.kind == "good" and key.matched is None
        return good and seed in self.reinitialised.get(key.method, ())

    def keeps(self, key: Key, seed: int) -> bool:
        """True if the weights of a ticket that is retrained with this seed are kept."""
        return seed in self.kept and key.kind == "good" and key.matched is None
