"""A test or a check proves each claim without exception in ARCHITECTURE.md and CONTRIBUTING.md."""

import ast
import re
import tomllib
from collections.abc import Iterator

import pytest

from tools.budget import ROOT
from tools.check import STEPS

DOCUMENTS = ("ARCHITECTURE.md", "CONTRIBUTING.md")
CLAIMS = tomllib.loads((ROOT / "tests" / "architecture" / "claims.toml").read_text(encoding="utf-8"))
WORDS = re.compile(
    r"\b(?:only|always|never|every|each|all|no|none|nothing|not|at most|one way|one part|same|without)\b",
    re.IGNORECASE,
)
"""Words of a sentence that allows no exception."""
_NO_SENTENCE = re.compile(r"```.*?```|^#.*?$", re.DOTALL | re.MULTILINE)
_SENTENCE_END = re.compile(r"(?<=[.?!])\s+(?=[A-Z`\[*])|\n\n|\n(?=- |\| )")
_MARKS = re.compile(r"^[-|#*\s]+|[|*\s]+$")


def sentences(text: str) -> Iterator[str]:
    """Yield the sentences, list items and table rows of a document, each on one line."""
    for part in _SENTENCE_END.split(_NO_SENTENCE.sub("\n\n", text)):
        sentence = _MARKS.sub("", " ".join(part.split()))
        if sentence:
            yield sentence


def claims(document: str) -> list[str]:
    """Return the sentences of a document that contain one of the words."""
    text = (ROOT / document).read_text(encoding="utf-8")
    return [sentence for sentence in sentences(text) if WORDS.search(sentence)]


def exists(proof: str) -> bool:
    """Return whether a proof is a step of `make check` or a test that is defined."""
    path, separator, name = proof.partition("::")
    if not separator:
        return proof in STEPS
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    return any(
        isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name == name
        for node in ast.walk(tree)
    )


@pytest.mark.parametrize("document", DOCUMENTS)
def test_each_claim_is_listed_with_its_proof(document: str) -> None:
    """A new or changed sentence needs an entry in claims.toml, and entries without a sentence go."""
    assert sorted(claims(document)) == sorted(CLAIMS[document])


def test_each_proof_exists() -> None:
    """A test that is renamed is renamed in claims.toml, too."""
    proofs = [proof for document in DOCUMENTS for listed in CLAIMS[document].values() for proof in listed]
    assert [proof for proof in proofs if not exists(proof)] == []
    assert all(listed for document in DOCUMENTS for listed in CLAIMS[document].values())


def test_sentences_are_divided_at_full_stops_items_and_rows() -> None:
    """Wrapped lines are joined, headings and code blocks are left out."""
    text = (
        "# Title\nOne a.\nTwo\nb (`x.y`). Three.\n\n- **Item** is\n  c\n| row | d |\n"
        "```\nonly code\n```\nEnd."
    )
    assert list(sentences(text)) == [
        "One a.",
        "Two b (`x.y`).",
        "Three.",
        "Item** is c",
        "row | d",
        "End.",
    ]
