"""Addresses checked at the moment of connecting.

`GuardedResolver` refuses a host if any of its answers is forbidden, and aiohttp connects to
exactly the answers it returns. `open_checked_socket` looks once more at each address a socket
is made for, which also covers hosts that are literal addresses and are never resolved.
"""

from __future__ import annotations

import socket
from typing import Any

from aiohttp.abc import AbstractResolver, ResolveResult

from mediawright.providerkit.addresses import refusal_of_text
from mediawright.providerkit.refusals import Refusal, refused

AddressInformation = tuple[int | socket.AddressFamily, int | socket.SocketKind, int, str, Any]


class GuardedResolver(AbstractResolver):
    """A resolver whose answers may all be connected to."""

    def __init__(self, resolver: AbstractResolver) -> None:
        """Check the answers of `resolver`."""
        self._resolver = resolver

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Return the addresses of `host`.

        Raises:
            ForbiddenError: One of them is forbidden; none is connected to.
            OSError: The name has no address.
        """
        answers = await self._resolver.resolve(host, port, family)
        for answer in answers:
            refusal = refusal_of_text(answer["host"])
            if refusal is not None:
                raise refused(refusal, host)
        return answers

    async def close(self) -> None:
        """Leave the wrapped resolver to whoever made it."""


class ForbiddenAddressError(PermissionError):
    """A socket was asked for an address that may not be connected to."""

    def __init__(self, refusal: Refusal) -> None:
        """Keep why."""
        super().__init__(f"the address may not be connected to: {refusal.value}")
        self.refusal = refusal


def open_checked_socket(information: AddressInformation) -> socket.socket:
    """Return a socket for an address, which must be allowed.

    Args:
        information: Family, type, protocol, canonical name and socket address, as
            `socket.getaddrinfo` gives them.

    Raises:
        ForbiddenAddressError: The address is forbidden.
    """
    family, kind, protocol, _, address = information
    refusal = refusal_of_text(address[0])
    if refusal is not None:
        raise ForbiddenAddressError(refusal)
    return socket.socket(family=family, type=kind, proto=protocol)
