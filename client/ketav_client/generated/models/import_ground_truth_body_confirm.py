from typing import Literal, cast

ImportGroundTruthBodyConfirm = Literal["false", "true"]


def check_import_ground_truth_body_confirm(value: str) -> ImportGroundTruthBodyConfirm:
    """Return the value: a newer server may send one that this client does not list."""
    return cast(ImportGroundTruthBodyConfirm, value)
