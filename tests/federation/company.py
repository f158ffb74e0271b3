"""People in a room of ours, each with a real client: two are from here, one is from each other server."""

import asyncio
import itertools
import json
import time
from collections.abc import Iterable, Sequence
from typing import Any

from slixmpp import Message, Presence

from interop.slixmpp_client import SlixmppClient
from kit import ns
from kit.people import PASSWORD
from kit.stanzas import codes

from .fermata import Fermata
from .site import Site

LIMIT = 80.0  # seconds in which everything has to be as it should: the longest fault here takes 60


class Member:
    """One of them. Slixmpp is used as in its manual: at the start of a session, and only then, it enters the room."""

    def __init__(self, site: Site, room: str, nick: str) -> None:
        self.site, self.room, self.nick = site, room, nick
        self.client = SlixmppClient(f"{site.guest_name()}@{site.domain}", PASSWORD, site.place.trusted)
        self.client.add_event_handler("session_start", self._begin)
        self.entered = 0  # times

    async def _begin(self, _: object) -> None:
        self.client.send_presence()
        await self.enter()

    async def enter(self) -> None:
        """Enters the room, as slixmpp does without options."""
        await self.client.plugin["xep_0045"].join_muc_wait(self.room, self.nick, timeout=LIMIT)
        self.entered += 1
        self.client.inbox.changed()

    @property
    def jid(self) -> str:
        return str(self.client.boundjid.full)

    async def come(self, welcome: str = "session_start") -> None:
        """Connects, until slixmpp has that event."""
        host, port = self.site.client_address()
        await self.client.come(port, welcome, host=host)

    async def enters(self, times: int = 1) -> None:
        """Returns once it has entered so often."""
        await self.client.inbox.until(lambda: self.entered >= times or None, f"{self.nick} in the room", LIMIT)

    def connect_again(self) -> None:
        """Connects as its first time, and lets slixmpp do what it does."""
        self.client.connect(*self.site.client_address())

    def heard(self) -> list[tuple[str, str]]:
        """What was said, as stanza-id and body, in the order in which it first came."""
        came = (each for each in self.client.inbox.waiting if isinstance(each, Message) and each["body"])
        return list(dict.fromkeys((_id(each), each["body"]) for each in came if each["from"].bare == self.room))

    async def hears(self, bodies: Sequence[str]) -> None:
        """Returns once all these have come."""

        def look() -> bool | None:
            return {body for _, body in self.heard()} >= set(bodies) or None

        await self.client.inbox.until(look, f"all of {bodies} for {self.nick}", LIMIT)

    def departures(self) -> list[str]:
        """Who was seen to leave, himself included, with status codes."""
        return [f"{nick} {told}" for nick, type, told in self._presences() if type == "unavailable"]

    def arrivals(self) -> list[str]:
        """Who was seen to enter, or to change."""
        return [nick for nick, type, _ in self._presences() if type == "available"]

    def _presences(self) -> Iterable[tuple[str, str, list[str]]]:
        for each in self.client.inbox.waiting:
            if isinstance(each, Presence) and each["from"].bare == self.room:
                yield each["from"].resource, each["type"], sorted(codes(each.xml))


def _id(message: Message) -> str:
    found = message.xml.find(f"{{{ns.SID}}}stanza-id")
    return "" if found is None else found.get("id", "")


class Company:
    """`ann` talks, `wes` watches, and `guests` are elsewhere."""

    def __init__(self, host: Fermata, peers: Sequence[Site]) -> None:
        self.host, self.room = host, host.room()
        self.ann, self.wes = (Member(host, self.room, nick) for nick in ("ann", "wes"))
        self.guests = [Member(peer, self.room, peer.software) for peer in peers]
        self.said: list[str] = []  # by ann, since all had gathered
        self._numbers = itertools.count()

    @property
    def everybody(self) -> list[Member]:
        return [self.ann, self.wes, *self.guests]

    async def gather(self) -> None:
        """Everybody is in, and has nothing more to read."""
        await self.ann.come()
        await self.ann.enters()
        await self.ann.client.configure(self.room)
        for member in [self.wes, *self.guests]:
            await member.come()
            await member.enters()
        await self.say(3)
        await self.all_have_heard()
        self.forget()

    def forget(self) -> None:
        """What everybody has got so far."""
        self.said.clear()
        for member in self.everybody:
            member.client.inbox.waiting.clear()

    async def leave(self) -> None:
        for member in self.everybody:
            await member.client.leave()

    # -- talk

    async def say(self, number: int) -> None:
        """Ann says so much, and has sent it."""
        for _ in range(number):
            body = f"number {next(self._numbers)}"
            self.said.append(body)
            self.ann.client.say(self.room, body)
        await self.ann.client.written()

    async def all_have_heard(self) -> None:
        """All that was said has come to everybody, under the same stanza-ids and in the same order."""
        for member in self.everybody:
            await member.hears(self.said)
        said = [each for each in self.ann.heard() if each[1] in self.said]
        assert [body for _, body in said] == self.said
        for member in self.everybody:
            heard = [each for each in member.heard() if each[1] in self.said]
            assert heard == said, f"{member.nick} heard {heard}, and it was {said}"

    async def all_talk(self) -> None:
        """What each of the guests says comes to everybody."""
        for guest in self.guests:
            body = f"I am {guest.nick}"
            guest.client.say(self.room, body)
            for member in self.everybody:
                await member.hears([body])

    # -- who is in

    async def occupants(self) -> set[tuple[str, str, str]]:
        """Nickname, full JID and state of every session in the room, as `fermata rooms occupants` has them."""
        told = await asyncio.to_thread(self.host.server.command, "--json", "rooms", "occupants", self.room)
        listed: list[dict[str, Any]] = json.loads(told)
        return {(each["nick"], each["jid"], each["state"]) for each in listed}

    async def become(self, state: str, members: Sequence[Member]) -> None:
        """Returns once the room says so of these."""
        async with asyncio.timeout(LIMIT):
            while not {(each.nick, each.jid, state) for each in members} <= await self.occupants():
                pass

    async def all_are_in(self, within: float = 0.0) -> None:
        """The room has everybody with the session that he has, and nobody else; if not now, then in so many seconds."""
        await self.are_in(self.everybody, within)

    async def are_in(self, members: Sequence[Member], within: float = 0.0) -> None:
        """It has these, likewise."""
        wanted = {(member.nick, member.jid) for member in members}
        until = time.monotonic() + within
        while (found := {(nick, jid) for nick, jid, _ in await self.occupants()}) != wanted:
            assert time.monotonic() < until, f"there are {found}, and there should be {wanted}"

    async def nobody_noticed(self) -> None:
        """No client was told that anybody had left; those who watch from here were not told that anybody had come."""
        for member in self.everybody:
            await member.client.sync()
            assert not member.departures(), f"{member.nick} saw {member.departures()}"
            assert member.entered == 1, f"{member.nick} had to enter again"
        assert not self.wes.arrivals()

    # -- servers that fall

    async def fall(self, sites: Sequence[Site], how: str) -> None:
        """These servers "stop" or are killed with "kill"; their clients lose their connections."""
        members = [member for member in self.everybody if member.site in sites]
        lost = [asyncio.ensure_future(each.client.wait_until("disconnected", LIMIT)) for each in members]
        for site in sites:
            await asyncio.to_thread(getattr(site, how))
        await asyncio.gather(*lost)

    async def our_server_falls_and_rises(self, how: str) -> None:
        """With "stop" or "kill"; those who are from here resume."""
        await self.fall([self.host], how)
        await asyncio.to_thread(self.host.start)
        await asyncio.gather(*(each.come("session_resumed") for each in (self.ann, self.wes)))
