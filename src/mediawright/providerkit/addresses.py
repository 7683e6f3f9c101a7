"""Which IP addresses of the internet may be connected to, and which never.

Only globally reachable unicast addresses pass. Ranges follow the IANA special-purpose
registries; an IPv6 address that carries an IPv4 address is judged by what it carries.
"""

from __future__ import annotations

import ipaddress
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

from mediawright.providerkit.refusals import Refusal

Address = IPv4Address | IPv6Address

_METADATA = frozenset(
    ipaddress.ip_address(text)
    for text in (
        "169.254.169.254",  # AWS, Azure, Google, DigitalOcean, Oracle and others
        "169.254.169.253",  # AWS name server
        "169.254.170.2",  # AWS container credentials
        "169.254.170.23",  # AWS pod identity
        "100.100.100.200",  # Alibaba
        "168.63.129.16",  # Azure wire server: a public address that is reached from inside
        "192.0.0.192",  # Oracle, classic
        "fd00:ec2::254",  # AWS
        "fd00:ec2::253",
        "fd00:ec2::23",
        "fd20:ce::254",  # Google
    )
)

_FORBIDDEN_V4 = tuple(
    (IPv4Network(text), refusal)
    for text, refusal in (
        ("0.0.0.0/8", Refusal.UNSPECIFIED_ADDRESS),
        ("10.0.0.0/8", Refusal.PRIVATE_ADDRESS),
        ("100.64.0.0/10", Refusal.SHARED_ADDRESS),
        ("127.0.0.0/8", Refusal.LOOPBACK_ADDRESS),
        ("169.254.0.0/16", Refusal.LINK_LOCAL_ADDRESS),
        ("172.16.0.0/12", Refusal.PRIVATE_ADDRESS),
        ("192.0.0.0/24", Refusal.RESERVED_ADDRESS),
        ("192.0.2.0/24", Refusal.RESERVED_ADDRESS),
        ("192.88.99.0/24", Refusal.RESERVED_ADDRESS),
        ("192.168.0.0/16", Refusal.PRIVATE_ADDRESS),
        ("198.18.0.0/15", Refusal.RESERVED_ADDRESS),
        ("198.51.100.0/24", Refusal.RESERVED_ADDRESS),
        ("203.0.113.0/24", Refusal.RESERVED_ADDRESS),
        ("224.0.0.0/4", Refusal.MULTICAST_ADDRESS),
        ("240.0.0.0/4", Refusal.RESERVED_ADDRESS),
    )
)

_FORBIDDEN_V6 = tuple(
    (IPv6Network(text), refusal)
    for text, refusal in (
        ("::/128", Refusal.UNSPECIFIED_ADDRESS),
        ("::1/128", Refusal.LOOPBACK_ADDRESS),
        ("fe80::/10", Refusal.LINK_LOCAL_ADDRESS),
        ("fec0::/10", Refusal.PRIVATE_ADDRESS),
        ("fc00::/7", Refusal.PRIVATE_ADDRESS),
        ("ff00::/8", Refusal.MULTICAST_ADDRESS),
        ("2001::/23", Refusal.RESERVED_ADDRESS),
        ("2001:db8::/32", Refusal.RESERVED_ADDRESS),
        ("2002::/16", Refusal.RESERVED_ADDRESS),
        ("3fff::/20", Refusal.RESERVED_ADDRESS),
    )
)
_GLOBAL_UNICAST = IPv6Network("2000::/3")
_MAPPED = IPv6Network("::ffff:0:0/96")
_TRANSLATED = IPv6Network("64:ff9b::/96")
_COMPATIBLE = IPv6Network("::/96")
_STATELESS = IPv6Network("::ffff:0:0:0/96")
_LOCAL_TRANSLATED = IPv6Network("64:ff9b:1::/48")
_ISATAP_MARKS = (0x00005EFE, 0x02005EFE)
_LOW_32_BITS = 0xFFFFFFFF


def refusal_of_address(address: Address) -> Refusal | None:
    """Return why an address may not be connected to, or `None` if it may."""
    if address in _METADATA:
        return Refusal.METADATA_ADDRESS
    if isinstance(address, IPv4Address):
        return _first_match(address, _FORBIDDEN_V4)
    return _refusal_of_v6(address)


def refusal_of_text(text: str) -> Refusal | None:
    """Return why an address in canonical notation may not be connected to.

    Text that is no such address is refused as malformed.
    """
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return Refusal.MALFORMED
    return refusal_of_address(address)


def _refusal_of_v6(address: IPv6Address) -> Refusal | None:
    if address.scope_id is not None:
        return Refusal.ZONE_ID
    if address in _MAPPED or address in _TRANSLATED:
        return refusal_of_address(_low_bits(address))
    exact = _first_match(address, _FORBIDDEN_V6[:2])
    if exact is not None:
        return exact
    for carried in _carried(address):
        refusal = refusal_of_address(carried)
        if refusal is not None:
            return refusal
    refusal = _first_match(address, _FORBIDDEN_V6)
    if refusal is None and address not in _GLOBAL_UNICAST:
        return Refusal.RESERVED_ADDRESS
    return refusal


def _carried(address: IPv6Address) -> list[IPv4Address]:
    """Return the IPv4 addresses that tunnels may find in an IPv6 address."""
    found: list[IPv4Address] = []
    if address in _COMPATIBLE or address in _STATELESS or address in _LOCAL_TRANSLATED:
        found.append(_low_bits(address))
    if address.sixtofour is not None:
        found.append(address.sixtofour)
    if address.teredo is not None:
        found.extend(address.teredo)
    if (int(address) >> 32) & _LOW_32_BITS in _ISATAP_MARKS:
        found.append(_low_bits(address))
    return found


def _low_bits(address: IPv6Address) -> IPv4Address:
    return IPv4Address(int(address) & _LOW_32_BITS)


def _first_match(
    address: Address, ranges: tuple[tuple[IPv4Network | IPv6Network, Refusal], ...]
) -> Refusal | None:
    return next((refusal for network, refusal in ranges if address in network), None)
