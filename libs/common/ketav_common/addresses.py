"""Decides whether an address is on the public internet."""

import ipaddress
from typing import Final

_WRAPPING_NETWORKS: Final = [
    ipaddress.ip_network(network) for network in ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32")
]
"""Networks whose addresses contain another address: RFC 6052, RFC 8215, RFC 3056, RFC 4380."""

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def is_public(address: Address) -> bool:
    """Return whether an address is public: not private, local, shared, reserved or wrapping another one."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return is_public(address.ipv4_mapped)
        if any(address in network for network in _WRAPPING_NETWORKS):
            return False
    return address.is_global and not address.is_multicast and not address.is_reserved
