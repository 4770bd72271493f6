"""BERT (Devlin et al. 2019, arXiv 1810.04805): what the other families are described against."""

from lottery.checkpoint.family import EMBEDDINGS, LAYERS, Family, Head

BERT = Family(
    model_type="bert",
    classes="Bert",
    prefix="bert.",
    names=(*EMBEDDINGS, *LAYERS, ("pooler.", "pooler.dense.")),
    head=Head(
        names=(("classifier.", "classifier."),),
        dense="a pooler",
        activation="tanh",
        drops_input=False,
    ),
)
