"""Questions and answers (IQ) between servers."""

import pytest

from federation.seen import stanza
from federation.site import Site
from kit import ns
from kit.muc import create
from kit.stanzas import find_all, text
from kit.wire import Client

pytestmark = pytest.mark.interop


def features(client: Client, to: str) -> set[str]:
    result = client.get(f"<query xmlns='{ns.DISCO_INFO}'/>", to)
    return {each.get("var", "") for each in find_all(result, "info:query/info:feature")}


def listed(client: Client, to: str) -> set[str]:
    result = client.get(f"<query xmlns='{ns.DISCO_ITEMS}'/>", to)
    return {each.get("jid", "") for each in find_all(result, "items:query/items:item")}


def test_a_server_answers_a_ping(near: Site, far: Site) -> None:
    assert near.guest().get(f"<ping xmlns='{ns.PING}'/>", far.domain).get("from") == far.domain


def test_a_server_says_what_it_is(near: Site, far: Site) -> None:
    result = near.guest().get(f"<query xmlns='{ns.VERSION}'/>", far.domain)
    assert text(result, "version:query/version:name") == far.software


def test_a_server_says_what_it_can(near: Site, far: Site) -> None:
    assert {ns.DISCO_INFO, ns.PING} <= features(near.guest(), far.domain)


def test_rooms_are_found_from_elsewhere(near: Site, far: Site) -> None:
    ann, ben, room = near.guest(), far.guest(), far.room()
    create(ben, room, "ben", publicroom="1")
    assert far.place.rooms in listed(ann, far.domain)
    assert ns.MUC in features(ann, far.place.rooms)
    assert room in listed(ann, far.place.rooms)
    assert {ns.MUC, "muc_public"} <= features(ann, room)


def test_a_room_that_is_not_there_is_not_found(near: Site, far: Site) -> None:
    type, condition = near.guest().refused("get", f"<query xmlns='{ns.DISCO_INFO}'/>", far.room())
    assert (type, condition) == ("cancel", "item-not-found")


def test_a_client_is_asked_and_answers(near: Site, far: Site) -> None:
    ann, ben = near.guest(), far.guest()
    ann.send(f"<iq type='get' id='v1' to='{ben.jid}'><query xmlns='{ns.VERSION}'/></iq>")
    asked = ben.wait_for(stanza("iq", "version:query", type="get", from_=ann.jid))
    answer = f"<query xmlns='{ns.VERSION}'><name>wire</name><version>1</version></query>"
    ben.send(f"<iq type='result' id='{asked.get('id')}' to='{ann.jid}'>{answer}</iq>")
    assert (
        text(ann.wait_for(stanza("iq", type="result", id="v1", from_=ben.jid)), "version:query/version:name") == "wire"
    )


def test_a_client_that_refuses_is_heard(near: Site, far: Site) -> None:
    ann, ben = near.guest(), far.guest()
    ann.send(f"<iq type='set' id='s1' to='{ben.jid}'><x xmlns='urn:example:x'/></iq>")
    asked = ben.wait_for(stanza("iq", type="set", from_=ann.jid))
    condition = f"<feature-not-implemented xmlns='{ns.STANZA_ERRORS}'/>"
    error = f"<error type='cancel'>{condition}</error>"
    ben.send(f"<iq type='error' id='{asked.get('id')}' to='{ann.jid}'>{error}</iq>")
    ann.wait_for(stanza("iq", "error/errors:feature-not-implemented", type="error", id="s1", from_=ben.jid))


def test_a_client_that_is_not_there_does_not_answer(near: Site, far: Site) -> None:
    ann, ben = near.guest(), far.guest()
    for to in (f"{ben.bare}/nowhere", f"nobody@{far.domain}/nowhere", f"nobody@{far.domain}"):
        assert ann.refused("get", f"<query xmlns='{ns.VERSION}'/>", to) == ("cancel", "service-unavailable")


def test_a_question_that_nobody_understands_is_refused(near: Site, far: Site) -> None:
    ann = near.guest()
    for to in (far.domain, far.place.rooms):
        _, condition = ann.refused("get", "<x xmlns='urn:example:unheard-of'/>", to)
        assert condition in ("service-unavailable", "feature-not-implemented")


def test_a_vcard_is_read_from_elsewhere(near: Site, far: Site) -> None:
    ann, ben = near.guest(), far.online()
    ben.set("<vCard xmlns='vcard-temp'><FN>Ben</FN></vCard>")
    result = ann.get("<vCard xmlns='vcard-temp'/>", ben.bare)
    assert text(result, "vcard:vCard/vcard:FN") == "Ben"
    assert result.get("from") == ben.bare


def test_nobodys_vcard_is_not_there(near: Site, far: Site) -> None:
    reply = near.guest().iq("get", "<vCard xmlns='vcard-temp'/>", f"nobody@{far.domain}")
    assert reply.get("type") == "error" or not text(reply, "vcard:vCard/vcard:FN")
