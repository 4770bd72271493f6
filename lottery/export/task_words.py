"""A trained model with the words of its task only."""

from dataclasses import replace

from lottery.data import examples
from lottery.export import vocabulary
from lottery.export.trained import Spelling, TrainedModel
from lottery.verification.run import CellOutputs


def reduced(model: TrainedModel, cell: CellOutputs) -> TrainedModel:
    """The model without word embeddings that no text of its task uses, and with a tokenizer to match.

    Kept are the pieces of train, select and dev. What this costs is stated for dev, as if it had not been seen, and for
    texts of other kinds.
    """
    splits = cell.splits() | {"train": examples.load(cell.data / "train.safetensors")}
    of_task = {name: split for name, split in splits.items() if not name.startswith("dev-")}
    unseen = [split for name, split in of_task.items() if name != "dev"]
    kept, without_dev = (
        vocabulary.occurring(model.tokenizer, texts, model.encoder.config.first_position)
        for texts in (of_task.values(), unseen)
    )
    encoder, tokenizer = vocabulary.reduced(model.encoder, model.tokenizer, kept)
    elsewhere = {name: split for name, split in splits.items() if name not in of_task}
    spelled = {
        "dev": vocabulary.foreign(splits["dev"], without_dev),
        **{name: vocabulary.foreign(split, kept) for name, split in elsewhere.items()},
    }
    return replace(
        model,
        encoder=encoder,
        tokenizer=tokenizer,
        dev=vocabulary.renumbered(model.dev, kept),
        spelling=Spelling(len(kept), model.encoder.config.vocab_size, spelled),
    )
