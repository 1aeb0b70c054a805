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
    "lines": [{"line_id": OCR["lines"][0]["line_id"], "text": "שלום לכולם", "confirm": False}],
}

POLICY: dict[str, Any] = {"automatic": True, "minimum_gap_seconds": 300}

READINESS: dict[str, Any] = {
    "policy": POLICY,
    "policy_text": "A run starts by itself at 16 verified lines, then at 32, 64, 128, 256, then every 128 "
    "lines, or a week after the last run when lines were added; at least 5 minutes lie between the "
    "starts of two automatic runs.",
    "active_run_id": None,
    "scripts": [
        {
            "script": "modern_cursive",
            "verified_lines": 21,
            "holdout_lines": 5,
            "quarantined_lines": 1,
            "last_run_lines": 16,
            "next_run_lines": 32,
            "missing_lines": 11,
            "not_before": "2026-11-30T09:30:00Z",
            "waits_for": "too_few_new_lines",
            "reason": "The next run waits for 11 more verified lines, or until 2026-11-30 09:30 UTC.",
            "expected_gain": {
                "estimate": True,
                "relative_gain": 0.11,
                "cer_now": 0.09,
                "cer_expected": 0.08,
                "basis": "own_runs",
                "own_runs": 1,
                "source": "An estimate from a published curve, scaled by 1.20: by what your 1 run gained.",
            },
        }
    ],
}

_BASE: dict[str, Any] = {
    "version": "hebrew_base-1",
    "kind": "base",
    "script": None,
    "state": "available",
    "parent_version": None,
    "run_id": None,
    "cer_before": None,
    "cer_after": None,
    "training_lines": 0,
    "created_at": "2026-11-01T08:00:00Z",
}

MODEL: dict[str, Any] = {
    **_BASE,
    "version": "b9a0c1d2-5f64-5a3e-8b7c-6d5e4f3a2b1c",
    "kind": "user",
    "script": "modern_cursive",
    "state": "active",
    "parent_version": "hebrew_base-1",
    "run_id": "1f0e9d8c-7b6a-4c5d-9e8f-7a6b5c4d3e2f",
    "cer_before": 0.12,
    "cer_after": 0.081,
    "training_lines": 52,
    "created_at": "2026-11-23T09:30:00Z",
    "lineage": [_BASE],
    "card": {"parent": "hebrew_base-1", "training_lines": 52, "epochs": 12, "seed": 0},
}

_COMPARED: dict[str, Any] = {"lines": 24, "edits": 61, "length": 812, "cer": 0.07512}

PROGRESS: dict[str, Any] = {
    "images": [
        {
            **_COMPARED,
            "image_id": OCR["image_id"],
            "project_id": OCR["project_id"],
            "script": "modern_cursive",
            "model": OCR["model"],
            "read_at": "2026-11-23T09:30:00Z",
        }
    ],
    "next_cursor": None,
    "versions": [
        {
            **_COMPARED,
            "model": OCR["model"],
            "script": "modern_cursive",
            "pages": 1,
            "first_read_at": "2026-11-23T09:30:00Z",
            "last_read_at": "2026-11-23T09:30:00Z",
        }
    ],
    "versions_complete": True,
}

NEXT_LINES: dict[str, Any] = {
    "lines": [
        {
            "line_id": OCR["lines"][0]["line_id"],
            "image_id": OCR["image_id"],
            "order": 0,
            "text": "שלום עולם",
            "uncertainty": 0.31,
            "novelty": 0.62,
            "reason": "The model is 31% unsure of its characters; most of its letter sequences are new.",
        }
    ],
    "candidates": 40,
}

WEBHOOK: dict[str, Any] = {"url": "https://example.org/ketav"}
