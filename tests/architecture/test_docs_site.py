"""The documents are built as a site without a warning, and a link to nothing fails the build."""

from pathlib import Path

from tools import docs_site

DOCUMENT = Path("docs/README.md")


def test_links_to_code_become_text_and_those_to_folders_lead_to_their_readme() -> None:
    """Links to documents, to addresses and to nothing stay as they are."""
    text = (
        "[a](text.md#x) [b](../tools/check.py) [c](../client) [d](http://x/y) [e](missing.md) ![f](../tools)"
    )
    pages = {Path("docs/text.md"), Path("client/README.md")}
    assert docs_site.with_site_links(text, DOCUMENT, pages) == (
        "[a](text.md#x) b [c](../client/README.md) [d](http://x/y) [e](missing.md) ![f](../tools)"
    )


def test_a_link_to_a_missing_heading_fails_the_build() -> None:
    """The build is strict, and without the link it succeeds."""
    docs_site.copy_documents(docs_site.SOURCE)
    tour = docs_site.SOURCE / "docs/tour.md"
    original = tour.read_text()
    tour.write_text(f"{original}\n[nowhere](text.md#no-such-heading)\n")
    assert docs_site.build() != 0
    tour.write_text(original)
    assert docs_site.build() == 0
    page = (docs_site.SOURCE.parent / "docs/docs/tour/index.html").read_text()
    assert "<h1" in page
    assert "fonts.googleapis" not in page
