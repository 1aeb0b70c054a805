"""Which text of an archive belongs to which image: told by their names, nothing is opened."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

_IMAGES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp")
_CASES = tuple(case for extension in _IMAGES for case in (extension, extension.upper()))
_TEXT = ".gt.txt"
_XML = ".xml"
# What programs put between a line image's name and its extension, or a document's.
_LINE_KINDS = ("", ".bin", ".nrm")
_PAGE_KINDS = ("", ".alto", ".page")


@dataclass(frozen=True)
class Unit:
    """A text file of an archive; the image that is named like it, if there is one; what it is the text of."""

    text: str
    image: str | None
    kind: Literal["line", "page"]


class Names:
    """The names of an archive's files."""

    def __init__(self, names: Sequence[str]) -> None:
        """Take the names, each once."""
        self._names = frozenset(names)
        self._by_base: defaultdict[str, list[str]] = defaultdict(list)
        for name in names:
            if _is_image(name):
                self._by_base[_base(name)].append(name)

    def units(self) -> Iterator[Unit]:
        """Yield the texts in the order of their names."""
        for name in sorted(self._names):
            lowered = name.lower()
            if lowered.endswith(_TEXT):
                stem = name[: -len(_TEXT)]
                yield Unit(name, self._first(stem + kind for kind in _LINE_KINDS), "line")
            elif lowered.endswith(_XML):
                stem = name[: -len(_XML)]
                yield Unit(name, self._first(stem.removesuffix(kind) for kind in _PAGE_KINDS), "page")

    def image_of(self, unit: Unit, named: Sequence[str]) -> str | None:
        """Return the image of a text: the one called like it, else the one its document names; None: none.

        Of a path in a document only the last part counts. It is looked for beside the document, at the
        top, then anywhere, if there is just one.
        """
        if unit.image is not None or unit.kind == "line":
            return unit.image
        folder = unit.text.rpartition("/")[0]
        for base in [_base(name.replace("\\", "/")) for name in named]:
            if not base:
                continue
            if image := self._first((f"{folder}/{base}" if folder else base, base)):
                return image
            elsewhere = self._by_base.get(base, [])
            if len(elsewhere) == 1:
                return elsewhere[0]
        return None

    def unused(self, used: Collection[str]) -> Iterator[tuple[str, str, str]]:
        """Yield the files that were not used, each with a code and a sentence."""
        for name in sorted(self._names - set(used)):
            if _is_image(name):
                yield name, "no-text", "No text of the archive belongs to this image."
            else:
                yield name, "unsupported-entry", "Only images, .gt.txt, ALTO and PAGE XML are read."

    def _first(self, stems: Iterator[str] | Sequence[str]) -> str | None:
        """Return the first image called so, with or without an extension of its own."""
        for stem in stems:
            if stem in self._names and _is_image(stem):
                return stem
            for extension in _CASES:
                if stem + extension in self._names:
                    return stem + extension
        return None


def _base(name: str) -> str:
    """Return the last part of a path."""
    return name.rpartition("/")[2]


def _is_image(name: str) -> bool:
    """Say whether a name ends like an image's."""
    return name.lower().endswith(_IMAGES)
