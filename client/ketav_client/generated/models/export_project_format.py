from typing import Literal, cast

ExportProjectFormat = Literal["alto", "docx", "hocr", "iiif", "json", "page", "pairs", "pdf", "tei", "txt"]


def check_export_project_format(value: str) -> ExportProjectFormat:
    """Return the value: a newer server may send one that this client does not list."""
    return cast(ExportProjectFormat, value)
