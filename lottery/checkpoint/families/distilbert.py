"""DistilBERT (Sanh et al. 2019, arXiv 1910.01108): no sentence types, no pooler, keys and names of its own."""

from lottery.checkpoint.family import EMBEDDINGS, Family, Head

DISTILBERT = Family(
    model_type="distilbert",
    classes="DistilBert",
    prefix="distilbert.",
    names=(
        *EMBEDDINGS,
        ("layers.", "transformer.layer."),
        ("attention.query", "attention.q_lin"),
        ("attention.key", "attention.k_lin"),
        ("attention.value", "attention.v_lin"),
        ("attention.output", "attention.out_lin"),
        ("attention_norm", "sa_layer_norm"),
        ("mlp_norm", "output_layer_norm"),
        ("mlp.expand", "ffn.lin1"),
        ("mlp.contract", "ffn.lin2"),
    ),
    head=Head(
        names=(("pooler.", "pre_classifier."), ("classifier.", "classifier.")),
        dense="the dense layer of a classification head",
        activation="relu",
        drops_input=False,
    ),
    keys={
        "vocab_size": "vocab_size",
        "hidden_size": "dim",
        "num_hidden_layers": "n_layers",
        "num_attention_heads": "n_heads",
        "intermediate_size": "hidden_dim",
        "max_position_embeddings": "max_position_embeddings",
        "hidden_act": "activation",
        "hidden_dropout_prob": "dropout",
        "attention_probs_dropout_prob": "attention_dropout",
        "classifier_dropout": "seq_classif_dropout",
    },
    values={"type_vocab_size": 0, "classifier_dropout": 0.2},
    drops_attention=False,
)
