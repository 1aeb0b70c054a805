"""Control characters in XML, which has none (XML 1.0, section 2.2): a line with one is refused alone."""

import re
from typing import Final

from ketav_common.errors import InvalidInput
from ketav_common.text import stored

_FIRST_STAND_IN: Final = 0xFDD0
"""The first of 32 noncharacters, which XML permits and no text may have: one for each control character."""
_CONTROLS = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f]|&#(?:x0*([0-9a-fA-F]{1,2})|0*([0-9]{1,2}));")
_MAX_CONTROL: Final = 0x1F
_XML_CONTROLS: Final = {0x09, 0x0A, 0x0D}
_STAND_INS = re.compile(r"U\+FD(D[0-9A-F]|E[0-9A-F])")


def without_controls(data: bytes) -> bytes:
    """Return a document with stand-ins for its control characters and references to them.

    One in UTF-16 is returned as it is.
    """
    return data if b"\0" in data[:4] else _CONTROLS.sub(_stand_in, data)


def _stand_in(match: re.Match[bytes]) -> bytes:
    """Return the reference to the stand-in of a control character; other references stay."""
    hexadecimal, decimal = match[1], match[2]
    if hexadecimal is None and decimal is None:
        code = match[0][0]
    else:
        code = int(hexadecimal, 16) if hexadecimal is not None else int(decimal)
    if code > _MAX_CONTROL or code in _XML_CONTROLS:
        return match[0]
    return b"&#x%X;" % (_FIRST_STAND_IN + code)


def stored_line(text: str) -> str:
    """Return a line of a document in stored form; an InvalidInput names the character of the document."""
    try:
        return stored(text)
    except InvalidInput as error:
        error.detail = _STAND_INS.sub(_control, error.detail)
        raise


def _control(match: re.Match[str]) -> str:
    """Return the name of the control character of a stand-in."""
    stand_in = int(f"FD{match[1]}", 16)
    return f"U+{stand_in - _FIRST_STAND_IN:04X}"
