from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.corrected_line_region import CorrectedLineRegion, check_corrected_line_region
from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.quarantine import Quarantine
    from ..models.verified_word import VerifiedWord
    from ..models.word import Word


T = TypeVar("T", bound="CorrectedLine")


@_attrs_define
class CorrectedLine:
    """A line with its latest correction."""

    line_id: str
    """ UUID. """
    order: int
    """ Position in the reading order, from 0. """
    text: str
    """ Text in logical order, Unicode NFC. """
    confidence: float
    """ Mean confidence of the characters, 0 to 1. """
    baseline: list[list[int]]
    """ Polyline from which the letters hang. """
    boundary: list[list[int]]
    """ Polygon around the ink. """
    words: list[Word]
    """ Words in logical order. """
    corrected_text: None | str
    """ The latest correction; null when there is none. """
    region: CorrectedLineRegion | Unset = UNSET
    """ What the line is on its page, in the words of PAGE XML; imported lines are paragraphs. """
    verified_text: None | str | Unset = UNSET
    """ The text that counts and is exported: the latest correction outside quarantine; null when there is none. """
    verified_words: list[VerifiedWord] | None | Unset = UNSET
    """ Words of `verified_text`, with the confidences of those that were read so; null without such a text. """
    quarantine: None | Quarantine | Unset = UNSET
    """ Why that correction does not train; null when it does. """
    correction_id: None | str | Unset = UNSET
    """ UUID of the latest correction or withdrawal, for `If-Match`; null without one. """
    author: None | str | Unset = UNSET
    """ Account that submitted it; null when there is none. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        from ..models.quarantine import Quarantine  # noqa: PLC0415

        line_id = self.line_id

        order = self.order

        text = self.text

        confidence = self.confidence

        baseline = []
        for baseline_item_data in self.baseline:
            baseline_item = []
            for baseline_item_item_data in baseline_item_data:
                baseline_item_item: int
                baseline_item_item = baseline_item_item_data
                baseline_item.append(baseline_item_item)

            baseline.append(baseline_item)

        boundary = []
        for boundary_item_data in self.boundary:
            boundary_item = []
            for boundary_item_item_data in boundary_item_data:
                boundary_item_item: int
                boundary_item_item = boundary_item_item_data
                boundary_item.append(boundary_item_item)

            boundary.append(boundary_item)

        words = []
        for words_item_data in self.words:
            words_item = words_item_data.to_dict()
            words.append(words_item)

        corrected_text: None | str
        corrected_text = self.corrected_text

        region: str | Unset = UNSET
        if not isinstance(self.region, Unset):
            region = self.region

        verified_text: None | str | Unset
        if isinstance(self.verified_text, Unset):
            verified_text = UNSET
        else:
            verified_text = self.verified_text

        verified_words: list[dict[str, Any]] | None | Unset
        if isinstance(self.verified_words, Unset):
            verified_words = UNSET
        elif isinstance(self.verified_words, list):
            verified_words = []
            for verified_words_type_0_item_data in self.verified_words:
                verified_words_type_0_item = verified_words_type_0_item_data.to_dict()
                verified_words.append(verified_words_type_0_item)

        else:
            verified_words = self.verified_words

        quarantine: dict[str, Any] | None | Unset
        if isinstance(self.quarantine, Unset):
            quarantine = UNSET
        elif isinstance(self.quarantine, Quarantine):
            quarantine = self.quarantine.to_dict()
        else:
            quarantine = self.quarantine

        correction_id: None | str | Unset
        if isinstance(self.correction_id, Unset):
            correction_id = UNSET
        else:
            correction_id = self.correction_id

        author: None | str | Unset
        if isinstance(self.author, Unset):
            author = UNSET
        else:
            author = self.author

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "line_id": line_id,
                "order": order,
                "text": text,
                "confidence": confidence,
                "baseline": baseline,
                "boundary": boundary,
                "words": words,
                "corrected_text": corrected_text,
            }
        )
        if region is not UNSET:
            field_dict["region"] = region
        if verified_text is not UNSET:
            field_dict["verified_text"] = verified_text
        if verified_words is not UNSET:
            field_dict["verified_words"] = verified_words
        if quarantine is not UNSET:
            field_dict["quarantine"] = quarantine
        if correction_id is not UNSET:
            field_dict["correction_id"] = correction_id
        if author is not UNSET:
            field_dict["author"] = author

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.quarantine import Quarantine  # noqa: PLC0415
        from ..models.verified_word import VerifiedWord  # noqa: PLC0415
        from ..models.word import Word  # noqa: PLC0415

        d = dict(src_dict)
        line_id = d.pop("line_id")

        order = d.pop("order")

        text = d.pop("text")

        confidence = d.pop("confidence")

        baseline = []
        _baseline = d.pop("baseline")
        for baseline_item_data in _baseline:
            baseline_item = []
            _baseline_item = baseline_item_data
            for baseline_item_item_data in _baseline_item:

                def _parse_baseline_item_item(data: object) -> int:
                    return cast(int, data)

                baseline_item_item = _parse_baseline_item_item(baseline_item_item_data)

                baseline_item.append(baseline_item_item)

            baseline.append(baseline_item)

        boundary = []
        _boundary = d.pop("boundary")
        for boundary_item_data in _boundary:
            boundary_item = []
            _boundary_item = boundary_item_data
            for boundary_item_item_data in _boundary_item:

                def _parse_boundary_item_item(data: object) -> int:
                    return cast(int, data)

                boundary_item_item = _parse_boundary_item_item(boundary_item_item_data)

                boundary_item.append(boundary_item_item)

            boundary.append(boundary_item)

        words = []
        _words = d.pop("words")
        for words_item_data in _words:
            words_item = Word.from_dict(words_item_data)

            words.append(words_item)

        def _parse_corrected_text(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        corrected_text = _parse_corrected_text(d.pop("corrected_text"))

        _region = d.pop("region", UNSET)
        region: CorrectedLineRegion | Unset
        if isinstance(_region, Unset):
            region = UNSET
        else:
            region = check_corrected_line_region(_region)

        def _parse_verified_text(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        verified_text = _parse_verified_text(d.pop("verified_text", UNSET))

        def _parse_verified_words(data: object) -> list[VerifiedWord] | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, list):
                    raise TypeError()
                verified_words_type_0 = []
                _verified_words_type_0 = data
                for verified_words_type_0_item_data in _verified_words_type_0:
                    verified_words_type_0_item = VerifiedWord.from_dict(verified_words_type_0_item_data)

                    verified_words_type_0.append(verified_words_type_0_item)

                return verified_words_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(list[VerifiedWord] | None | Unset, data)

        verified_words = _parse_verified_words(d.pop("verified_words", UNSET))

        def _parse_quarantine(data: object) -> None | Quarantine | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                quarantine_type_0 = Quarantine.from_dict(data)

                return quarantine_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(None | Quarantine | Unset, data)

        quarantine = _parse_quarantine(d.pop("quarantine", UNSET))

        def _parse_correction_id(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        correction_id = _parse_correction_id(d.pop("correction_id", UNSET))

        def _parse_author(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        author = _parse_author(d.pop("author", UNSET))

        corrected_line = cls(
            line_id=line_id,
            order=order,
            text=text,
            confidence=confidence,
            baseline=baseline,
            boundary=boundary,
            words=words,
            corrected_text=corrected_text,
            region=region,
            verified_text=verified_text,
            verified_words=verified_words,
            quarantine=quarantine,
            correction_id=correction_id,
            author=author,
        )

        corrected_line.additional_properties = d
        return corrected_line

    @property
    def additional_keys(self) -> list[str]:
        return list(self.additional_properties.keys())

    def __getitem__(self, key: str) -> Any:
        return self.additional_properties[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self.additional_properties[key] = value

    def __delitem__(self, key: str) -> None:
        del self.additional_properties[key]

    def __contains__(self, key: str) -> bool:
        return key in self.additional_properties
