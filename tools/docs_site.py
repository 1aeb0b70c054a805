"""Build the documents as a site into `var/docs` (`make docs`); a warning, as of a broken link, is an error.

The documents keep their paths of the repository, so that their links work there and on the site. Links to
folders and to files of code have no page on the site: they become text.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tools.hygiene import ROOT, tracked

SOURCE = ROOT / "var" / "docs-source"
SUFFIXES = {".md", ".png", ".svg", ".jpg", ".webp"}
FOLDERS = ("docs/", "client/", "contrib/", "models/")
"""Folders with documents of the site; those at the root belong to it as well."""
_LINK = re.compile(r"(?<!!)\[([^\]]*)\]\(([^)\s#]+)(#[^)\s]*)?\)")


def documents() -> Iterator[Path]:
    """Yield the tracked documents and pictures, relative to the repository."""
    for path in tracked(ROOT):
        if path.suffix in SUFFIXES and (len(path.parts) == 1 or str(path).startswith(FOLDERS)):
            yield path


def with_site_links(text: str, document: Path, pages: set[Path]) -> str:
    """Return a document whose links to files without a page are text; the README of a folder is its page."""

    def replace(link: re.Match[str]) -> str:
        """Return a link as it is, to a README, or as its text."""
        if "://" in link[2] or not (ROOT / document.parent / link[2]).exists():
            return link[0]
        target = (ROOT / document.parent / link[2]).resolve().relative_to(ROOT)
        if target in pages:
            return link[0]
        if target / "README.md" in pages:
            return f"[{link[1]}]({link[2].rstrip('/')}/README.md{link[3] or ''})"
        return link[1]

    return _LINK.sub(replace, text)


def copy_documents(target: Path) -> int:
    """Copy the documents to an empty folder; return their number."""
    shutil.rmtree(target, ignore_errors=True)
    pages = set(documents())
    for page in pages:
        copied = target / page
        copied.parent.mkdir(parents=True, exist_ok=True)
        if page.suffix == ".md":
            text = (ROOT / page).read_text(encoding="utf-8")
            copied.write_text(with_site_links(text, page, pages), encoding="utf-8")
        else:
            shutil.copyfile(ROOT / page, copied)
    return len(pages)


def build() -> int:
    """Build the site from the copied documents; return the exit status of MkDocs, 1 after a warning."""
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--config-file", "mkdocs.yml"]
    # Material prints an advertisement for another program without this variable.
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    # With --quiet MkDocs would not count warnings.
    ran = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if ran.returncode:
        print(ran.stdout, ran.stderr, sep="")
    return ran.returncode


def main() -> int:
    """Build the site of the repository; return the exit status."""
    number = copy_documents(SOURCE)
    status = build()
    print(f"{number} documents and pictures" + (", in var/docs/index.html" if status == 0 else ""))
    return status


if __name__ == "__main__":
    sys.exit(main())
