"""Which addresses are on the public internet."""

import ipaddress

# Addresses that carry another one inside: RFC 6052, RFC 8215, RFC 3056, RFC 4380.
_WRAPPED = [
    ipaddress.ip_network(each) for each in ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32")
]

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def is_public(address: Address) -> bool:
    """Say whether an address is on the public internet: not private, local, shared, reserved or a wrapper."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return is_public(address.ipv4_mapped)
        if any(address in network for network in _WRAPPED):
            return False
    return address.is_global and not address.is_multicast and not address.is_reserved
