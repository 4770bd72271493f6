"""Python that uses each form of an exported model, run in its folder."""

from collections.abc import Mapping

from lottery.data.examples import sentences_T
from lottery.export.form import INT8, MASK, ONNX, SMALL, TRANSFORMERS, Form
from lottery.export.trained import TrainedModel

PIPELINE = """\
from transformers import pipeline

classify = pipeline("text-classification", "{folder}")
print(classify({text}))"""
REGISTERED = f"""\
import lottery.export.registration  # transformers learns to read encoders without some heads and MLPs
{PIPELINE}"""
RUNTIME = """\
import numpy as np
import onnxruntime
from tokenizers import Tokenizer

tokens = Tokenizer.from_file("tokenizer.json").encode({texts})
columns = {{"input_ids": tokens.ids, "attention_mask": tokens.attention_mask, "token_type_ids": tokens.type_ids}}
model = onnxruntime.InferenceSession("{file}")
inputs = {{entry.name: np.array([columns[entry.name]]) for entry in model.get_inputs()}}
print(model.run(["logits"], inputs))"""
UNPACKED = """\
import json

import numpy as np
from safetensors import safe_open

with safe_open("{file}", framework="np") as file:
    shapes, weights = json.loads(file.metadata()["about"])["shapes"], {{}}
    for name, shape in shapes.items():
        kept = np.unpackbits(file.get_tensor(f"{{name}}.mask"), count=np.prod(shape)).astype(bool)
        weights[name] = np.zeros(kept.size, np.float32)
        weights[name][kept] = file.get_tensor(f"{{name}}.kept")
        weights[name] = weights[name].reshape(shape)
print(f"{{len(weights)}} matrices with zeros; all other tensors are in the file as they are")"""
SNIPPETS: Mapping[str, str] = {
    TRANSFORMERS.name: PIPELINE,
    SMALL.name: REGISTERED,
    MASK.name: UNPACKED,
    ONNX.name: RUNTIME,
    INT8.name: RUNTIME,
}
SENTENCE, SECOND = "A man is playing a guitar.", "Somebody makes music."


def snippet(model: TrainedModel, form: Form) -> str:
    """Python that loads a form and applies it to a sentence, or to a pair of them if the task has pairs."""
    pairs = bool(sentences_T(model.dev).any())
    return SNIPPETS[form.name].format(
        folder="small" if form is SMALL else ".",
        file=form.file,
        text=f'{{"text": "{SENTENCE}", "text_pair": "{SECOND}"}}' if pairs else f'"{SENTENCE}"',
        texts=f'"{SENTENCE}", "{SECOND}"' if pairs else f'"{SENTENCE}"',
    )
