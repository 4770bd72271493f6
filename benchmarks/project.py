"""This project's implementation, called as its stages call it."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from benchmarks.load import TASK, THRESHOLD, Load
from benchmarks.measure import Act, Arrays
from lottery import records
from lottery.model import checkpoint
from lottery.model.encoder import Encoder
from lottery.model.evaluation import predict
from lottery.model.training import finetune as train
from lottery.predictions import prediction
from lottery.schemas import Prediction
from lottery.subnetwork import Subnetwork
from lottery.ticket import FULL
from lottery.tickets.importance import gate_gradients
from lottery.tickets.importance import importance as reduced
from lottery.tickets.magnitude import Magnitude
from lottery.tickets.parameters import ImportanceParameters, MagnitudeParameters, PruneParameters
from lottery.tickets.search import Criterion, search
from lottery.tickets.structured import Structured

CLASSES, SEED = 2, 1


def importance(load: Load) -> Act:
    """Logits and gradients of single examples at all gates, in one pass, and both reductions of them."""
    encoder, examples = _encoder(load), load.examples
    kept = _kept(load, encoder.config.shapes)
    small = encoder.extract(kept)

    def act() -> Arrays:
        gradients = gate_gradients(small, examples, TASK, kept)
        exact, authors = (
            reduced(
                gradients,
                ImportanceParameters(
                    reduction=how, batch=load.batch, normalise="all", saliency="gate", neurons=False
                ),
            )
            for how in ("example", "cumulative")
        )
        return {
            "heads": exact["heads"],
            "mlps": exact["mlps"],
            "heads_cumulative": authors["heads"],
            "mlps_cumulative": authors["mlps"],
            "logits": gradients.logits_NC,
        }

    return act


def scoring(load: Load) -> Act:
    """Logits of all examples."""
    encoder, examples = _encoder(load), load.examples
    return lambda: {"logits": predict(encoder, examples)}


encoder_pass = scoring


def ticket(load: Load) -> Act:
    """Logits of all examples by the encoder without what is pruned."""
    encoder, examples = pruned(load), load.examples
    return lambda: {"logits": predict(encoder, examples)}


def predictions(load: Load) -> Act:
    """Logits of all examples, which are kept in a file as `retrain` keeps them."""
    encoder, examples = _encoder(load), load.examples

    def keep(logits_NC: NDArray[np.floating]) -> None:
        labels_N = examples.labels_N[: len(logits_NC)]
        record = prediction(TASK, SEED, FULL, "finetuned", "dev", logits_NC, labels_N)
        with TemporaryDirectory() as folder:
            records.write(Prediction, [record], Path(folder, "1.parquet"))

    def act() -> Arrays:
        keep(logits_NC := predict(encoder, examples))
        return {"logits": logits_NC}

    keep(np.zeros((1, CLASSES)))  # for its first table pyarrow imports pandas, which takes a second
    return act


def s_search(load: Load) -> Act:
    """Structured search with absolute values of single examples; pruned parts are removed from the model."""
    return _structured(
        load,
        ImportanceParameters(
            reduction="example",
            batch=load.batch,
            normalise="surviving",
            saliency="gate",
            neurons=False,
        ),
    )


def s_search_authors(load: Load) -> Act:
    """Structured search with the reduction and norm of the authors' code."""
    return _structured(
        load,
        ImportanceParameters(
            reduction="cumulative",
            batch=load.batch,
            normalise="all",
            saliency="gate",
            neurons=False,
        ),
    )


def m_search(load: Load) -> Act:
    """Magnitude search with its whole curve."""
    weights = MagnitudeParameters(rate=None, biases=False, until=load.until, saliency="magnitude")
    encoder, examples = _encoder(load), load.examples
    pruner = Magnitude(encoder, TASK, examples, load.rate, weights)
    rule = PruneParameters(
        rate=load.rate, threshold=THRESHOLD, floor=None, data="select", entry="fresh", curve=1
    )
    return lambda: _trajectory(pruner, rule)


def finetune(load: Load) -> Act:
    """One epoch of fine-tuning."""
    encoder, examples = _encoder(load), load.examples
    return lambda: {"loss": np.array(train(encoder, examples, TASK, load.recipe, SEED)[0])}


def retrain(load: Load) -> Act:
    """One epoch of fine-tuning of the pruned encoder."""
    small, examples = pruned(load), load.examples
    return lambda: {"loss": np.array(train(small, examples, TASK, load.recipe, SEED)[0])}


def pruned(load: Load) -> Encoder:
    """The encoder without the heads and MLPs that are pruned from the start."""
    encoder = _encoder(load)
    return encoder.extract(_kept(load, encoder.config.shapes))


def _encoder(load: Load) -> Encoder:
    return checkpoint.load(load.folder, CLASSES).to(load.device)


def _kept(load: Load, shapes: dict[str, tuple[int, ...]]) -> Subnetwork:
    return Subnetwork({part: load.kept(shape) for part, shape in shapes.items()})


def _structured(load: Load, importance: ImportanceParameters) -> Act:
    encoder, examples = _encoder(load), load.examples
    pruner = Structured(encoder, TASK, examples, load.rate, importance)
    entry: Literal["fresh", "stale"] = "stale" if importance.reduction == "cumulative" else "fresh"
    rule = PruneParameters(
        rate=load.rate, threshold=THRESHOLD, floor=None, data="select", entry=entry, curve=0
    )
    return lambda: _trajectory(pruner, rule)


def _trajectory(criterion: Criterion, rule: PruneParameters) -> dict[str, Any]:
    """Scores of all candidates of a search, and the bits of their masks."""
    scores, masks = list[float](), list[NDArray[np.uint8]]()
    for step in search(criterion, rule):
        scores.append(step.score)
        if step.phase != "full":
            masks.append(_bits(step.subnetwork))
    return {"scores": np.array(scores), "masks": masks}


def _bits(subnetwork: Subnetwork) -> NDArray[np.uint8]:
    """One bit per component; heads and MLPs share bytes."""
    if "heads" in subnetwork:
        return np.packbits(subnetwork.flat)
    return np.concatenate([np.packbits(kept) for kept in subnetwork.values()])
