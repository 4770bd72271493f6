"""The forms in which a trained model is exported: one record each.

ONNX needs packages beyond those of the pipeline, so the module that writes and reads a form is imported by its name,
when it is used.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Protocol, cast

from lottery.errors import UserError, suggestion
from lottery.export import forms, score
from lottery.export.ready import Ready
from lottery.export.trained import TrainedModel
from lottery.wording import listed


class FormModule(Protocol):
    """The module of `lottery.export.forms` that is called as its form."""

    def write(self, model: TrainedModel, file: Path, /) -> None:
        """Write the model, its weights as `file`."""

    def load(self, file: Path, model: TrainedModel, /) -> Ready:
        """The written model in the program that the form is for."""


@dataclass(frozen=True)
class Form:
    """A form of a trained model.

    title: what its file is. file: where its weights are in the exported folder. reader: the program that reads them.
    fits: whether a model has this form. accepted: whether a score is near enough to the original one, None if the
    logits must be equal. packages: what it needs of the extra `export`.
    """

    name: str
    title: str
    file: str
    reader: str
    fits: Callable[[TrainedModel], bool] = lambda _: True
    accepted: Callable[[float, float], bool] | None = None
    packages: tuple[str, ...] = ()

    def write(self, model: TrainedModel, folder: Path) -> None:
        """Write the form into a folder."""
        self._module.write(model, folder / self.file)

    def load(self, folder: Path, model: TrainedModel) -> Ready:
        """The model as its reader has it from the folder."""
        return self._module.load(folder / self.file, model)

    @property
    def _module(self) -> FormModule:
        return cast(FormModule, import_module(f"{forms.__name__}.{self.name}"))


TRANSFORMERS = Form(
    name="transformers",
    title="an ordinary encoder of its family; what was pruned is zeros",
    file="model.safetensors",
    reader="transformers",
)
SMALL = Form(
    name="small",
    title="without the heads and MLPs that were pruned, for this project",
    file="small/model.safetensors",
    reader="lottery",
    fits=lambda model: not model.is_whole and not model.is_masked,
)
MASK = Form(
    name="mask",
    title="one bit for each prunable weight, and the weights that are left",
    file="mask.safetensors",
    reader="lottery",
    fits=lambda model: model.is_masked,
)
ONNX = Form(
    name="onnx",
    title="ONNX, without the heads and MLPs that were pruned",
    file="model.onnx",
    reader="onnxruntime",
    packages=("onnx", "onnxscript", "onnxruntime"),
)
INT8 = Form(
    name="int8",
    title="ONNX with weights of eight bits",
    file="model_int8.onnx",
    reader="onnxruntime",
    accepted=score.keeps_enough,
    packages=ONNX.packages,
)
FORMS: Mapping[str, Form] = {form.name: form for form in (TRANSFORMERS, SMALL, MASK, ONNX, INT8)}
"""All forms by name, in the order in which they are written."""


def fitting(model: TrainedModel) -> list[Form]:
    """All forms that fit a model."""
    return [form for form in FORMS.values() if form.fits(model)]


def chosen(names: str) -> list[Form]:
    """The forms of these names, with commas between them. Raises UserError if there is no such form."""
    wanted = {name.strip() for name in names.split(",")}
    if unknown := sorted(wanted - FORMS.keys()):
        raise UserError(f"unknown form `{unknown[0]}`{suggestion(unknown[0], FORMS)}")
    return [form for form in FORMS.values() if form.name in wanted]


def require_packages(form: Form) -> None:
    """Raise UserError if the form needs packages that are not installed."""
    if missing := [name for name in form.packages if find_spec(name) is None]:
        raise UserError(
            f"the form `{form.name}` needs {listed(missing)}: install them with"
            " `pip install 'lottery[export]'`, or choose other --forms"
        )


def require_fit(model: TrainedModel, forms: Iterable[Form]) -> None:
    """Raise UserError if a form needs packages that are not installed, or does not fit the model."""
    for form in forms:
        require_packages(form)
        if not form.fits(model):
            raise UserError(
                f"the form `{form.name}` does not fit {model.name}; choose other --forms"
            )
