from typing import Literal, cast

ExportFormat = Literal["alto", "docx", "hocr", "iiif", "json", "page", "pairs", "pdf", "tei", "txt"]


def check_export_format(value: str) -> ExportFormat:
    """Return the value: a newer server may send one that this client does not list."""
    return cast(ExportFormat, value)
