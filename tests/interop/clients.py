"""Everybody who takes part in one test: real clients of one server, each with an account of its own."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from kit.people import PASSWORD
from kit.server import Server

from .peers import Peer
from .profanity import Profanity
from .relay import Relay
from .slixmpp_client import SlixmppClient
from .wokkel_client import WokkelClient


class Clients:
    """Makes clients, and ends what is left of them after the test."""

    def __init__(self, server: Server, names: Iterator[str], directory: Path) -> None:
        self.server, self._names, self._directory = server, names, directory
        self.certificate = server.directory / "var" / "tls" / "cert.pem"
        self._slixmpp: list[SlixmppClient] = []
        self._profanity: list[Profanity] = []
        self._wokkel: list[WokkelClient] = []
        self._relays: list[Relay] = []

    def account(self) -> str:
        """The bare JID of an account that nobody has used yet."""
        name = next(self._names, "")
        assert name, "more accounts are needed: raise ACCOUNTS"
        return name

    def slixmpp(
        self,
        jid: str = "",
        password: str = PASSWORD,
        *,
        mechanism: str | None = None,
        without: Sequence[str] = (),
    ) -> SlixmppClient:
        """Slixmpp, not connected yet, with the account `jid` or a new one."""
        client = SlixmppClient(jid or self.account(), password, self.certificate, mechanism=mechanism, without=without)
        self._slixmpp.append(client)
        return client

    async def online(self, jid: str = "", *, without: Sequence[str] = ()) -> SlixmppClient:
        """Slixmpp, logged in and available."""
        client = self.slixmpp(jid, without=without)
        await client.log_in(self.server.port)
        return client

    async def wokkel(self) -> WokkelClient:
        """A client made of wokkel, logged in and available."""
        client = await WokkelClient.log_in(self.account(), PASSWORD, self.server.port, self.certificate)
        self._wokkel.append(client)
        return client

    def profanity(self, peer: Peer, *, certificate: Path | None = None) -> Profanity:
        """Profanity, just started; it trusts the server's certificate unless another one is given."""
        home = self._directory / f"home{len(self._profanity)}"
        client = Profanity(peer, home, certificate or self.certificate)
        self._profanity.append(client)
        return client

    async def relay(self) -> Relay:
        """A way to the server that can be cut."""
        relay = await Relay.listening(self.server.port)
        self._relays.append(relay)
        return relay

    async def leave(self) -> None:
        """Everybody goes."""
        for program in self._profanity:
            await program.stop()
        for process in self._wokkel:
            await process.leave()
        for client in self._slixmpp:
            await client.leave()
        for relay in self._relays:
            await relay.close()
