"""DOCX (Office Open XML, ISO/IEC 29500-1, section 17): lines as right-to-left paragraphs.

python-docx keeps the tree of a whole document in memory; here the body goes to a temporary file.
"""

from typing import Final
from xml.sax.saxutils import escape

from ketav_gateway.pages.exports import xml_text
from ketav_gateway.pages.regions import page_regions
from ketav_gateway.pages.schemas import Page

MEDIA_TYPE: Final = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
BODY: Final = "word/document.xml"
_MAIN: Final = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_PACKAGE: Final = "http://schemas.openxmlformats.org/package/2006"
_OFFICE: Final = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_DECLARATION: Final = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_REGION_SPACE: Final = "240"
"""Space before a region in twentieths of a point: an empty line."""


def parts() -> dict[str, str]:
    """Return the files of a document besides its body, by their names."""
    word = MEDIA_TYPE.removesuffix(".document")
    types = (
        f'<Types xmlns="{_PACKAGE}/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/{BODY}" ContentType="{MEDIA_TYPE}.main+xml"/>'
        f'<Override PartName="/word/styles.xml" ContentType="{word}.styles+xml"/></Types>'
    )
    styles = (
        f'<w:styles xmlns:w="{_MAIN}"><w:docDefaults><w:rPrDefault><w:rPr>'
        '<w:rFonts w:ascii="Arial" w:hAnsi="Arial" w:cs="David"/><w:sz w:val="24"/><w:szCs w:val="28"/>'
        '<w:lang w:val="he-IL" w:bidi="he-IL"/></w:rPr></w:rPrDefault></w:docDefaults></w:styles>'
    )
    return {
        "[Content_Types].xml": _DECLARATION + types,
        "_rels/.rels": _relationships("officeDocument", BODY),
        "word/_rels/document.xml.rels": _relationships("styles", "styles.xml"),
        "word/styles.xml": _DECLARATION + styles,
    }


def _relationships(kind: str, target: str) -> str:
    """Return a file that names one related file."""
    related = f'<Relationship Id="r1" Type="{_OFFICE}/{kind}" Target="{target}"/>'
    return f'{_DECLARATION}<Relationships xmlns="{_PACKAGE}/relationships">{related}</Relationships>'


def begin() -> str:
    """Return the beginning of the body."""
    return f'{_DECLARATION}<w:document xmlns:w="{_MAIN}"><w:body>\n'


def paragraphs(page: Page, number: int) -> str:
    """Return the lines of a page, counted from 1, which begins on a new page of the document.

    A region begins after an empty space. A page without lines is an empty paragraph.
    """
    begins_page = "<w:pageBreakBefore/>" if number > 1 else ""
    written: list[str] = []
    for region in page_regions(page):
        space = f'<w:spacing w:before="{_REGION_SPACE}"/>' if written else ""
        for line in region.lines:
            text = line.text if line.verified_text is None else line.verified_text
            written.append(_paragraph(text, "" if written else begins_page, space))
            space = ""
    return "".join(written or [_paragraph("", begins_page, "")])


def _paragraph(text: str, begins_page: str, space: str) -> str:
    """Return a right-to-left paragraph; the properties are in the order of the schema."""
    properties = f"<w:pPr>{begins_page}<w:bidi/>{space}</w:pPr>"
    content = f'<w:t xml:space="preserve">{escape(xml_text(text))}</w:t>'
    return f"<w:p>{properties}<w:r><w:rPr><w:rtl/></w:rPr>{content}</w:r></w:p>\n"


def end() -> str:
    """Return the end of the body: the pages are A4, bound at the right."""
    size = '<w:pgSz w:w="11906" w:h="16838"/>'
    margins = '<w:pgMar w:top="1134" w:right="1134" w:bottom="1134" w:left="1134" '
    return (
        f'<w:sectPr>{size}{margins}w:header="567" w:footer="567" w:gutter="0"/><w:bidi/></w:sectPr>'
        "</w:body></w:document>\n"
    )
