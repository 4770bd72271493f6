"""onnxruntime: the exported ticket, without the heads and MLPs that were pruned."""

from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks import project
from benchmarks.load import Load
from benchmarks.measure import Act
from lottery.export import onnx_file
from lottery.export.ready import logits


def ticket(load: Load) -> Act:
    """Logits of all examples, on one thread."""
    with TemporaryDirectory() as folder:
        file = Path(folder, "model.onnx")
        onnx_file.write(project.pruned(load), file)
        ready = onnx_file.load(file)
    return lambda: {"logits": logits(ready, load.examples)}
