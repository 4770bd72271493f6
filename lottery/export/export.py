"""Exported folder of a trained model: its forms, each read again and checked."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lottery.errors import UserError
from lottery.export import checks, score, tokenizer
from lottery.export.form import Form
from lottery.export.ready import Logits, logits
from lottery.export.score import DevScore
from lottery.export.trained import TrainedModel
from lottery.model.evaluation import predict
from lottery.wording import number


@dataclass(frozen=True)
class Written:
    """A form that was written: the size of its file in bytes, and its score on dev as its reader computes it."""

    form: Form
    size: int
    score: DevScore


def write(model: TrainedModel, forms: Sequence[Form], folder: Path) -> list[Written]:
    """Write the tokenizer and all forms into an empty folder, and check what their readers compute from them.

    Raises UserError if a form's logits are not those of the encoder or, for one that is only close, if it costs too
    much of the score.
    """
    tokenizer.write(model.tokenizer, folder)
    logits_NC = predict(model.encoder, model.dev)
    for form in forms:
        form.write(model, folder)
    return [_checked(model, form, logits_NC, folder) for form in forms]


def _checked(model: TrainedModel, form: Form, expected_NC: Logits, folder: Path) -> Written:
    logits_NC = logits(form.load(folder, model), model.dev)
    full, written = (
        score.on_dev(model.task, computed, model.dev) for computed in (expected_NC, logits_NC)
    )
    if form.accepted is None:
        checks.require_equal(form.reader, expected_NC, logits_NC)
    elif not form.accepted(full.mean, written.mean):
        raise UserError(
            f"the form `{form.name}` loses too much: {model.task.metrics[0]} on dev is"
            f" {number(written.mean)} instead of {number(full.mean)}; name other --forms"
        )
    return Written(form, (folder / form.file).stat().st_size, written)
