"""Values that the examples of several features share, so that the examples are consistent."""

PROJECT_ID = "8a7c1f0e-3a3b-4a55-9d56-0f6c7b0c9b11"
IMAGE_ID = "f2b1c0de-97d3-4a0e-8a53-0b6d1a2f4c22"
LINE_ID = "5c4b3a29-1807-4f6e-9d5c-4b3a29180744"
JOB_ID = "3d2c1b0a-9f8e-4d7c-8b6a-5f4e3d2c1b0a"
RUN_ID = "1f0e9d8c-7b6a-4c5d-9e8f-7a6b5c4d3e2f"
BASE_MODEL = {"version": "hebrew_base-1", "kind": "base"}
USER_VERSION = "b9a0c1d2-5f64-5a3e-8b7c-6d5e4f3a2b1c"
IMAGE = {"width": 1200, "height": 1700, "media_type": "image/jpeg", "normalised": []}
TEXT = "שלום עולם"
CREATED_AT = "2026-11-23T09:30:00Z"
