"""Decides which addresses this program may connect to, and holds aiohttp to it while connecting.

A name is judged by the addresses it resolved to and a socket by the address it is made for, so a second DNS
answer, a literal address or an odd spelling of one cannot get past. Never judge a host by its name alone.
"""

import socket
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

#: What aiohttp hands over for each address it is about to try.
AddressInfo = tuple[int | socket.AddressFamily, int | socket.SocketKind, int, str, tuple[object, ...]]

# The IANA special-purpose registries, written out: `ipaddress.is_private` changed between patch releases.
_SPECIAL_V4 = tuple(
    IPv4Network(text)
    for text in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
    )
)
# Everything outside 2000::/3 is loopback, mapped IPv4, NAT64, unique local, link local, multicast or unassigned.
_GLOBAL_V6 = IPv6Network("2000::/3")
# 2001::/23 holds Teredo and 2002::/16 is 6to4: both carry an IPv4 address of anyone's choosing.
_SPECIAL_V6 = tuple(IPv6Network(text) for text in ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"))


class BlockedAddress(OSError):
    """The address is not one this program may connect to; an OSError, so that aiohttp carries it outwards."""


class Guard:
    """Permits public addresses, and those inside the networks allowed at construction."""

    def __init__(self, allowed: Iterable[Network | str] = ()) -> None:
        self._allowed = tuple(ip_network(network) for network in allowed)

    def permits(self, address: Address) -> bool:
        """Return whether a connection to this address may be opened."""
        if any(address in network for network in self._allowed):
            return True
        if isinstance(address, IPv4Address):
            return not any(address in network for network in _SPECIAL_V4)
        return address in _GLOBAL_V6 and not any(address in network for network in _SPECIAL_V6)

    def objection(self, url: str) -> str:
        """Return why this URL could never be called, "" when nothing speaks against it before its name is resolved."""
        try:
            parsed = URL(url)
        except ValueError:
            return "not a URL"
        if parsed.scheme not in ("http", "https"):
            return "only http:// and https:// addresses can be called"
        if not parsed.raw_host:
            return "the address names no host"
        return self._literal_objection(parsed.raw_host)

    def socket(self, info: AddressInfo) -> socket.socket:
        """Make the socket for one address about to be tried.

        Raises: BlockedAddress. This is the last gate: it sees exactly what the kernel will be asked for.
        """
        family, kind, protocol, _, target = info
        self.require(str(target[0]))
        return socket.socket(family=family, type=kind, proto=protocol)

    def require(self, host: str) -> None:
        """Raise BlockedAddress unless this textual address is permitted."""
        if not self.permits(ip_address(host)):
            raise BlockedAddress(_refusal(host))

    def _literal_objection(self, host: str) -> str:
        try:
            address = ip_address(host)
        except ValueError:
            return ""
        return "" if self.permits(address) else _refusal(host)


class GuardedResolver(AbstractResolver):
    """Resolves names by another resolver and passes on only the addresses that are permitted."""

    def __init__(self, guard: Guard, inner: AbstractResolver) -> None:
        self._guard = guard
        self._inner = inner

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Return the permitted addresses of a host.

        Raises: BlockedAddress when it has addresses and none is permitted, OSError when it has none.
        """
        try:
            found = await self._inner.resolve(host, port, family)
        except UnicodeError as error:
            # getaddrinfo's answer to an empty label or one over 63 characters.
            raise OSError(f"{host} is not a host name") from error
        permitted = [result for result in found if self._guard.permits(ip_address(result["host"]))]
        if found and not permitted:
            raise BlockedAddress(_refusal(f"{host} ({found[0]['host']})"))
        return permitted

    async def close(self) -> None:
        """Close the inner resolver."""
        await self._inner.close()


def _refusal(what: str) -> str:
    return f"{what} is a private or reserved address; allow its network to call it"
