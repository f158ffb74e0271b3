"""Real clients whose account is in a room of a real server, and know nothing of it: docs/design/0006."""

import asyncio
import itertools
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from slixmpp import JID
from slixmpp.exceptions import PresenceError

from federation.device import Device
from federation.fermata import Fermata
from federation.internet import Internet
from federation.place import Terms
from federation.site import Site
from federation.sites import Sites
from interop.javascript import JavaScriptClient
from interop.peers import PeerError, unpack
from interop.profanity import Profanity
from interop.transcript import transcript
from interop.waiting import DEADLINE
from kit.archives import bodies, page, query
from kit.crash import hurried_server
from kit.people import PASSWORD
from kit.stanzas import find_all, text

pytestmark = pytest.mark.interop
PEOPLE = 30
_NUMBERS = itertools.count(1)


@pytest.fixture(scope="module")
def ours(net: Internet) -> Iterator[Fermata]:
    place = net.place("hurried.example")
    net.publish(place)
    ours = Fermata(place, Terms(), PEOPLE)
    ours.server.program = [sys.executable, hurried_server.__file__]
    ours.start()
    yield ours
    ours.kill()
    assert not ours.failures(), ours.failures()


class Home:
    """Ben, whose account is ours, and his clients; and Ann, who has opened a room where she has her account."""

    def __init__(self, ours: Fermata, there: Site) -> None:
        self.ours, self.there, self.room = ours, there, there.room()
        self.name = ours.person()
        self.ann = Device(there, there.guest_name(), self.room, "ann")
        self._devices = [self.ann]

    async def open(self) -> None:
        """The room is open, and will not end when it is empty."""
        await self.ann.online()
        await self.ann.open_room(self.room, "ann", persistentroom=True)

    async def device(self) -> Device:
        """One more client of Ben's, which is online."""
        device = Device(self.ours, self.name, self.room, "ben")
        self._devices.append(device)
        return await device.online()

    async def bookmarked(self) -> Device:
        """Ben's first client, which has bookmarked the room; his account is in."""
        device = await self.device()
        await device.bookmark()
        await self.ann.told_until("+ben")
        await self.nothing_is_seen()
        device.told()
        return device

    async def nothing_is_seen(self, *said: str) -> None:
        """Whoever is in the room has read just that since the last time, and nobody came or went."""
        marker = f"marker {next(_NUMBERS)}"
        self.ann.says(marker)
        seen = await self.ann.told_until(marker)
        # What Ben's presence says changes with his clients: that is neither coming nor going.
        assert [each for each in seen if each != "+ben"] == [*said, marker]

    async def ann_says(self, body: str) -> None:
        """And it has reached our server, where the archive has it: what has not, the room's server gives back.

        To Prosody and ejabberd, that says that nobody is there any more.
        """
        self.ann.says(body)
        async with asyncio.timeout(DEADLINE):
            while body not in await asyncio.to_thread(self.archive):
                pass

    async def starts_again(self, how: str) -> None:
        """Our server is stopped or killed, and started."""
        await asyncio.to_thread(getattr(self.ours, how))
        await asyncio.to_thread(self.ours.start)

    def archive(self) -> list[str]:
        """What was said in rooms, by the archive of Ben's account."""
        reader = self.ours.bound(self.name, "reader")
        found, after = list[str | None](), ""
        while True:
            got = page(reader, query(f"<max>100</max>{after}", fields={"include-groupchat": "true"}))
            found += bodies(got)
            after = f"<after>{got.last}</after>"
            if got.is_complete:
                break
        reader.close()
        return [body for body in found if not body.startswith("marker")]

    async def leave(self) -> None:
        for device in self._devices:
            await device.leave()
        self.there.part()
        self.ours.part()


@pytest.fixture(params=["prosody", "ejabberd"])
def there(sites: Sites, request: pytest.FixtureRequest) -> Site:
    try:
        return sites.site(request.param)
    except PeerError as reason:
        pytest.skip(str(reason))


@pytest.fixture
def home(ours: Fermata, there: Site, runner: asyncio.Runner) -> Iterator[Home]:
    home = Home(ours, there)
    try:
        runner.run(home.open())
        yield home
    finally:
        runner.run(home.leave())


def heard(told: list[str]) -> list[str]:
    """Without what was said to see that nothing else was."""
    return [each for each in told if not each.startswith("marker")]


ENTERED = ["+ann", "+ben 110", "subject"]


async def test_clients_come_talk_and_go_and_nobody_sees_it(home: Home) -> None:
    phone, ann = await home.bookmarked(), home.ann
    assert heard(await phone.enters()) == ENTERED
    tablet = await home.device()
    assert heard(await tablet.enters()) == ENTERED
    await home.nothing_is_seen()
    said = []
    for who, body in ((phone, "from the phone"), (tablet, "from the tablet"), (ann, "from ann")):
        who.says(body)
        said.append(body)
        for client in (phone, tablet):
            assert heard(await client.told_until(body)) == [body]
    ann.send_message(f"{home.room}/ben", "psst", mtype="chat")
    for client in (phone, tablet):
        assert await client.told_until("*psst") == ["*psst"]
    tablet.send_message(f"{home.room}/ann", "yes?", mtype="chat")
    assert await ann.told_until("*yes?") == [*said, "*yes?"]
    await phone.cut()
    await tablet.leave()
    await home.ann_says("anybody?")
    await home.starts_again("stop")
    await home.ann_says("after a restart")
    await home.starts_again("kill")
    await home.ann_says("after a crash")
    laptop = await home.device()
    said += ["anybody?", "after a restart", "after a crash"]
    assert heard(await laptop.enters()) == [*ENTERED[:-1], *said, "subject"]
    laptop.says("I am back")
    assert heard(await laptop.told_until("I am back")) == ["I am back"]
    kept = await asyncio.to_thread(home.archive)
    assert sorted(kept) == sorted([*said, "psst", "yes?", "I am back"])
    await home.nothing_is_seen(*said[3:], "I am back")


async def test_who_is_put_out_while_our_server_is_away_comes_back_by_himself(home: Home) -> None:
    """Prosody and ejabberd do that as soon as something is said that they cannot hand over."""
    phone, ann = await home.bookmarked(), home.ann
    await phone.enters()
    await phone.cut()
    await asyncio.to_thread(home.ours.kill)
    ann.says("is he dead?")
    await ann.told_until("is he dead?")
    gone = await ann.take(lambda each: transcript([each], home.room)[0].startswith("-ben"), "departure")
    assert gone["from"] == JID(f"{home.room}/ben")
    await asyncio.to_thread(home.ours.start)
    assert await ann.told_until("+ben") == ["+ben"]
    await home.ann_says("he lives")
    phone = await home.device()
    said = ["is he dead?", "he lives"]
    assert heard(await phone.enters()) == [*ENTERED[:-1], *said, "subject"]
    assert await asyncio.to_thread(home.archive) == said
    await home.nothing_is_seen("he lives")


@pytest.mark.parametrize("there", ["prosody-archived", "ejabberd-archived"], indirect=True)
async def test_more_than_the_history_tells_is_read_in_the_archive_of_the_room(home: Home) -> None:
    phone, ann = await home.bookmarked(), home.ann
    await home.ann_says("before")
    await phone.cut()
    await asyncio.to_thread(home.ours.kill)
    said = [f"m{number}" for number in range(130)]
    for body in said:
        ann.says(body)
    await ann.told_until(said[-1])
    await asyncio.to_thread(home.ours.start)
    await home.ann_says("he lives")
    assert await asyncio.to_thread(home.archive) == ["before", *said, "he lives"]


async def test_a_kick_and_a_ban_reach_all_clients_and_are_the_end(home: Home) -> None:
    phone, ann = await home.bookmarked(), home.ann
    tablet = await home.device()
    for client in (phone, tablet):
        await client.enters()
    muc = ann.plugin["xep_0045"]
    await muc.set_role(home.room, "ben", "none", reason="A plague", timeout=DEADLINE)
    for client in (phone, tablet):
        assert heard(await client.told_until("-ben 110 307")) == ["-ben 110 307"]
    await ann.told_until("-ben 307")
    assert heard(await phone.enters()) == ENTERED
    assert heard(await tablet.enters()) == ENTERED
    assert await ann.told_until("+ben") == ["+ben"]
    await muc.set_affiliation(home.room, "outcast", jid=phone.boundjid.bare, timeout=DEADLINE)
    for client in (phone, tablet):
        assert heard(await client.told_until("-ben 110 301")) == ["-ben 110 301"]
    await ann.told_until("-ben 301")
    with pytest.raises(PresenceError, match="forbidden"):
        await phone.enters()
    await home.starts_again("stop")
    tablet = await home.device()
    with pytest.raises(PresenceError, match="forbidden"):
        await tablet.enters()
    await home.nothing_is_seen()


async def test_once_the_bookmark_and_the_clients_are_gone_the_account_is_too(home: Home) -> None:
    phone, ann = await home.bookmarked(), home.ann
    tablet = await home.device()
    for client in (phone, tablet):
        await client.enters()
    await phone.bookmark(autojoin=False)
    phone.leaves()
    assert heard(await phone.told_until("-ben 110")) == ["-ben 110"]
    tablet.says("I am still here")
    assert await tablet.told_until("I am still here")
    await home.nothing_is_seen("I am still here")
    tablet.leaves()
    assert heard(await tablet.told_until("-ben 110")) == ["-ben 110"]
    assert [each for each in await ann.told_until("-ben") if each != "+ben"] == ["-ben"]
    await home.starts_again("stop")
    await home.device()
    await home.nothing_is_seen()


async def test_whoever_was_in_before_he_bookmarked_the_room_is_seen_neither_to_leave_nor_to_enter(home: Home) -> None:
    phone, ann = await home.device(), home.ann
    await phone.enters()
    await ann.told_until("+ben")
    await phone.bookmark()
    await ann.told_until("+ben")
    await home.ann_says("once for all")
    # Its own presence comes anew, with or without the status code.
    assert [each for each in await phone.told_until("once for all") if each[:4] != "+ben"] == ["once for all"]
    ann.send_message(f"{home.room}/ben", "psst", mtype="chat")
    assert await phone.told_until("*psst") == ["*psst"]
    tablet = await home.device()
    assert heard(await tablet.enters()) == [*ENTERED[:-1], "once for all", "subject"]
    tablet.says("from the tablet")
    for client in (phone, tablet):
        assert await client.told_until("from the tablet")
    await phone.leave()
    await tablet.cut()
    await home.nothing_is_seen("once for all", "from the tablet")
    assert await asyncio.to_thread(home.archive) == ["once for all", "psst", "from the tablet"]


async def test_who_removes_the_bookmark_of_a_room_and_is_not_in_leaves_it(home: Home) -> None:
    phone = await home.bookmarked()
    await phone.forget_room()
    assert await home.ann.told_until("-ben") == ["-ben"]


async def test_without_a_bookmark_everything_is_as_ever(home: Home) -> None:
    phone, tablet, ann = await home.device(), await home.device(), home.ann
    for client in (phone, tablet):
        assert (await client.enters())[0::2] == ["+ann", "subject"]
        arrived = await ann.presence(f"{home.room}/ben", type="available")
        assert str(client.boundjid) in {item.get("jid") for item in find_all(arrived.xml, "user:x/user:item")}
    tablet.leaves()
    await tablet.told_until("-ben 110")
    phone.says("alone")
    assert await phone.told_until("alone")
    await phone.leave()
    await ann.told_until("-ben")
    assert await asyncio.to_thread(home.archive) == []


async def test_profanity_enters_what_is_bookmarked_and_talks(home: Home, tmp_path: Path) -> None:
    phone, ann = await home.bookmarked(), home.ann
    await phone.enters()
    terminal = Profanity(unpack("profanity"), tmp_path, home.ours.place.trusted)
    host, port = home.ours.client_address()
    try:
        await terminal.log_in(phone.boundjid.bare, PASSWORD, port, host=host)
        await terminal.shows(f"Autojoined {home.room} as ben (2).")
        terminal.type("/win 2")
        await terminal.shows("You have joined the room")
        await home.nothing_is_seen()
        terminal.type("typed")
        for client in (phone, ann):
            await client.told_until("typed")
        phone.says("tapped")
        await terminal.matches(r"ben: typed(.|\n)*ben: tapped$")
        assert terminal.screen.text().count("typed") == terminal.screen.text().count("tapped") == 1
    finally:
        await terminal.stop()
    await ann.told_until("tapped")
    await home.nothing_is_seen()


async def test_a_client_in_javascript_attaches_and_talks(home: Home) -> None:
    phone, ann = await home.bookmarked(), home.ann
    await phone.enters()
    await home.nothing_is_seen()
    try:
        script = await JavaScriptClient.log_in(
            phone.boundjid.bare, PASSWORD, home.ours.client_address(), home.ours.place.trusted
        )
    except PeerError as reason:
        pytest.skip(str(reason))
    try:
        script.do("enter", home.room, "ben")
        await script.gets("message", "subject", from_=home.room)
        script.do("say", home.room, "const hello")
        for client in (phone, ann):
            assert await client.told_until("const hello")
        phone.says("hello")
        await script.gets("message", lambda each: text(each, "body") == "hello")
    finally:
        await script.leave()
    told = ["+ann", "+ben 110", "subject", "const hello", "hello"]
    assert heard(transcript(script.got, home.room)) == told
    await home.nothing_is_seen("hello")
