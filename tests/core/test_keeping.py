"""The one rule about messages: a row for each kind, and what must hold for all of them."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fermata.core.keeping import ARCHIVE, COPY, PUSH, SPOOL, URGENT, is_content, judge, room_keeps
from fermata.xmpp.element import Element
from fermata.xmpp.stanza import message_type
from kit.xml import read

NAMES = {"archive": ARCHIVE, "copy": COPY, "spool": SPOOL, "urgent": URGENT, "push": PUSH}
LOUD = "archive copy spool urgent push"
QUIET = "archive copy spool"

BODY = "<body>Hi</body>"
OMEMO = "<encrypted xmlns='eu.siacs.conversations.axolotl'><header sid='1'/><payload>AA==</payload></encrypted>"
OMEMO_2 = "<encrypted xmlns='urn:xmpp:omemo:2'><header sid='1'/><payload>AA==</payload></encrypted>"
KEY_TRANSPORT = "<encrypted xmlns='eu.siacs.conversations.axolotl'><header sid='1'/></encrypted>"
EME = "<encryption xmlns='urn:xmpp:eme:0' namespace='urn:new'/>"
STATE = "<composing xmlns='http://jabber.org/protocol/chatstates'/>"
CORRECTION = "<replace xmlns='urn:xmpp:message-correct:0' id='1'/>"
RETRACTION = "<retract xmlns='urn:xmpp:message-retract:1' id='1'/>"
REACTIONS = "<reactions xmlns='urn:xmpp:reactions:0' id='1'><reaction>\U0001f44b</reaction></reactions>"
RECEIPT = "<received xmlns='urn:xmpp:receipts' id='1'/>"
MARKER = "<displayed xmlns='urn:xmpp:chat-markers:0' id='1'/>"
INVITATION = "<x xmlns='http://jabber.org/protocol/muc#user'><invite from='a@b'/></x>"
DECLINED = "<x xmlns='http://jabber.org/protocol/muc#user'><decline from='a@b'/></x>"
DIRECT = "<x xmlns='jabber:x:conference' jid='r@m'/>"
IN_ROOM = "<x xmlns='http://jabber.org/protocol/muc#user'/>"
NOTICE = "<x xmlns='http://jabber.org/protocol/muc#user'><status code='104'/></x>"
COME_BACK = "<back-online xmlns='urn:x-fermata:restart:0'/>"
FORM = "<x xmlns='jabber:x:data' type='form'/>"
CARBON = "<received xmlns='urn:xmpp:carbons:2'><forwarded xmlns='urn:xmpp:forward:0'/></received>"
SENT = "<sent xmlns='urn:xmpp:carbons:2'><forwarded xmlns='urn:xmpp:forward:0'/></sent>"
RESULT = "<result xmlns='urn:xmpp:mam:2' id='1'><forwarded xmlns='urn:xmpp:forward:0'/></result>"
EVENT = "<event xmlns='http://jabber.org/protocol/pubsub#event'><items node='n'/></event>"
UNKNOWN = "<poll xmlns='urn:xmpp:polls:7'/>"
REQUEST = "<request xmlns='urn:xmpp:receipts'/><markable xmlns='urn:xmpp:chat-markers:0'/>"

NO_STORE = "<no-store xmlns='urn:xmpp:hints'/>"
NO_PERMANENT_STORE = "<no-permanent-store xmlns='urn:xmpp:hints'/>"
STORE = "<store xmlns='urn:xmpp:hints'/>"
NO_COPY = "<no-copy xmlns='urn:xmpp:hints'/>"
PRIVATE = "<private xmlns='urn:xmpp:carbons:2'/>"

FALLBACK = "<fallback xmlns='urn:xmpp:fallback:0' for='urn:x'/>"
FALLBACK_BODY = "<fallback xmlns='urn:xmpp:fallback:0' for='urn:x'><body/></fallback>"


def fallback(start: str, end: str) -> str:
    return f"<fallback xmlns='urn:xmpp:fallback:0' for='urn:x'><body start='{start}' end='{end}'/></fallback>"


def call(name: str, version: int = 0) -> str:
    return f"<{name} xmlns='urn:xmpp:jingle-message:{version}' id='1'/>"


def message(content: str, type: str = "chat") -> Element:
    attribute = f" type='{type}'" if type else ""
    return read(f"<message{attribute}>{content}</message>")


def verdict(content: str, type: str = "chat", is_sent: bool = False) -> set[str]:
    stanza = message(content, type)
    flags = judge(stanza, message_type(stanza), is_sent)
    return {name for name, flag in NAMES.items() if flags & flag}


# The rows are those of the rule table, where a message alone tells them.
ROWS = [
    ("1 body", "chat", BODY, LOUD),
    ("1 body, normal", "", BODY, LOUD),
    ("1 body with all that clients add", "chat", BODY + STATE + REQUEST, LOUD),
    ("1 body and receipt", "chat", RECEIPT + BODY, LOUD),
    ("1 body and marker", "chat", BODY + MARKER, LOUD),
    ("1 body with a form", "chat", BODY + FORM, LOUD),
    ("3 OMEMO", "chat", OMEMO, LOUD),
    ("3 OMEMO with a stand-in", "chat", "<body>I sent you ...</body>" + OMEMO + FALLBACK, LOUD),
    ("3 OMEMO 2", "chat", OMEMO_2 + EME, LOUD),
    ("3 OpenPGP", "chat", "<openpgp xmlns='urn:xmpp:openpgp:0'>AA==</openpgp>", LOUD),
    ("3 PGP", "chat", "<x xmlns='jabber:x:encrypted'>AA==</x>", LOUD),
    ("3 some other way", "chat", EME + UNKNOWN, LOUD),
    ("4 key transport", "chat", KEY_TRANSPORT, QUIET),
    ("4 key transport with EME", "chat", EME + KEY_TRANSPORT, QUIET),
    ("4 key transport with store", "chat", KEY_TRANSPORT + STORE, QUIET),
    ("5 correction", "chat", BODY + CORRECTION, QUIET),
    ("5 correction, encrypted", "chat", CORRECTION + OMEMO, QUIET),
    ("6 retraction", "chat", RETRACTION + STORE, QUIET),
    ("6 retraction with a stand-in", "chat", BODY + FALLBACK + RETRACTION, QUIET),
    ("7 reaction", "chat", REACTIONS + STORE, QUIET),
    ("7 reaction with a stand-in", "chat", REACTIONS + BODY + FALLBACK_BODY, QUIET),
    ("8 receipt", "chat", RECEIPT, "archive copy"),
    ("8 receipt, normal", "", RECEIPT, "archive copy"),
    ("9 displayed", "chat", MARKER, "archive copy"),
    ("9 acknowledged", "chat", "<acknowledged xmlns='urn:xmpp:chat-markers:0' id='1'/>", "archive copy"),
    ("11 chat state", "chat", STATE, "copy"),
    ("11 chat state, normal", "", STATE, "copy"),
    ("11 chat state, no-store", "chat", STATE + NO_STORE, "copy"),
    ("12 call", "chat", call("propose") + STORE, "archive copy urgent push"),
    ("12 call, newer", "chat", call("propose", 1), "archive copy urgent push"),
    ("12 call, not stored", "chat", call("propose") + NO_STORE, "copy urgent push"),
    *(
        (f"13 {name}", "chat", call(name), "archive copy urgent")
        for name in "proceed accept reject retract finish".split()
    ),
    ("13 ringing", "chat", call("ringing"), "archive copy"),
    ("14 mediated invitation", "", INVITATION, LOUD),
    ("14 mediated invitation declined", "", DECLINED, LOUD),
    ("14 direct invitation", "", DIRECT, LOUD),
    ("14 direct invitation with a body", "chat", BODY + DIRECT, LOUD),
    ("15 restart invitation", "", INVITATION + COME_BACK + NO_STORE + NO_COPY + PRIVATE, "urgent"),
    ("15 restart invitation, bare", "", COME_BACK + INVITATION, "urgent"),
    ("16 groupchat", "groupchat", BODY, ""),
    ("19 subject", "groupchat", "<subject>s</subject>", ""),
    ("19 stored by request", "groupchat", REACTIONS + STORE, ""),
    ("20 chat state in a room", "groupchat", STATE, ""),
    ("21 private message in a room", "chat", BODY + IN_ROOM, "archive spool urgent push"),
    ("21 receipt for a private message", "chat", RECEIPT + IN_ROOM, "archive"),
    ("23 headline", "headline", BODY, ""),
    ("24 event", "headline", EVENT, ""),
    ("26 error", "error", BODY + "<error type='cancel'/>", ""),
    ("26 error with hints", "error", BODY + STORE, ""),
    ("27 form", "", FORM, LOUD),
    ("29 unknown, chat", "chat", UNKNOWN, "copy"),
    ("29 unknown, normal", "", UNKNOWN, ""),
    ("29 unknown, chat, store", "chat", UNKNOWN + STORE, "archive copy"),
    ("29 unknown, normal, store", "", UNKNOWN + STORE, "archive copy"),
    ("29 event, normal", "", EVENT, ""),
    ("29 nothing, chat", "chat", "", "copy"),
    ("29 nothing, normal", "", "", ""),
    ("29 empty body", "", "<body/>", ""),
    ("29 request for a receipt alone", "", REQUEST, ""),
    ("29 thread alone", "", "<thread>t</thread>", ""),
    ("29 body of something else", "", "<body xmlns='urn:x'>Hi</body>", ""),
    ("29 status of a room", "", NOTICE, ""),
    ("30 carbon", "chat", CARBON + BODY, ""),
    ("30 carbon of what was sent", "chat", SENT, ""),
    ("30 query result", "", RESULT, ""),
    ("modifier no-store", "chat", BODY + NO_STORE, "copy urgent"),
    ("modifier no-permanent-store", "chat", BODY + NO_PERMANENT_STORE, "copy spool urgent push"),
    ("modifier no-permanent-store on a reaction", "chat", REACTIONS + NO_PERMANENT_STORE, "copy spool"),
    ("modifier no-store beats the others", "chat", BODY + STORE + NO_PERMANENT_STORE + NO_STORE, "copy urgent"),
    ("modifier no-permanent-store beats store", "chat", STORE + BODY + NO_PERMANENT_STORE, "copy spool urgent push"),
    ("modifier store on a chat state", "chat", STATE + STORE, "archive copy"),
    ("modifier store on a headline", "headline", BODY + STORE, "archive copy"),
    ("modifier no-copy", "chat", BODY + NO_COPY, "archive spool urgent push"),
    ("modifier private", "chat", PRIVATE + BODY, "archive spool urgent push"),
    ("modifier private on nothing", "chat", PRIVATE, ""),
    (
        "modifier private and no-copy as of OTR",
        "chat",
        BODY + PRIVATE + NO_COPY + NO_PERMANENT_STORE,
        "spool urgent push",
    ),
    ("modifier hints of another namespace", "chat", BODY + "<no-store xmlns='urn:x'/>", LOUD),
    ("fallback of something unknown", "chat", BODY + FALLBACK + UNKNOWN, QUIET),
    ("fallback before the body", "", FALLBACK_BODY + BODY, QUIET),
    ("fallback by its bounds", "chat", BODY + fallback("0", "2"), QUIET),
    ("fallback beyond its bounds", "chat", BODY + fallback("-1", "9"), QUIET),
    ("fallback of a part: a reply", "chat", "<body>> Hi\nHo</body>" + fallback("0", "5"), LOUD),
    ("fallback of the end", "chat", BODY + fallback("1", "2"), LOUD),
    ("fallback that makes no sense", "chat", BODY + fallback("x", "y"), LOUD),
    ("fallback of the subject", "chat", BODY + FALLBACK_BODY.replace("body", "subject"), LOUD),
    ("fallback without a body", "", FALLBACK, ""),
    ("fallback with a chat state", "chat", BODY + FALLBACK + STATE, QUIET),
    ("body in the second language", "chat", "<body/><body xml:lang='de'>Hallo</body>", LOUD),
]


@pytest.mark.parametrize(("type", "content", "flags"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
def test_what_a_message_that_an_account_gets_is_kept_and_copied_for(type: str, content: str, flags: str) -> None:
    assert verdict(content, type) == set(flags.split())


# What goes out: what others of the sender's devices see (XEP-0280 §6.1).
SENT_ROWS = [
    ("2 body", "chat", BODY, LOUD),
    ("2 body, normal", "", BODY + STATE, LOUD),
    ("10 displayed", "chat", MARKER, "archive copy"),
    ("11 chat state", "chat", STATE, "copy"),
    ("14 invitation to a room", "", INVITATION, LOUD),
    ("14 invitation between people", "", DIRECT, LOUD),
    ("22 private message in a room", "chat", BODY + IN_ROOM, LOUD),
    ("22 chat state to an occupant", "chat", STATE + IN_ROOM, "copy"),
    ("22 private message with private", "chat", BODY + IN_ROOM + PRIVATE, "archive spool urgent push"),
    ("22 private message with no-copy", "chat", BODY + IN_ROOM + NO_COPY, "archive spool urgent push"),
    ("22 nothing, normal", "", IN_ROOM, ""),
    ("16 groupchat", "groupchat", BODY, ""),
    ("26 error", "error", BODY + "<error type='cancel'/>", ""),
    ("27 request for voice", "", FORM, LOUD),
    ("modifier private", "chat", BODY + PRIVATE, "archive spool urgent push"),
    ("modifier no-store", "chat", BODY + NO_STORE, "copy urgent"),
]


@pytest.mark.parametrize(
    ("type", "content", "flags"), [row[1:] for row in SENT_ROWS], ids=[row[0] for row in SENT_ROWS]
)
def test_what_a_message_that_an_account_sends_is_kept_and_copied_for(type: str, content: str, flags: str) -> None:
    assert verdict(content, type, is_sent=True) == set(flags.split())


@pytest.mark.parametrize("row", ROWS, ids=[row[0] for row in ROWS])
def test_what_is_copied_when_it_comes_is_copied_when_it_goes(row: tuple[str, str, str, str]) -> None:
    _, type, content, _ = row
    assert verdict(content, type) <= verdict(content, type, is_sent=True)


@pytest.mark.parametrize(
    ("content", "kept"),
    [
        (BODY, True),
        (BODY + STATE + REQUEST, True),
        (OMEMO, True),
        (KEY_TRANSPORT, True),
        (BODY + CORRECTION, True),
        (RETRACTION, True),
        (RETRACTION + NO_STORE, True),
        (RETRACTION + NO_PERMANENT_STORE + BODY + FALLBACK, True),
        (REACTIONS, True),
        (MARKER, True),
        (NOTICE, True),
        (BODY + FALLBACK + UNKNOWN, True),
        (FORM, True),
        ("<subject>s</subject>", True),
        ("<subject/>", True),
        ("<subject>s</subject>" + STATE, True),
        ("<subject>s</subject><body>b</body>", True),
        (UNKNOWN + STORE, True),
        (STATE + STORE, True),
        ("<subject>s</subject><thread>t</thread>", False),
        ("<subject>s</subject><body/>", False),
        (STATE, False),
        (RECEIPT, False),
        (UNKNOWN, False),
        (CARBON, False),
        (RESULT + BODY, False),
        ("", False),
        (BODY + NO_STORE, False),
        (BODY + NO_PERMANENT_STORE, False),
        (REACTIONS + STORE + NO_STORE, False),
        ("<subject>s</subject>" + NO_STORE, False),
        (BODY + NO_COPY, True),
        (BODY + PRIVATE, True),
    ],
)
def test_what_is_kept_of_what_is_said_in_a_room(content: str, kept: bool) -> None:
    assert room_keeps(message(content, "groupchat")) == (ARCHIVE if kept else 0)


@pytest.mark.parametrize(
    ("content", "is_said"),
    [
        *((each, True) for each in (BODY, OMEMO, OMEMO_2, EME, CORRECTION, REACTIONS, DIRECT)),
        *((BODY + each, True) for each in (RETRACTION, MARKER, NOTICE, FORM, FALLBACK, UNKNOWN)),
        *((each, False) for each in (RETRACTION, MARKER, NOTICE, RECEIPT, STATE, UNKNOWN, KEY_TRANSPORT, "")),
        ("<subject>s</subject>", False),
    ],
)
def test_what_is_said_can_be_retracted(content: str, is_said: bool) -> None:
    assert is_content(message(content, "groupchat")) == is_said


PARTS = [value for name, value in sorted(globals().items()) if name.isupper() and str(value).startswith("<")]
PARTS += [call("propose"), call("ringing"), call("accept"), fallback("0", "1")]
TYPES = ["", "normal", "chat", "headline", "groupchat", "error", "invented"]


def check(parts: tuple[str, ...], type: str) -> None:
    found = verdict("".join(parts), type)
    is_call = any("propose" in part for part in parts)
    hides = not {IN_ROOM, NO_COPY, PRIVATE}.isdisjoint(parts)
    assert "archive" not in found or "copy" in found or hides, parts
    assert "push" not in found or is_call or found & {"archive", "spool"}, parts
    assert "push" not in found or "urgent" in found, parts
    assert "spool" not in found or "archive" in found or NO_PERMANENT_STORE in parts, parts
    assert not {NO_STORE, NO_PERMANENT_STORE} & set(parts) or "archive" not in found, parts
    if type in ("groupchat", "error"):
        assert not found
    if BODY in parts and not found & {"archive", "spool"} and type in ("", "chat"):
        excused = {NO_STORE, CARBON, SENT, RESULT, COME_BACK}
        excused |= {part for part in parts if "jingle-message" in part}
        assert excused & set(parts), parts


def test_the_invariants_hold_for_every_pair_of_payloads() -> None:
    for one, other, type in product(PARTS, PARTS, TYPES):
        check((one, other), type)


@given(st.lists(st.sampled_from(PARTS), max_size=6), st.sampled_from(TYPES))
def test_the_invariants_hold_for_whatever_comes_together(parts: list[str], type: str) -> None:
    check(tuple(parts), type)


@given(st.lists(st.sampled_from(PARTS), max_size=6), st.randoms(use_true_random=False))
def test_the_order_of_payloads_does_not_matter(parts: list[str], random: object) -> None:
    shuffled = sorted(parts, key=lambda _: random.random())  # type: ignore[attr-defined]
    assert verdict("".join(parts)) == verdict("".join(shuffled))
    assert room_keeps(message("".join(parts))) == room_keeps(message("".join(shuffled)))


def test_judging_changes_nothing() -> None:
    stanza = message(BODY + OMEMO + FALLBACK + STORE)
    before = [item.tag for item in stanza.iter()]
    judge(stanza, "chat")
    room_keeps(stanza)
    assert [item.tag for item in stanza.iter()] == before
