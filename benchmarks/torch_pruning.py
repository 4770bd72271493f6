"""Torch-Pruning: Taylor importance of coupled groups, each batch padded to its longest sentence."""

import numpy as np
import torch_pruning

from benchmarks import plain
from benchmarks.load import Load
from benchmarks.measure import Act, Arrays

BATCH = 32


def importance(load: Load) -> Act:
    """Gradients of all sentences, then the importance of every group of the dependency graph."""
    model, examples = plain.bert(load.folder, "sdpa"), load.examples
    first = {
        name: t for name, t in next(plain.batches(examples, 1, None)).items() if name != "labels"
    }
    graph = torch_pruning.DependencyGraph().build_dependency(model, example_inputs=first)
    taylor = torch_pruning.importance.GroupTaylorImportance()

    def act() -> Arrays:
        model.zero_grad()
        for batch in plain.batches(examples, BATCH, None):
            model(**batch).loss.backward()
        groups = [
            taylor(group) for group in graph.get_all_groups(ignored_layers=[model.classifier])
        ]
        return {"groups_taylor": np.concatenate([g.numpy() for g in groups if g is not None])}

    return act
