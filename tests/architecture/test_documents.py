"""Links of the documents lead to files and headings of this repository; paths that they name exist."""

import re
from pathlib import Path

import pytest

from tools.hygiene import ROOT, tracked

DOCUMENTS = [path for path in tracked(ROOT) if path.suffix == ".md"]
_LINK = re.compile(r"\]\(([^)\s#]*)(#[^)\s]*)?\)")
_FOLDERS = "basemodel|bench|deploy|docs|libs|models|protos|services|tests|tools"
_PATH = re.compile(rf"(?<!New file )`((?:{_FOLDERS})/[\w./-]*\w)`")


def anchors(document: Path) -> set[str]:
    """Return the anchors of a document's headings, as GitHub makes them."""
    text = (ROOT / document).read_text(encoding="utf-8")
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("document", DOCUMENTS, ids=str)
def test_links_and_paths_exist(document: Path) -> None:
    """Relative links, anchors of headings, and paths in backquotes below a folder of the repository."""
    text = (ROOT / document).read_text(encoding="utf-8")
    missing = [name for name in _PATH.findall(text) if not (ROOT / name).exists()]
    for name, anchor in _LINK.findall(text):
        if "://" in name:
            continue
        target = (ROOT / document.parent / name).resolve() if name else ROOT / document
        if not target.exists() or (anchor and anchor[1:] not in anchors(target.relative_to(ROOT))):
            missing.append(name + anchor)
    assert missing == []


def test_each_decision_has_a_number_of_its_own_and_its_heading_says_it() -> None:
    """Two decisions written at the same time take the same number unless this fails."""
    files = sorted((ROOT / "docs/decisions").glob("[0-9]*.md"))
    numbers = [file.name[:4] for file in files]
    assert numbers == sorted(set(numbers))
    headings = [file.read_text(encoding="utf-8").splitlines()[0] for file in files]
    assert [heading[:7] for heading in headings] == [f"# {number} " for number in numbers]
