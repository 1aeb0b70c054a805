"""The pairing of texts and images of an archive, by their names alone; no file is opened."""

import unicodedata
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import unquote

from ketav_gateway.ground_truth.archives import Refusal
from ketav_gateway.schemas import Layout

_IMAGE_EXTENSIONS = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp", ".heic", ".heif")
_MASTER_EXTENSIONS = (*_IMAGE_EXTENSIONS, ".jp2", ".bmp", ".gif", ".pdf")
"""Extensions of the file that a document was made from, where the archive has a copy of another type."""
_EXTENSION_CASES = tuple(case for extension in _IMAGE_EXTENSIONS for case in (extension, extension.upper()))
_TEXT_EXTENSION = ".gt.txt"
_XML_EXTENSION = ".xml"
_LINE_INFIXES = ("", ".bin", ".nrm")
"""Parts that OCRopus and Kraken put between the name of a line image and its extension."""
_PAGE_INFIXES = ("", ".alto", ".page")
"""Parts that programs put between the name of a document and its extension."""


@dataclass(frozen=True)
class TextFile:
    """A text file of an archive, the images of the same name, and what they show."""

    name: str
    images: tuple[str, ...]
    layout: Layout


class Names:
    """The names of an archive's files."""

    def __init__(self, names: Sequence[str]) -> None:
        """Take the names, each once."""
        self._names = frozenset(names)
        self._images_by_base: defaultdict[str, list[str]] = defaultdict(list)
        self._similar_images = {alike: defaultdict[str, list[str]](list) for alike in _ALIKE}
        for name in names:
            if _is_image(name):
                self._images_by_base[_base(name)].append(name)
                for alike, images in self._similar_images.items():
                    images[alike(_base(name))].append(name)

    def text_files(self) -> Iterator[TextFile]:
        """Yield the text files in the order of their names."""
        for name in sorted(self._names):
            lowered = name.lower()
            if lowered.endswith(_TEXT_EXTENSION):
                stem = name[: -len(_TEXT_EXTENSION)]
                yield TextFile(name, self._images(stem + infix for infix in _LINE_INFIXES), "line")
            elif lowered.endswith(_XML_EXTENSION):
                stem = name[: -len(_XML_EXTENSION)]
                images = self._images(stem.removesuffix(infix) for infix in _PAGE_INFIXES)
                yield TextFile(name, images, "page")

    def images_of(self, text_file: TextFile, named: Sequence[str]) -> tuple[str, ...]:
        """Return the image of the same name, else the one that the document names; several: either may be it.

        Of several images of the same name, the document may name one. Of a path in a document only the last
        part is used. It is looked up in the document's folder, at the top of the archive, then anywhere.
        """
        if len(text_file.images) > 1:
            meant = _named_among(text_file.images, named)
            return text_file.images if meant is None else (meant,)
        if text_file.images or text_file.layout == "line":
            return text_file.images
        folder = text_file.name.rpartition("/")[0]
        for base in [_base(name.replace("\\", "/")) for name in named]:
            if not base:
                continue
            if images := self._images((f"{folder}/{base}" if folder else base, base)):
                return images
            elsewhere = self._images_by_base.get(base, [])
            if len(elsewhere) == 1:
                return (elsewhere[0],)
        return self._similar(named)

    def _similar(self, named: Sequence[str]) -> tuple[str, ...]:
        """Return the images whose names differ in case, percent-encoding or extension.

        A single image in the same case, or with the same extension, is preferred.
        """
        bases = _plain_bases(named)
        similar: list[str] = []
        for alike, images in self._similar_images.items():
            names = {alike(base) for base in bases}
            similar = [image for name in names for image in images.get(name, ())]
            if len(similar) == 1:
                break
        return tuple(sorted(similar))

    def unused(self, used: Collection[str]) -> Iterator[Refusal]:
        """Yield the files that were not used, with the reason."""
        for name in sorted(self._names - set(used)):
            if _is_image(name):
                reason = "The archive has no text for this image. Add a .gt.txt or XML file of the same name."
                yield Refusal(name, "no-text", reason)
            else:
                reason = "Files of this type are not read. Send images with .gt.txt, ALTO or PAGE XML files."
                yield Refusal(name, "unsupported-entry", reason)

    def _images(self, stems: Iterable[str]) -> tuple[str, ...]:
        """Return the images with the first of these names that has any, with or without their extensions."""
        for stem in stems:
            if stem in self._names and _is_image(stem):
                return (stem,)
            named = (stem + extension for extension in _EXTENSION_CASES)
            if images := tuple(name for name in named if name in self._names):
                return images
        return ()


def _named_among(images: Sequence[str], named: Sequence[str]) -> str | None:
    """Return the one of some images that a document names, in whatever case; None if it names none."""
    for alike in (_same, _folded):
        names = {alike(base) for base in _plain_bases(named)}
        meant = [image for image in images if alike(_base(image)) in names]
        if len(meant) == 1:
            return meant[0]
    return None


def _plain_bases(named: Sequence[str]) -> list[str]:
    """Return the last parts of the paths in a document, without percent-encoding and empty ones."""
    bases = (_base(unquote(name).replace("\\", "/")) for name in named)
    return [base for base in bases if base]


def _base(name: str) -> str:
    """Return the last part of a path."""
    return name.rpartition("/")[2]


def _same(name: str) -> str:
    """Return a name in NFC."""
    return unicodedata.normalize("NFC", name)


def _folded(name: str) -> str:
    """Return a name as it is compared without regard to case."""
    return _same(name).casefold()


def _without_extension(name: str) -> str:
    """Return a folded name without the extension of an image."""
    folded = _folded(name)
    return next((folded.removesuffix(end) for end in _MASTER_EXTENSIONS if folded.endswith(end)), folded)


def _is_image(name: str) -> bool:
    """Return whether a name has the extension of an image."""
    return name.lower().endswith(_IMAGE_EXTENSIONS)


_ALIKE = (_same, _folded, _without_extension)
"""What names of images are compared by, one after the other."""
