"""Trainer of transformers, each batch padded to its longest sentence."""

import tempfile

import numpy as np
from torch import Tensor
from transformers import Trainer, TrainingArguments

from benchmarks import plain
from benchmarks.load import Load
from benchmarks.measure import Act
from lottery.data.examples import Examples


def finetune(load: Load) -> Act:
    """One epoch of fine-tuning with the same hyper-parameters as the other implementations."""
    model, examples = plain.bert(load.folder, "sdpa"), load.examples
    arguments = TrainingArguments(
        output_dir=tempfile.mkdtemp(),
        per_device_train_batch_size=load.batch,
        num_train_epochs=1,
        learning_rate=load.recipe.learning_rate,
        weight_decay=0.0,
        max_grad_norm=load.recipe.clip,
        save_strategy="no",
        report_to=[],
        disable_tqdm=True,
        use_cpu=True,
        dataloader_pin_memory=False,
    )
    rows = [examples.take(np.array([row])) for row in range(len(examples))]
    trainer = Trainer(model, arguments, data_collator=_collate, train_dataset=rows)
    return lambda: {"loss": np.array(trainer.train().training_loss)}


def _collate(rows: list[Examples]) -> dict[str, Tensor]:
    first = rows[0]
    joined = Examples(
        first.task,
        first.split,
        *(
            np.concatenate([getattr(row, name) for row in rows])
            for name in ("ids_T", "types_T", "lengths_N", "labels_N")
        ),
    )
    return plain.padded(joined, None)
