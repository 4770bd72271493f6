"""Git references of DVC's experiments: one for each, by the commit that it started from and its name."""

from pathlib import Path

from cluster.git import git

EXPERIMENTS = "refs/exps"


def experiment(commit: str, name: str) -> str:
    """The reference of an experiment. `commit` is a full hash."""
    return f"{_folder(commit)}/{name}"


def experiments(folder: Path, commit: str) -> dict[str, str]:
    """Names of the experiments that started from a commit, oldest first, each with the commit of its results."""
    listing = git(
        folder,
        "for-each-ref",
        "--sort=committerdate",
        "--format=%(refname) %(objectname)",
        _folder(commit),
    )
    pairs = [text.split() for text in listing.decode().splitlines()]
    return {name.rpartition("/")[2]: revision for name, revision in pairs}


def _folder(commit: str) -> str:
    return f"{EXPERIMENTS}/{commit[:2]}/{commit[2:]}"
