"""Somebody's client, which is slixmpp as it comes: it knows nothing of what servers do for accounts."""

from slixmpp.plugins.xep_0402.stanza import Conference

from interop.slixmpp_client import SlixmppClient
from interop.transcript import transcript
from interop.waiting import DEADLINE
from kit import ns
from kit.people import PASSWORD

from .site import Site


class Device(SlixmppClient):
    """Without stream management: when it is cut, its session is over."""

    def __init__(self, site: Site, name: str, room: str, nick: str) -> None:
        super().__init__(f"{name}@{site.domain}", PASSWORD, site.place.trusted, without=("xep_0198",))
        self._site, self.room, self.nick = site, room, nick
        for plugin in ("xep_0060", "xep_0402"):
            self.register_plugin(plugin)

    async def online(self) -> "Device":
        """Logged in, and available."""
        host, port = self._site.client_address()
        await self.log_in(port, host=host)
        return self

    # -- bookmarks

    async def bookmark(self, autojoin: bool = True) -> None:
        """Publishes a bookmark of the room."""
        conference = Conference()
        conference["autojoin"], conference["nick"] = autojoin, self.nick
        await self.plugin["xep_0060"].publish(None, ns.BOOKMARKS, id=self.room, payload=conference, timeout=DEADLINE)

    async def forget_room(self) -> None:
        """Removes it."""
        await self.plugin["xep_0060"].retract(None, ns.BOOKMARKS, id=self.room, notify="true", timeout=DEADLINE)

    # -- the room

    async def enters(self) -> list[str]:
        """Enters as slixmpp does without options; what the room has told by then."""
        await self.plugin["xep_0045"].join_muc_wait(self.room, self.nick, timeout=DEADLINE)
        await self.sync()
        return self.told()

    def leaves(self) -> None:
        """Leaves as slixmpp does."""
        self.plugin["xep_0045"].leave_muc(self.room, self.nick)

    def says(self, *bodies: str) -> None:
        """Says that in the room."""
        for body in bodies:
            self.say(self.room, body)

    def told(self) -> list[str]:
        """What the room has told since this was last asked (interop.transcript)."""
        waiting, self.inbox.waiting = self.inbox.waiting, []
        return transcript(waiting, self.room)

    async def told_until(self, last: str) -> list[str]:
        """The same, up to that; it waits for it."""

        def look() -> int | None:
            for number in range(1, len(self.inbox.waiting) + 1):
                if transcript(self.inbox.waiting[number - 1 : number], self.room) == [last]:
                    return number
            return None

        number = await self.inbox.until(look, f"“{last}” for {self.boundjid}")
        taken, self.inbox.waiting = self.inbox.waiting[:number], self.inbox.waiting[number:]
        return transcript(taken, self.room)
