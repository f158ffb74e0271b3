"""Whatever a room and clients do, in whatever order: a stand-in keeps its head."""

import random

import pytest

from fermata.core.standin.recent import MOST
from fermata.core.standin.stanzas import identity, stanza_id
from fermata.core.standin.state import Beside, Standing
from fermata.core.stored_xml import stanza_from
from fermata.xmpp.errors import StanzaError
from fermata.xmpp.jid import JID
from kit.standins import PHONE, ROOM, TABLET, Stage

DESK = JID.parse("ann@a.example/desk")
_NICKS = ("Ann", "Anna", "Ben", "Cyd")
_CODES = (110, 100, 201, 210, 301, 303, 307, 321, 322, 332, 333)
_CONDITIONS = ("conflict", "forbidden", "not-authorized", "remote-server-timeout", "gone", "not-acceptable")


def _room_says(stage: Stage, chance: random.Random) -> None:
    nick, codes = chance.choice(_NICKS), chance.sample(_CODES, chance.randrange(3))
    what = chance.randrange(8)
    if what < 3:
        type = chance.choice(("", "", "unavailable"))
        stage.presence(nick, *codes, type=type, item=chance.choice(("", "nick='Anna'", "nick=''")))
    elif what == 3:
        stage.message(
            chance.choice("abc"), nick, id=chance.choice(("", "1", "2")), type=chance.choice(("groupchat", "chat"))
        )
    elif what == 4:
        stage.subject()
    elif what == 5:
        stage.error(chance.choice(_CONDITIONS), chance.choice(("cancel", "wait", "auth")), nick)
    elif what == 6:
        stage.lets_in("Ben", "Cyd", nick=nick)
    elif stage.queries and chance.random() < 0.8:
        _archive_says(stage, chance)
    else:
        stage.hears(f"<iq from='{ROOM}' type='result' id='new{chance.randrange(9)}'/>")


def _archive_says(stage: Stage, chance: random.Random) -> None:
    if chance.random() < 0.2:
        stage.refuses(chance.choice(("item-not-found", "forbidden")))
    else:
        ids = sorted(chance.sample(range(1000), chance.randrange(4)))
        stage.answers(*map(str, ids), complete=chance.random() < 0.7)


def _client_does(stage: Stage, chance: random.Random) -> None:
    client, nick = chance.choice((PHONE, TABLET, DESK)), chance.choice(_NICKS)
    s = stage.stand_in.state
    if client in s.beside:
        typed = chance.choice(("", "type='unavailable'"))
        stage.sends(f"<presence to='{ROOM}/{nick}' {typed}/>", client)
        return
    is_known = client in s.attached or any(each.client == client for each in s.waiting)
    what = chance.randrange(7)
    if what < 2:
        stage.enters(client, nick, chance.choice(("", "<password>x</password>", "<history maxstanzas='1'/>")))
    elif not is_known:
        return
    elif what == 2:
        stage.leaves(client, chance.choice(("", "", "<leave xmlns='urn:x-fermata:account-join:0'/>")))
    elif what == 3:
        stage.sends(f"<message to='{ROOM}' type='groupchat' id='1'><body>x</body></message>", client)
    elif what == 4:
        stage.sends(f"<presence to='{ROOM}/{nick}'><show>away</show></presence>", client)
    elif what == 5:
        stage.sends(f"<iq to='{ROOM}/{nick}' type='get' id='1'><ping xmlns='urn:xmpp:ping'/></iq>", client)
    else:
        stage.do(stage.stand_in.gone(client, stage.now))


def _something_else(stage: Stage, chance: random.Random) -> None:
    what = chance.randrange(8)
    if what == 0:
        beside = [Beside(DESK, chance.choice(_NICKS), stanza_from("<presence/>"))]
        stage.wished(chance.choice(_NICKS), beside=chance.choice(((), beside)))
    elif what == 1:
        stage.unwished()
    elif what == 2:
        stage.do(stage.stand_in.again(chance.choice(_NICKS)))
    elif what == 3:
        stage.do(stage.stand_in.lost("forbidden"))
    elif what == 4:
        stage.do(stage.stand_in.sure())
    elif what == 5:
        stage.do(stage.stand_in.barred())
    else:
        stage.after(chance.choice((1, 10, 100, 1000)))


@pytest.mark.parametrize("seed", range(200))
def test_nothing_confuses_it(seed: int) -> None:
    chance, stage = random.Random(seed), Stage()
    stage.has_archive = chance.random() < 0.5
    for _ in range(120):
        act = chance.choice((_room_says, _client_does, _client_does, _something_else))
        try:
            act(stage, chance)
        except StanzaError:
            continue
        s = stage.stand_in.state
        if stage.standing in (Standing.OUT, Standing.REMOVED):
            assert not s.attached
            assert not s.waiting
        assert (s.here != "") >= (stage.standing is Standing.IN)
        assert not set(s.attached) & {each.client for each in s.waiting}
        if stage.standing is Standing.IN and s.view.is_known and not s.view.is_being_told:
            assert not s.waiting
        again = stage.restarted()
        assert again.stand_in.state.saved() == s.saved()
        said = [each.stanza for each in stage.said if not each.is_private and stanza_id(each.stanza, ROOM)]
        identities = [identity(each, ROOM) for each in said]
        assert len(set(identities[-MOST:])) == len(identities[-MOST:])


def test_whoever_is_attached_sees_what_the_room_says_in_the_end() -> None:
    for seed in range(100):
        chance, stage = random.Random(seed), Stage()
        stage.has_archive = seed % 2 == 0
        for _ in range(60):
            try:
                chance.choice((_room_says, _client_does, _something_else))(stage, chance)
            except StanzaError:
                continue
        stage.enters(PHONE)
        if stage.standing is not Standing.IN:
            stage.do(stage.stand_in.again("Ann"))
        stage.lets_in("Ben")
        stage.after(300)
        stage.clear()
        stage.message("in the end", id=f"end{seed}")
        assert stage.seen(PHONE) == ["in the end"], seed
