"""The parameter sections of searches, importance and controls, in a module that imports no torch."""

from typing import Annotated, Literal

from msgspec import Meta

from lottery.params import Parameters


class PruneParameters(Parameters, frozen=True):
    """When a search continues, and which data drive it.

    rate: share of the heads, or of the remaining weights, pruned per step. threshold: share of the full model's
    score that a subnetwork must keep. floor: absolute score that it must keep as well, or null. data: the split that
    drives the search; `select` is held out of train, `dev` is the paper's choice, which reports on the data it
    selected on. entry: the importance that later phases start from; `fresh` is that of the accepted subnetwork,
    `stale` (the authors' code) that of the rejected one. curve: continue the first phase past the threshold until
    nothing is left, for the report's curves.
    """

    rate: Annotated[float, Meta(gt=0, lt=1)]
    threshold: Annotated[float, Meta(gt=0, le=1)]
    floor: Annotated[float, Meta(ge=-1, le=1)] | None
    data: Literal["select", "dev"]
    entry: Literal["fresh", "stale"]
    curve: bool


class ImportanceParameters(Parameters, frozen=True):
    """How gate gradients become the importance of heads and MLPs.

    reduction: `example` takes one absolute value per example (the paper's equation), `batch` one per batch mean,
    `cumulative` one per running sum of batch means (the authors' code, which never clears the gradients). batch:
    examples in such a batch, in the order of the data. normalise: the importance of heads is divided by its L2 norm
    over the `surviving` heads of their layer or over `all` of them; `all` needs the gradients of pruned heads too.
    """

    reduction: Literal["example", "batch", "cumulative"]
    batch: Annotated[int, Meta(ge=1, le=2**20)]
    normalise: Literal["surviving", "all"]


class MagnitudeParameters(Parameters, frozen=True):
    """Step size and extent of m-pruning.

    rate: share of the remaining weights pruned per step; null takes that of `prune`. biases: count the biases of all
    but the last projection among the weights, as the authors' code does. until: the sparsity at which the search
    ends, and with it its curve.
    """

    rate: Annotated[float, Meta(gt=0, lt=1)] | None
    biases: bool
    until: Annotated[float, Meta(gt=0, lt=1)]


class ControlsParameters(Parameters, frozen=True):
    """How many random subnetworks are drawn for each good one, and how random and bad ones are made.

    random: `exact` draws as many components as survive; `bernoulli` (the authors' heads and MLPs) keeps each
    with the probability of surviving, so that the size holds on average only.
    bad: `unsurvived` takes what did not survive (the paper's text); `smallest` (the authors' weights) takes
    as many as survive from the low end of the magnitudes.
    """

    draws: Annotated[int, Meta(ge=1, le=100)]
    random: Literal["exact", "bernoulli"]
    bad: Literal["unsurvived", "smallest"]
