from typing import Literal, cast

ExpectedGainBasis = Literal["own_runs", "published_curve"]


def check_expected_gain_basis(value: str) -> ExpectedGainBasis:
    """Return the value: a newer server may send one that this client does not list."""
    return cast(ExpectedGainBasis, value)
