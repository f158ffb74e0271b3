"""Stanzas that no client would write: whatever comes, the room refuses it in words or passes on whole XML."""

from random import Random

import hypothesis.strategies as st
from hypothesis import HealthCheck, given, settings

from fermata.xmpp import namespaces as ns
from fermata.xmpp.element import Element, copy_of
from fermata.xmpp.errors import StanzaError
from fermata.xmpp.jid import JID
from kit.rooms import ANN, BOB, BOB2, CAT, DAN, MUC, ROOM, Stage
from kit.xml import read

SENDERS = (ANN, BOB, BOB2, CAT, DAN, ANN.bare)
FORM = "<x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE' type='hidden'><value>%s</value></field>%s</x>"
FIELD = "<field var='%s'><value>%s</value></field>"
CONFIG = "".join(
    FIELD % (f"muc#roomconfig_{name}", value)
    for name, value in (
        ("roomname", "Tea"),
        ("maxusers", "20"),
        ("whois", "anyone"),
        ("roomadmins", "eve@e.example"),
        ("roomowners", "ann@a.example"),
        ("presencebroadcast", "moderator"),
    )
)
REGISTER = (
    FIELD % ("muc#register_roomnick", "Bob") + FIELD % ("muc#register_allow", "1") + FIELD % ("muc#jid", DAN.bare)
)
REGISTERED = FORM % (ns.MUC_REGISTER, REGISTER)
VOICE = FIELD % ("muc#role", "participant") + FIELD % ("muc#roomnick", "Bob") + FIELD % ("muc#request_allow", "1")
ITEMS = (
    "<item nick='Bob' role='none'><reason>r</reason></item><item jid='dan@d.example' affiliation='member' nick='D'/>"
)
HISTORY = "<history since='2024-01-01T00:00:00Z' maxchars='9'/>"
INVITE = "<invite to='eve@e.example'><reason>r</reason></invite>"
MODERATED = f"<moderate xmlns='{ns.MODERATE}' id='sid-000001'><retract xmlns='{ns.RETRACT}'/></moderate>"
FASTENED = f"<moderate xmlns='{ns.MODERATE_0}'><retract xmlns='{ns.RETRACT_0}'/><reason>r</reason></moderate>"
PHOTO = "<FN>Tea</FN><PHOTO><TYPE>image/png</TYPE><BINVAL>dGVh</BINVAL></PHOTO>"
CONFIGURED = FORM % (ns.MUC_ROOM_CONFIG, CONFIG)
SEEDS = [
    read(xml)
    for xml in (
        f"<presence to='{ROOM}/Bob' id='p'>{MUC}<show>away</show></presence>",
        f"<presence to='{ROOM}/Rob'><x xmlns='{ns.MUC}'>{HISTORY}</x></presence>",
        f"<presence to='{ROOM}/Bob' xml:lang='de'><status>s</status><c xmlns='{ns.CAPS}' ver='v'/></presence>",
        f"<presence to='{ROOM}' type='unavailable'><status>s</status></presence>",
        f"<presence to='{ROOM}' type='error'><error><gone xmlns='{ns.STANZA_ERRORS}'/></error></presence>",
        f"<message to='{ROOM}' type='groupchat' id='m'><body>b</body><origin-id xmlns='{ns.SID}' id='o'/></message>",
        f"<message to='{ROOM}' type='groupchat'><subject>s</subject></message>",
        f"<message to='{ROOM}/Ann' type='chat'><body>b</body><x xmlns='{ns.MUC_USER}'/></message>",
        f"<message to='{ROOM}'><x xmlns='{ns.MUC_USER}'>{INVITE}</x></message>",
        f"<message to='{ROOM}'><x xmlns='{ns.MUC_USER}'><decline to='ann@a.example'/></x></message>",
        f"<message to='{ROOM}'>{FORM % (ns.MUC_REQUEST, VOICE)}</message>",
        f"<iq to='{ROOM}' type='set' id='q'><query xmlns='{ns.MUC_ADMIN}'>{ITEMS}</query></iq>",
        f"<iq to='{ROOM}' type='get' id='q'><query xmlns='{ns.MUC_ADMIN}'><item affiliation='member'/></query></iq>",
        f"<iq to='{ROOM}' type='set' id='q'><query xmlns='{ns.MUC_OWNER}'>{CONFIGURED}</query></iq>",
        f"<iq to='{ROOM}' type='set' id='q'><query xmlns='{ns.MUC_OWNER}'><destroy jid='a@b.example'/></query></iq>",
        f"<iq to='{ROOM}' type='get' id='q'><query xmlns='{ns.DISCO_INFO}' node='x-roomuser-item'/></iq>",
        f"<message to='{ROOM}'>{REGISTERED}</message>",
        f"<iq to='{ROOM}' type='get' id='q'><query xmlns='{ns.REGISTER}'/></iq>",
        f"<iq to='{ROOM}' type='set' id='q'><query xmlns='{ns.REGISTER}'>{REGISTERED}</query></iq>",
        f"<iq to='{ROOM}' type='set' id='q'><query xmlns='{ns.REGISTER}'><remove/></query></iq>",
        f"<message to='{ROOM}' type='groupchat' id='r'><retract xmlns='{ns.RETRACT}' id='sid-000001'/></message>",
        f"<iq to='{ROOM}' type='set' id='q'>{MODERATED}</iq>",
        f"<iq to='{ROOM}' type='set' id='q'><apply-to xmlns='{ns.FASTEN}' id='sid-000001'>{FASTENED}</apply-to></iq>",
        f"<iq to='{ROOM}' type='get' id='q'><vCard xmlns='vcard-temp'/></iq>",
        f"<iq to='{ROOM}' type='set' id='q'><vCard xmlns='vcard-temp'>{PHOTO}</vCard></iq>",
        f"<iq to='{ROOM}/Ann' type='get' id='q'><vCard xmlns='vcard-temp'/></iq>",
        f"<iq to='{ROOM}/Ann' type='result' id='made-1'><error by='bob@b.example'/></iq>",
    )
]
PARTS = [part for seed in SEEDS for part in seed.iter()]
TAGS = [*sorted({part.tag for part in PARTS}), "x", "{urn:x-fermata:x}y", "{}e", "{a'b<&}c", "{jabber:client}body"]
ATTRIBUTES = [*sorted({name for part in PARTS for name in part.attrib}), "{urn:q}k", "by", "from"]
TEXTS = [
    *sorted({value for part in PARTS for value in part.attrib.values()}),
    *sorted({part.text for part in PARTS if part.text}),
    *(
        "",
        " ",
        "'\"<&>\r\n\t",
        "\u200b",
        "\U0001f431",
        "x" * 5000,
        "@",
        "a@b@c/d",
        f"{ROOM}/\u00c5nn",
        "-1",
        "1e9",
        "²",
    ),
    *("9" * 40, "0001-01-01T00:00:00Z", "9999-12-31T23:59:59-14:00", "none", "outcast", "owner", "true", "d.example"),
]


def mutated(stanza: Element, random: Random) -> Element:
    stanza = copy_of(stanza)
    for _ in range(random.choice((0, 1, 1, 2, 3, 5))):
        part = random.choice(list(stanza.iter()))
        match random.randrange(7):
            case 0 if part is not stanza:
                part.tag = random.choice(TAGS)
            case 1 if part.attrib:
                part.attrib[random.choice(list(part.attrib))] = random.choice(TEXTS)
            case 2:
                part.attrib[random.choice(ATTRIBUTES)] = random.choice(TEXTS)
            case 3 if part.attrib:
                del part.attrib[random.choice(list(part.attrib))]
            case 4:
                part.text = random.choice(TEXTS)
            case 5:
                part.append(copy_of(random.choice(PARTS)))
            case 6 if len(part):
                part.remove(random.choice(list(part)))
    return stanza


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.randoms(use_true_random=False))
def test_nothing_but_a_stanza_error_comes_of_malformed_stanzas(random: Random):
    stage = Stage()
    stage.enter(BOB)
    stage.enter(CAT)
    for _ in range(30):
        sender: JID = random.choice(SENDERS)
        stanza = mutated(random.choice(SEEDS), random)
        stanza.set("from", sender)
        try:
            # The stage reads all that is sent, so it is XML; and compares the room if the stanza is refused.
            said = stage.give(sender, stanza)
        except StanzaError:
            continue
        if said.effects.destroyed:
            return
