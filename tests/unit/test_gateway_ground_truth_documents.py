"""Texts of imports are parsed, and everything else is refused."""

import re
import time
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ketav_common.errors import InvalidInput
from ketav_common.limits import MAX_PAGE_LINES
from ketav_gateway.ground_truth.documents import GroundTruthLine, parse_line_text
from ketav_gateway.ground_truth.pairing import Names, TextFile
from ketav_gateway.ground_truth.xml_documents import parse_xml
from tests.parts.archives import alto, alto_line, page_line, page_xml

BOX = ((10, 10), (190, 10), (190, 40), (10, 40))
BASELINE = ((190, 20), (10, 20))


@pytest.mark.parametrize("xml", [alto(alto_line()), page_xml(page_line())], ids=["ALTO", "PAGE"])
def test_a_line_has_its_text_baseline_and_boundary(xml: str) -> None:
    """Both vocabularies have the same line."""
    document = parse_xml(xml.encode())
    assert document.lines == (GroundTruthLine(1, BASELINE, BOX, "שלום עולם"),)
    assert document.size == (200, 60)
    assert not document.refusals


@pytest.mark.parametrize(
    ("inner", "text"),
    [
        ('<String CONTENT="אב"/><SP/><String CONTENT="גד"/>', "אב גד"),
        ('<String CONTENT="אב"/><String CONTENT="גד"/>', "אב גד"),
        ('<String CONTENT="אב"/><HYP CONTENT="-"/>', "אב-"),
        ('<String CONTENT="אב  גד"/>', "אב  גד"),
        (
            '<String CONTENT="אב"><Glyph CONTENT="ג"><Shape><Polygon POINTS="1,1"/></Shape></Glyph></String>',
            "אב",
        ),
    ],
)
def test_the_strings_of_an_alto_line_are_joined(inner: str, text: str) -> None:
    """With the spaces between them; glyphs and their shapes are ignored."""
    line = f'<TextLine HPOS="10" VPOS="10.4" WIDTH="180" HEIGHT="29.6">{inner}</TextLine>'
    document = parse_xml(alto(line).encode())
    assert document.lines == (GroundTruthLine(1, (), BOX, text),)


def test_the_text_of_a_page_line_is_the_alternative_with_the_lowest_index() -> None:
    """The texts of words are not the line's."""
    word = "<Word><Coords points='1,1 2,2'/><TextEquiv><Unicode>מלה</Unicode></TextEquiv></Word>"
    texts = "".join(
        f'<TextEquiv index="{index}"><Unicode>{text}</Unicode></TextEquiv>'
        for index, text in ((1, "שני"), (0, "ראשון"))
    )
    line = f'<TextLine><Coords points="10,10 190,10 190,40 10,40"/>{word}{texts}</TextLine>'
    assert [line.text for line in parse_xml(page_xml(line).encode()).lines] == ["ראשון"]


def test_lines_without_text_or_outline_are_skipped_and_named() -> None:
    """The other lines are parsed; numbers count every line of the document from 1."""
    bad = {
        "no-text": alto_line(""),
        "no-geometry": '<TextLine><String CONTENT="א"/></TextLine>',
        "malformed-points": alto_line(points="1,1 2"),
        "too-many-points": alto_line(points="1,1 " * 20_000),
        "bidi-override": alto_line("א&#x202e;ב"),
        "too-many-marks": alto_line("א" + "\u05b0" * 17),
    }
    document = parse_xml(alto("".join(bad.values()) + alto_line()).encode())
    assert {refusal.code: refusal.number for refusal in document.refusals} == {
        code: number for number, code in enumerate(bad, start=1)
    }
    assert [line.number for line in document.lines] == [len(bad) + 1]


@pytest.mark.parametrize("control", ["\0", "\x1f", "&#0;", "&#x1F;", "&#07;"])
@pytest.mark.parametrize("kind", ["ALTO", "PAGE"])
def test_a_control_character_costs_its_line_and_not_the_document(kind: str, control: str) -> None:
    """XML has none, but programs write them; the reason names the character of the document."""
    text = f"אב{control}ג"
    lines = [alto_line(text), alto_line()] if kind == "ALTO" else [page_line(text), page_line()]
    document = parse_xml((alto if kind == "ALTO" else page_xml)("".join(lines)).encode())
    assert [line.number for line in document.lines] == [2]
    [refusal] = document.refusals
    code = {"\0": 0, "\x1f": 31, "&#0;": 0, "&#x1F;": 31, "&#07;": 7}[control]
    assert (refusal.number, refusal.code) == (1, "control-character")
    assert refusal.reason == f"The text has U+{code:04X} at code point 2. Remove this character."


def test_references_to_other_characters_stay() -> None:
    """Among them those to line breaks, and a document in UTF-16, which has NUL in every letter."""
    document = alto(alto_line("א&#x5d1;&#1490;&#32;ד"))
    for encoding in ("utf-8", "utf-16"):
        declared = document.replace("UTF-8", encoding)
        assert [line.text for line in parse_xml(declared.encode(encoding)).lines] == ["אבג ד"]


@pytest.mark.parametrize(
    "value", ["nan,1 2,2", "inf,0 1,1", "1e9,1 2,2", "9" * 5000 + ",1", "٣,1 2,2", "0x1,2"]
)
def test_a_coordinate_is_a_finite_number_within_an_image(value: str) -> None:
    """No infinities, no digits of other scripts."""
    document = parse_xml(alto(alto_line(points=value)).encode())
    assert [refusal.code for refusal in document.refusals] == ["malformed-points"]


@pytest.mark.parametrize(
    "points",
    [
        "10.0000000000000001,10 190.4,9.99999999999999999999 190,40 10,40.",
        "1e1,1.0E+1 1.9e2,10 190,4e1 100e-1,40",
        "+10,10 190,10 190,40 10,.4e2",
    ],
)
def test_a_coordinate_is_any_double(points: str) -> None:
    """With any number of decimals, and with an exponent."""
    for xml in (alto(alto_line(points=points)), page_xml(page_line(points=points))):
        assert parse_xml(xml.encode()).lines[0].boundary == BOX


def words(*texts: str) -> str:
    """Return words of PAGE, each with a text."""
    return "".join(
        f'<Word id="w{i}"><Coords points="1,1 2,2"/><TextEquiv><Unicode>{text}</Unicode></TextEquiv></Word>'
        for i, text in enumerate(texts)
    )


@pytest.mark.parametrize(
    ("inner", "text"),
    [
        (words("שלום", "עולם"), "שלום עולם"),
        (words("מלה"), "מלה"),
        (words(" א", "ב ", "ג") + "<TextEquiv><Unicode> </Unicode></TextEquiv>", "א ב ג"),
        (words("אחרת") + "<TextEquiv><Unicode>של השורה</Unicode></TextEquiv>", "של השורה"),
    ],
)
def test_a_page_line_with_words_alone_has_their_texts(inner: str, text: str) -> None:
    """Joined by spaces; the text of the line itself comes first."""
    line = f'<TextLine><Coords points="10,10 190,10 190,40 10,40"/>{inner}</TextLine>'
    assert [item.text for item in parse_xml(page_xml(line).encode()).lines] == [text]


@pytest.mark.parametrize(
    ("indexes", "text"),
    [((None, 1), "1"), ((2, None, 1), "2"), ((None, None), "0"), ((None, 0), "1"), ((3, 3), "0")],
)
def test_a_text_with_an_index_comes_before_one_without(indexes: tuple[int | None, ...], text: str) -> None:
    """The lowest index is used, and of equal ones the first."""
    texts = "".join(
        "<TextEquiv"
        + ("" if index is None else f' index="{index}"')
        + f"><Unicode>{number}</Unicode></TextEquiv>"
        for number, index in enumerate(indexes)
    )
    line = f'<TextLine><Coords points="10,10 190,10 190,40 10,40"/>{texts}</TextLine>'
    assert [item.text for item in parse_xml(page_xml(line).encode()).lines] == [text]


def test_an_outline_of_many_points_is_thinned() -> None:
    """At most 1,000 are kept, from one end to the other."""
    points = " ".join(f"{x},{x % 7}" for x in range(5000))
    [line] = parse_xml(page_xml(page_line(points=points)).encode()).lines
    assert 500 < len(line.boundary) <= 1000
    assert line.boundary[0] == (0, 0)


LAUGHS = "".join(f'<!ENTITY l{i} "{f"&l{i - 1};" * 10 if i else "ha" * 50}">' for i in range(12))
DOCTYPES = {
    "billion laughs": f"<!DOCTYPE alto [{LAUGHS}]>",
    "a file": '<!DOCTYPE alto [<!ENTITY x SYSTEM "file:///etc/passwd">]>',
    "an address": '<!DOCTYPE alto [<!ENTITY x SYSTEM "http://127.0.0.1:1/x">]>',
    "parameters": '<!DOCTYPE alto [<!ENTITY % x SYSTEM "file:///etc/passwd"> %x;]>',
    "another's": '<!DOCTYPE alto SYSTEM "file:///etc/passwd">',
    "nothing": "<!DOCTYPE alto>",
}


@pytest.mark.parametrize("head", DOCTYPES.values(), ids=DOCTYPES)
def test_a_document_type_is_refused_before_an_entity_is_declared(head: str) -> None:
    """Entity bombs and external entities are refused at once, in little memory."""
    tracemalloc.start()
    began = time.monotonic()
    with pytest.raises(InvalidInput) as caught:
        parse_xml(alto(alto_line("&l11;" if "l11" in head else "&x;"), head=head).encode())
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert caught.value.code == "unsafe-xml"
    assert peak < 4 << 20
    assert time.monotonic() - began < 2


DOCUMENTS = {
    "nothing": (b"", "malformed-xml"),
    "no XML": (b"hello", "malformed-xml"),
    "cut off": (alto(alto_line()).encode()[:-9], "malformed-xml"),
    "not UTF-8": (alto(alto_line("\u05d0")).encode().replace(b"\xd7\x90", b"\xd7"), "malformed-xml"),
    "an unknown encoding": (b'<?xml version="1.0" encoding="klingon"?><alto/>', "malformed-xml"),
    "an encoding of several bytes": (b'<?xml version="1.0" encoding="shift_jis"?><alto/>', "malformed-xml"),
    "an undeclared entity": (alto(alto_line("&x;")).encode(), "malformed-xml"),
    "another vocabulary": (b"<html/>", "unsupported-xml"),
    "no page": (b"<alto/>", "several-pages"),
    "two pages": (b"<alto><Layout><Page/><Page/></Layout></alto>", "several-pages"),
    "millimetres of no page": (
        re.sub('(WIDTH|HEIGHT)="[0-9]*"', "", alto(alto_line())).replace("pixel", "mm10").encode(),
        "unsupported-unit",
    ),
    "points": (alto(alto_line()).replace("pixel", "pt").encode(), "unsupported-unit"),
    "depth 100": (b"<alto>" + b"<a>" * 100 + b"</a>" * 100 + b"</alto>", "unsafe-xml"),
    "300,001 elements": (b"<alto>" + b"<a/>" * 300_001 + b"</alto>", "unsafe-xml"),
    "120,000 points": (alto(alto_line(points="1,1 2,2 " * 500) * 120).encode(), "too-many-points"),
    "1,001 lines": (alto(alto_line() * 1001).encode(), "too-many-lines"),
}


@pytest.mark.parametrize(("document", "code"), DOCUMENTS.values(), ids=DOCUMENTS)
def test_a_document_that_is_no_page_is_refused(document: bytes, code: str) -> None:
    """With a stable code."""
    with pytest.raises(InvalidInput) as caught:
        parse_xml(document)
    assert caught.value.code == code


def test_a_document_in_another_encoding_is_read() -> None:
    """UTF-16 with a byte order mark, and a Hebrew code page that is declared."""
    document = alto(alto_line()).replace('encoding="UTF-8"', 'encoding="UTF-16"')
    assert parse_xml(document.encode("utf-16")).lines[0].text == "שלום עולם"
    document = alto(alto_line()).replace('encoding="UTF-8"', 'encoding="windows-1255"')
    assert parse_xml(document.encode("windows-1255")).lines[0].text == "שלום עולם"


@given(st.text(alphabet='<>/&;"= abTextLineStringCONTENTPagealto', max_size=200))
def test_any_text_is_a_document_or_refused(text: str) -> None:
    """Only InvalidInput is raised."""
    for xml in (text, f"<alto><Page>{text}</Page></alto>", alto(text)):
        try:
            document = parse_xml(xml.encode())
        except InvalidInput:
            continue
        assert len(document.lines) + len(document.refusals) <= MAX_PAGE_LINES


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "no-text"),
        (b" \n", "no-text"),
        ("א\nב".encode(), "several-lines"),
        ("א".encode("windows-1255"), "not-utf8"),
        ("א\u202eב".encode(), "bidi-override"),
        (("א" * 4001).encode(), "text-too-long"),
    ],
)
def test_a_text_file_holds_one_line_of_utf8(data: bytes, code: str) -> None:
    """A byte order mark and a final line feed are removed."""
    with pytest.raises(InvalidInput) as caught:
        parse_line_text(data)
    assert caught.value.code == code
    assert parse_line_text("\ufeffאב\r\n".encode()) == "אב"


@pytest.mark.parametrize(
    ("named", "image"),
    [
        ("page%201.png", "page 1.png"),
        ("scans/PAGE 1.PNG", "page 1.png"),
        ("%D7%93%D7%A3.jpg", "d/דף.jpg"),
        ("master.tif", "master.png"),
        ("Master.jp2", "master.png"),
        ("TWO.PNG", "two.png"),
        ("none.png", None),
    ],
)
def test_an_image_is_recognised_by_a_similar_name_if_one_image_has_it(named: str, image: str | None) -> None:
    """Percent-encoded, in another case, with the extension of the file that was digitised."""
    names = Names(["x.xml", "page 1.png", "d/דף.jpg", "master.png", "two.png", "e/two.jpg"])
    [document] = names.text_files()
    assert names.images_of(document, [named]) == ((image,) if image else ())


@pytest.mark.parametrize(
    ("images", "named", "candidates"),
    [
        pytest.param("p.jpg p.png", "p.jpg", "p.jpg", id="the document names one of its name"),
        pytest.param("p.jpg p.png", "scans/P.JPG", "p.jpg", id="in another case"),
        pytest.param("p.jpg p.tif", "master.jp2", "p.jpg p.tif", id="it names neither"),
        pytest.param("q.jpg q.png", "q.tif", "q.jpg q.png", id="two other types of the one that it names"),
        pytest.param("d/q.png e/q.png", "q.png", "d/q.png e/q.png", id="one in each folder"),
        pytest.param("q.jpg q.png", "q", "q.jpg q.png", id="a name without its type"),
        pytest.param("p.png p.bin.png", "x.tif", "p.png", id="the binarised one comes second"),
    ],
)
def test_of_several_images_the_one_that_the_document_names_is_taken(
    images: str, named: str, candidates: str
) -> None:
    """If it names none of them, all are candidates."""
    names = Names(["p.xml", *images.split()])
    [document] = names.text_files()
    assert sorted(names.images_of(document, [named])) == candidates.split()


def test_texts_are_paired_with_images_by_name() -> None:
    """Whatever the case of the extension; of a path in a document the last part is used."""
    names = Names(
        [
            "a.gt.txt",
            "a.bin.PNG",
            "d/b.gt.txt",
            "b.png",
            "p/c.xml",
            "img/c1.tif",
            "c.jpg",
            "x.alto.xml",
            "x.png",
        ]
    )
    files = {file.name: file for file in names.text_files()}
    assert files["a.gt.txt"] == TextFile("a.gt.txt", ("a.bin.PNG",), "line")
    assert files["d/b.gt.txt"].images == ()
    assert files["x.alto.xml"].images == ("x.png",)
    page = files["p/c.xml"]
    for named, image in (
        ("c1.tif", "img/c1.tif"),
        ("c1", "img/c1.tif"),
        ("C:\\scans\\c1.tif", "img/c1.tif"),
        ("../../../etc/passwd", None),
        ("/srv/c.jpg", "c.jpg"),
        ("c", "c.jpg"),
        ("", None),
    ):
        assert names.images_of(page, [named]) == ((image,) if image else ())
    assert names.images_of(files["d/b.gt.txt"], ["b.png"]) == ()
    unused = names.unused({"a.gt.txt", "p/c.xml", "x.alto.xml", "d/b.gt.txt"})
    assert [file.name for file in unused] == ["a.bin.PNG", "b.png", "c.jpg", "img/c1.tif", "x.png"]


def test_the_time_of_a_search_does_not_grow_with_the_number_of_images() -> None:
    """An archive may have 5,000 files; each document of it asks for an image of another name."""

    def seconds(images: int) -> float:
        """Return the shortest time of 100 searches that find nothing, among so many images."""
        names = Names([f"image {number}.png" for number in range(images)])
        text_file = TextFile("x.xml", (), "page")
        times = []
        for _ in range(5):
            began = time.process_time()
            for number in range(100):
                assert names.images_of(text_file, [f"missing {number}.tif"]) == ()
            times.append(time.process_time() - began)
        return min(times)

    assert seconds(8_000) < 8 * seconds(100)
