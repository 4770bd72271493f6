"""The forms in which a trained model is exported: one record each.

ONNX needs packages beyond those of the pipeline, so a record imports what writes and reads it only when it is used.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

from lottery.errors import UserError
from lottery.export import bitmask, checks, portable, tokenizer
from lottery.export.checks import Logits
from lottery.export.trained import TrainedModel
from lottery.model import checkpoint
from lottery.model.encoder import Encoder
from lottery.model.evaluation import predict
from lottery.wording import listed


@dataclass(frozen=True)
class Format:
    """A form of a trained model.

    title: what its file is. file: where its weights are in the exported folder. reader: the program that reads them.
    write: writes the form into the folder. logits: what the reader computes from the folder on dev. fits: whether a
    model has this form. accepted: whether a score is near enough to the original one, None if the logits must be
    equal. packages: what it needs of the extra `export`.
    """

    name: str
    title: str
    file: str
    reader: str
    write: Callable[[TrainedModel, Path], None]
    logits: Callable[[TrainedModel, Path], Logits]
    fits: Callable[[TrainedModel], bool] = lambda _: True
    accepted: Callable[[float, float], bool] | None = None
    packages: tuple[str, ...] = ()


def _write_transformers(model: TrainedModel, folder: Path) -> None:
    portable.write(portable.padded(model.encoder), model.task, folder)


def _transformers_logits(model: TrainedModel, folder: Path) -> Logits:
    return checks.transformers_logits(folder, model.dev)


TRANSFORMERS = Format(
    name="transformers",
    title="an ordinary BERT; what was pruned is zeros",
    file="model.safetensors",
    reader="transformers",
    write=_write_transformers,
    logits=_transformers_logits,
)


def _write_small(model: TrainedModel, folder: Path) -> None:
    portable.write(model.encoder, model.task, folder / "small")
    tokenizer.write(model.tokenizer, folder / "small")


def _small_logits(model: TrainedModel, folder: Path) -> Logits:
    return predict(checkpoint.load(folder / "small", model.task.classes), model.dev)


SMALL = Format(
    name="small",
    title="without the heads and MLPs that were pruned, for this project",
    file="small/model.safetensors",
    reader="lottery",
    write=_write_small,
    logits=_small_logits,
    fits=lambda model: not model.is_whole and not model.is_masked,
)


def _write_mask(model: TrainedModel, folder: Path) -> None:
    bitmask.save(model.encoder, model.subnetwork, folder / MASK.file)


def _mask_logits(model: TrainedModel, folder: Path) -> Logits:
    tensors = bitmask.load(folder / MASK.file)
    encoder = Encoder.of(model.encoder.config, model.task.classes, tensors)
    return predict(encoder.eval(), model.dev)


MASK = Format(
    name="mask",
    title="one bit for each prunable weight, and the weights that are left",
    file="mask.safetensors",
    reader="lottery",
    write=_write_mask,
    logits=_mask_logits,
    fits=lambda model: model.is_masked,
)


def _write_onnx(model: TrainedModel, folder: Path) -> None:
    from lottery.export import onnx

    onnx.write(model.encoder, folder / ONNX.file)


def _onnx_logits(model: TrainedModel, folder: Path) -> Logits:
    from lottery.export import onnx

    return onnx.logits(folder / ONNX.file, model.dev)


ONNX = Format(
    name="onnx",
    title="ONNX, without the heads and MLPs that were pruned",
    file="model.onnx",
    reader="onnxruntime",
    write=_write_onnx,
    logits=_onnx_logits,
    packages=("onnx", "onnxscript", "onnxruntime"),
)


def _write_int8(model: TrainedModel, folder: Path) -> None:
    from lottery.export import int8

    with TemporaryDirectory() as scratch:
        if not (original := folder / ONNX.file).exists():
            _write_onnx(model, Path(scratch))
            original = Path(scratch, ONNX.file)
        int8.write(original, folder / INT8.file)


def _int8_logits(model: TrainedModel, folder: Path) -> Logits:
    from lottery.export import onnx

    return onnx.logits(folder / INT8.file, model.dev)


def _accepted_int8(full: float, quantised: float) -> bool:
    from lottery.export import int8

    return int8.accepted(full, quantised)


INT8 = Format(
    name="int8",
    title="ONNX with weights of eight bits",
    file="model_int8.onnx",
    reader="onnxruntime",
    write=_write_int8,
    logits=_int8_logits,
    accepted=_accepted_int8,
    packages=ONNX.packages,
)

FORMATS: Mapping[str, Format] = {
    form.name: form for form in (TRANSFORMERS, SMALL, MASK, ONNX, INT8)
}
"""All forms by name, in the order in which they are written."""


def fitting(model: TrainedModel) -> list[Format]:
    """All forms that fit a model."""
    return [form for form in FORMATS.values() if form.fits(model)]


def chosen(names: str) -> list[Format]:
    """The forms of these names, with commas between them. Raises UserError if there is no such form."""
    wanted = {name.strip() for name in names.split(",")}
    if unknown := wanted - FORMATS.keys():
        raise UserError(f"unknown format {listed(sorted(unknown))}; known: {', '.join(FORMATS)}")
    return [form for form in FORMATS.values() if form.name in wanted]


def require_packages(form: Format) -> None:
    """Raise UserError if the form needs packages that are not installed."""
    if missing := [name for name in form.packages if find_spec(name) is None]:
        raise UserError(
            f"the format `{form.name}` needs {listed(missing)}: install them with"
            " `pip install 'lottery[export]'`, or choose other --formats"
        )


def require_fit(model: TrainedModel, forms: Iterable[Format]) -> None:
    """Raise UserError if a form needs packages that are not installed, or does not fit the model."""
    for form in forms:
        require_packages(form)
        if not form.fits(model):
            raise UserError(
                f"the format `{form.name}` does not fit {model.name}; choose other --formats"
            )
