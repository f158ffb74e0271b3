"""XEP-0398: one avatar, whether it is published (XEP-0084) or part of a vCard (XEP-0153), and its hash in presence."""

import base64
import hashlib

import pytest

from kit import ns
from kit.muc import create
from kit.pubsub import configure, events, items, listen, publish, retract
from kit.stanzas import Element, find, find_all, text
from kit.wire import Client
from kit.world import World

DATA, METADATA = "urn:xmpp:avatar:data", "urn:xmpp:avatar:metadata"
UPDATE = "vcard-temp:x:update"
IMAGE, OTHER = b"\x89PNG one", b"\x89PNG other"
GET = f"<vCard xmlns='{ns.VCARD}'/>"


def hash_of(image: bytes) -> str:
    return hashlib.sha1(image).hexdigest()


def coded(image: bytes) -> str:
    return base64.b64encode(image).decode()


def publish_avatar(client: Client, image: bytes, access_model: str = "presence") -> None:
    id = hash_of(image)
    publish(client, DATA, f"<data xmlns='{DATA}'>{coded(image)}</data>", id, access_model=access_model)
    described = f"<info bytes='{len(image)}' id='{id}' type='image/png'/>"
    publish(client, METADATA, f"<metadata xmlns='{METADATA}'>{described}</metadata>", id, access_model=access_model)


def vcard(image: bytes | None, type: str = "image/png") -> str:
    photo = "" if image is None else f"<PHOTO><TYPE>{type}</TYPE><BINVAL>\n{coded(image)}\n</BINVAL></PHOTO>"
    return f"<vCard xmlns='{ns.VCARD}'><FN>Romeo</FN>{photo}</vCard>"


def photo(client: Client, to: str | None = None) -> tuple[str | None, bytes] | None:
    """What the vCard of an account shows to a client."""
    reply = client.iq("get", GET, to)
    found = find(reply, "vcard:vCard/vcard:PHOTO")
    if found is None:
        return None
    return text(found, "vcard:TYPE"), base64.b64decode(text(found, "vcard:BINVAL") or "")


def hash_in(presence: Element) -> str | None:
    return text(presence, f"{{{UPDATE}}}x/{{{UPDATE}}}photo")


@pytest.fixture
def romeo(world: World) -> Client:
    return world.online("romeo@localhost/orchard")


@pytest.fixture
def juliet(world: World, romeo: Client) -> Client:
    """A contact of Romeo's."""
    client = world.online("juliet@localhost/balcony")
    world.befriend(romeo, client)
    return client


@pytest.fixture
def tybalt(world: World) -> Client:
    """A stranger."""
    return world.online("tybalt@localhost/street")


def test_a_published_avatar_is_in_the_vcard(world: World, romeo: Client, tybalt: Client) -> None:
    romeo.set(vcard(None))
    publish_avatar(romeo, IMAGE, "open")
    assert photo(tybalt, romeo.bare) == ("image/png", IMAGE)
    world.crash()
    tybalt = world.login("tybalt@localhost/street")
    reply = tybalt.get(GET, "romeo@localhost")
    assert text(reply, "vcard:vCard/vcard:FN") == "Romeo"
    assert photo(tybalt, "romeo@localhost") == ("image/png", IMAGE)


def test_there_need_be_no_vcard_for_that(romeo: Client, tybalt: Client) -> None:
    publish_avatar(romeo, IMAGE, "open")
    assert photo(tybalt, romeo.bare) == photo(romeo) == ("image/png", IMAGE)


def test_it_is_for_those_who_may_see_the_nodes(romeo: Client, juliet: Client, tybalt: Client) -> None:
    publish_avatar(romeo, IMAGE, "presence")
    assert photo(juliet, romeo.bare) == ("image/png", IMAGE)
    assert photo(tybalt, romeo.bare) is None
    configure(romeo, DATA, access_model="open")
    assert photo(tybalt, romeo.bare) is None
    configure(romeo, METADATA, access_model="open")
    assert photo(tybalt, romeo.bare) == ("image/png", IMAGE)


def test_an_avatar_in_a_vcard_is_published(world: World, romeo: Client, juliet: Client, tybalt: Client) -> None:
    listen(juliet, METADATA)
    romeo.set(vcard(IMAGE, "image/jpeg"))
    (told,) = events(juliet)
    assert told.ids == [hash_of(IMAGE)]
    info = find(told.message, f".//{{{METADATA}}}info")
    assert info is not None
    assert dict(info.attrib) == {"bytes": str(len(IMAGE)), "id": hash_of(IMAGE), "type": "image/jpeg"}
    (data,) = items(tybalt, DATA, romeo.bare).values()
    assert data is not None
    assert base64.b64decode(data.text or "") == IMAGE
    assert photo(tybalt, romeo.bare) == ("image/jpeg", IMAGE)
    assert world.rows("SELECT value FROM value WHERE space = 'vcard' AND value LIKE '%BINVAL%'") == []


def test_a_vcard_that_is_written_back_changes_no_avatar(romeo: Client, juliet: Client) -> None:
    publish_avatar(romeo, IMAGE)
    listen(juliet, METADATA)
    romeo.set(vcard(IMAGE))
    assert events(juliet) == []


def test_a_vcard_without_a_photo_ends_the_avatar(romeo: Client, juliet: Client) -> None:
    publish_avatar(romeo, IMAGE)
    listen(juliet, METADATA)
    romeo.set(vcard(None))
    (told,) = events(juliet)
    payload = told.items[0][1]
    assert payload is not None
    assert not len(payload)
    assert photo(juliet, romeo.bare) is None


@pytest.mark.parametrize("binval", ["", "no base64!"])
def test_what_is_no_image_stays_in_the_vcard_as_it_is(romeo: Client, binval: str) -> None:
    romeo.set(f"<vCard xmlns='{ns.VCARD}'><PHOTO><BINVAL>{binval}</BINVAL></PHOTO></vCard>")
    found = find(romeo.get(GET), "vcard:vCard/vcard:PHOTO/vcard:BINVAL")
    assert found is not None
    assert (found.text or "") == binval


def test_a_hash_of_another_image_shows_none(romeo: Client, tybalt: Client) -> None:
    publish_avatar(romeo, IMAGE, "open")
    publish(romeo, DATA, f"<data xmlns='{DATA}'>{coded(OTHER)}</data>", hash_of(IMAGE))
    assert photo(tybalt, romeo.bare) is None


# Presence


def test_every_presence_has_the_hash(world: World, romeo: Client, juliet: Client) -> None:
    publish_avatar(romeo, IMAGE)
    romeo.send("<presence><show>away</show></presence>")
    assert [hash_in(stanza) for stanza in juliet.sync()] == [hash_of(IMAGE)]
    phone = world.login("romeo@localhost/phone")
    phone.send(f"<presence><x xmlns='{UPDATE}'/></presence>")
    assert [hash_in(stanza) for stanza in juliet.sync()] == [hash_of(IMAGE)]
    phone.send(f"<presence><x xmlns='{UPDATE}'><photo>{hash_of(OTHER)}</photo></x></presence>")
    assert [hash_in(stanza) for stanza in juliet.sync()] == [hash_of(IMAGE)]


def test_who_says_that_he_has_none_is_believed(romeo: Client, juliet: Client) -> None:
    publish_avatar(romeo, IMAGE)
    romeo.send(f"<presence><x xmlns='{UPDATE}'><photo/></x></presence>")
    assert [hash_in(stanza) for stanza in juliet.sync()] == [""]


def test_so_has_that_for_a_room_and_for_one_address(world: World, romeo: Client, tybalt: Client) -> None:
    room = "tea@conference.localhost"
    create(tybalt, room, "Ty")
    publish_avatar(romeo, IMAGE, "open")
    romeo.send(f"<presence to='{room}/Ro'><x xmlns='{ns.MUC}'/></presence>")
    (seen,) = [stanza for stanza in tybalt.sync() if stanza.tag == "presence"]
    assert hash_in(seen) == hash_of(IMAGE)
    romeo.send(f"<presence to='{tybalt.bare}'/>")
    assert [hash_in(stanza) for stanza in tybalt.sync()] == [hash_of(IMAGE)]
    romeo.send(f"<presence to='{tybalt.bare}' type='unavailable'/>")
    assert [hash_in(stanza) for stanza in tybalt.sync()] == [None]


def test_whoever_asks_later_gets_the_newest(world: World, romeo: Client) -> None:
    publish_avatar(romeo, IMAGE)
    romeo.send("<presence/>")
    publish_avatar(romeo, OTHER)
    romeo.sync()
    phone = world.login("romeo@localhost/phone")
    phone.send("<presence/>")
    hashes = {stanza.get("from"): hash_in(stanza) for stanza in phone.sync() if stanza.tag == "presence"}
    assert hashes["romeo@localhost/orchard"] == hash_of(OTHER)


def test_an_avatar_that_is_for_a_list_of_people_is_told_to_nobody(romeo: Client, juliet: Client) -> None:
    publish_avatar(romeo, IMAGE, "whitelist")
    romeo.send("<presence/>")
    assert [hash_in(stanza) for stanza in juliet.sync()] == [None]


def test_without_an_avatar_presence_stays_as_it_is(romeo: Client, juliet: Client) -> None:
    publish_avatar(romeo, IMAGE)
    retract(romeo, METADATA, hash_of(IMAGE))
    romeo.send("<presence/>")
    (seen,) = juliet.sync()
    assert not find_all(seen, f"{{{UPDATE}}}x")
    romeo.send(f"<presence><x xmlns='{UPDATE}'><photo>{hash_of(OTHER)}</photo></x></presence>")
    assert [hash_in(stanza) for stanza in juliet.sync()] == [hash_of(OTHER)]
