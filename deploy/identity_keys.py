"""Make identity keys with Python's standard library: a pair for each service, as ketav_common reads them.

`python deploy/identity_keys.py` prints a private key and its public key. The scripts that write secrets run
before anything is installed, so the public key is computed here, by the formulas of RFC 8032 §5.1. Signing is
left to a library.
"""

import base64
import hashlib
import secrets

SERVICES = ("gateway", "registry", "recognizer", "trainer")
_P = 2**255 - 19
_D = -121665 * pow(121666, -1, _P) % _P
_BASE_Y = 4 * pow(5, -1, _P) % _P
_BASE_X = 15112221349535400772501151409588531511454012693041857206046113283949847762202
_BASE = (_BASE_X, _BASE_Y, 1, _BASE_X * _BASE_Y % _P)
Point = tuple[int, int, int, int]
"""A point of the curve in extended homogeneous coordinates (RFC 8032 §5.1.4)."""


def private_key() -> str:
    """Return a new private key: 32 random bytes in base64url without padding."""
    return secrets.token_urlsafe(32)


def public_key(private: str) -> str:
    """Return the public key of a private one."""
    digest = bytearray(hashlib.sha512(base64.urlsafe_b64decode(private + "=")).digest()[:32])
    digest[0] &= 248
    digest[31] = digest[31] & 127 | 64
    x, y, z, _ = _multiply(int.from_bytes(digest, "little"), _BASE)
    inverse = pow(z, -1, _P)
    encoded = y * inverse % _P | (x * inverse % _P & 1) << 255
    return base64.urlsafe_b64encode(encoded.to_bytes(32, "little")).rstrip(b"=").decode()


def public_keys(private_keys: dict[str, str]) -> str:
    """Return the list of public keys, by the private ones of the services: KETAV_IDENTITY_PUBLIC_KEYS."""
    return ",".join(f"{service}:{public_key(key)}" for service, key in private_keys.items())


def _add(a: Point, b: Point) -> Point:
    """Return the sum of two points."""
    left = (a[1] - a[0]) * (b[1] - b[0]) % _P
    right = (a[1] + a[0]) * (b[1] + b[0]) % _P
    product, double = 2 * a[3] * b[3] * _D % _P, 2 * a[2] * b[2] % _P
    e, f, g, h = right - left, double - product, double + product, right + left
    return e * f % _P, g * h % _P, f * g % _P, e * h % _P


def _multiply(scalar: int, point: Point) -> Point:
    """Return a point multiplied by a number."""
    product = (0, 1, 1, 0)
    while scalar:
        if scalar & 1:
            product = _add(product, point)
        point, scalar = _add(point, point), scalar >> 1
    return product


if __name__ == "__main__":
    private = private_key()
    print(f"private {private}\npublic  {public_key(private)}")
