"""Examples for the API's description."""

from typing import Any

OCR: dict[str, Any] = {
    "project_id": "8a7c1f0e-3a3b-4a55-9d56-0f6c7b0c9b11",
    "image_id": "f2b1c0de-97d3-4a0e-8a53-0b6d1a2f4c22",
    "transcription_id": "0d9e8c7b-6a5f-4e3d-8c1b-2a3f4e5d6c33",
    "model": {"version": "hebrew_base-1", "kind": "base"},
    "image": {"width": 1200, "height": 1700, "media_type": "image/jpeg"},
    "text": "שלום עולם",
    "confidence": 0.93,
    "lines": [
        {
            "line_id": "5c4b3a29-1807-4f6e-9d5c-4b3a29180744",
            "order": 0,
            "text": "שלום עולם",
            "confidence": 0.93,
            "baseline": [[1100, 140], [640, 146]],
            "boundary": [[630, 120], [1110, 116], [1112, 190], [632, 196]],
            "words": [
                {"text": "שלום", "confidence": 0.95, "start": 0, "end": 4},
                {"text": "עולם", "confidence": 0.91, "start": 5, "end": 9},
            ],
        }
    ],
}

FEEDBACK: dict[str, Any] = {
    "project_id": OCR["project_id"],
    "image_id": OCR["image_id"],
    "lines": [{"line_id": OCR["lines"][0]["line_id"], "text": "שלום לכולם"}],
}
