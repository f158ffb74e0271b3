"""Which messages are kept, copied, spooled, urgent or pushed: the one place that decides.

A message is of one *kind*; a table gives each kind its verdict, and hints (XEP-0334) then add or take away. This is
what can be told from the message alone: what depends on the account (mentions, preferences, what was read already)
refines it where the account is known.
"""

from typing import Final

from ..xmpp import namespaces as ns
from ..xmpp.element import Element, child

ARCHIVE: Final = 1  #: it has a place in the archive (XEP-0313)
COPY: Final = 2  #: every other live device gets it, though it was addressed to one (XEP-0280)
SPOOL: Final = 4  #: it waits for an account that is offline (XEP-0160)
URGENT: Final = 8  #: an inactive client gets it at once (XEP-0352)
PUSH: Final = 16  #: devices that are out of reach are woken (XEP-0357)
GROUPCHAT: Final = 32  #: no verdict: in the archive of an account, it was said in a room

# Kinds: of all that a message carries, the greatest of these decides.
_NOTHING: Final = 0
_NOTICE: Final = 1  # of a room, by status codes
_CHAT_STATE: Final = 2
_FALLBACK: Final = 3  # a body that only stands in for something that we do not know (XEP-0428)
_ENCRYPTED: Final = 4  # in a way that we do not know
_FORM: Final = 5  # a request for voice, administration
_KEY_TRANSPORT: Final = 6  # encrypted, with nothing in it to be read
_MARKER: Final = 7
_RECEIPT: Final = 8
_CONTENT: Final = 9  # a body, or an encrypted one
_INVITATION: Final = 10
_CORRECTION: Final = 11
_REACTION: Final = 12
_RETRACTION: Final = 13
_RINGING: Final = 14
_CALL_STEP: Final = 15
_CALL: Final = 16
_COME_BACK: Final = 17  # a room's call after a restart
_WRAPPER: Final = 18  # of a message that was judged on its own: a carbon, a query's result

# Bits beside the kind.
_NO_STORE: Final = 32
_NO_PERMANENT_STORE: Final = 64
_STORE: Final = 128
_NO_COPY: Final = 256
_HAS_FALLBACK: Final = 512
_IN_ROOM: Final = 1024  # between occupants
_KIND: Final = 31

_QUIET: Final = ARCHIVE | COPY | SPOOL
_LOUD: Final = ARCHIVE | COPY | SPOOL | URGENT | PUSH
_VERDICTS: Final = {
    _NOTHING: 0,
    _NOTICE: 0,
    _CHAT_STATE: COPY,
    _FALLBACK: _QUIET,
    _ENCRYPTED: _LOUD,
    _FORM: _LOUD,
    _KEY_TRANSPORT: _QUIET,
    _MARKER: ARCHIVE | COPY,
    _RECEIPT: ARCHIVE | COPY,
    _CONTENT: _LOUD,
    _INVITATION: _LOUD,
    _CORRECTION: _QUIET,
    _REACTION: _QUIET,
    _RETRACTION: _QUIET,
    _RINGING: ARCHIVE | COPY,
    _CALL_STEP: ARCHIVE | COPY | URGENT,
    _CALL: ARCHIVE | COPY | URGENT | PUSH,
    _COME_BACK: URGENT,
    _WRAPPER: 0,
}
# What is kept differently by a room: its own notices are, and not everybody's receipts for everything.
_ROOM_VERDICTS: Final = {kind: verdict & ARCHIVE for kind, verdict in _VERDICTS.items()} | {
    _NOTICE: ARCHIVE,
    _RECEIPT: 0,
}

# What says something to people even without a body.
_SAYING: Final = frozenset({_ENCRYPTED, _CONTENT, _INVITATION, _CORRECTION, _REACTION})

_LOOK_INSIDE: Final = -1
_OMEMO: Final = frozenset("{%s}encrypted" % uri for uri in ns.OMEMO)
_INVITATIONS: Final = frozenset({"{%s}invite" % ns.MUC_USER, "{%s}decline" % ns.MUC_USER})
_STATUS: Final = "{%s}status" % ns.MUC_USER
_FALLBACK_ELEMENT: Final = "{%s}fallback" % ns.FALLBACK
_FALLBACK_BODY: Final = "{%s}body" % ns.FALLBACK
_SAYS: Final = {
    **{"{%s}%s" % (ns.CHAT_STATES, name): _CHAT_STATE for name in "active composing paused inactive gone".split()},
    "{%s}encryption" % ns.EME: _ENCRYPTED,
    "{%s}x" % ns.DATA_FORMS: _FORM,
    **{"{%s}%s" % (ns.CHAT_MARKERS, name): _MARKER for name in ("received", "displayed", "acknowledged")},
    "{%s}received" % ns.RECEIPTS: _RECEIPT,
    **dict.fromkeys(_OMEMO, _LOOK_INSIDE),
    "{%s}openpgp" % ns.OPENPGP: _CONTENT,
    "{%s}x" % ns.PGP: _CONTENT,
    "{%s}x" % ns.MUC_USER: _LOOK_INSIDE,
    "{%s}x" % ns.DIRECT_INVITE: _INVITATION,
    "{%s}replace" % ns.MESSAGE_CORRECT: _CORRECTION,
    "{%s}reactions" % ns.REACTIONS: _REACTION,
    "{%s}retract" % ns.RETRACT: _RETRACTION,
    **{"{%s}ringing" % uri: _RINGING for uri in ns.CALL},
    **{
        "{%s}%s" % (uri, name): _CALL_STEP for uri in ns.CALL for name in "proceed accept reject retract finish".split()
    },
    **{"{%s}propose" % uri: _CALL for uri in ns.CALL},
    "{%s}back-online" % ns.RESTART: _COME_BACK,
    "{%s}received" % ns.CARBONS: _WRAPPER,
    "{%s}sent" % ns.CARBONS: _WRAPPER,
    "{%s}result" % ns.MAM: _WRAPPER,
    "{%s}no-store" % ns.HINTS: _NO_STORE,
    "{%s}no-permanent-store" % ns.HINTS: _NO_PERMANENT_STORE,
    "{%s}store" % ns.HINTS: _STORE,
    "{%s}no-copy" % ns.HINTS: _NO_COPY,
    "{%s}private" % ns.CARBONS: _NO_COPY,
    _FALLBACK_ELEMENT: _HAS_FALLBACK,
}


def judge(message: Element, type: str, is_sent: bool = False) -> int:
    """What becomes of a message to an account, or of one that `is_sent` by it: a sum of the flags above.

    `type` is `stanza.message_type` of it. What comes from rooms as groupchat is the rooms' to keep, and errors are
    nobody's: 0, as for what is delivered to whoever is there and then forgotten.
    """
    if type in ("groupchat", "error"):
        return 0
    said = _read(message)
    kind = said & _KIND
    if type == "headline":
        verdict = 0
    elif kind:
        verdict = _VERDICTS[kind]
    else:
        verdict = COPY if type == "chat" else 0
    return verdict if said == kind else _modified(verdict, said, is_sent)


def room_keeps(message: Element) -> int:
    """What becomes of a groupchat message in its room: ARCHIVE, or 0 for what is passed on and forgotten."""
    said = _read(message)
    kind = said & _KIND
    if said & (_NO_STORE | _NO_PERMANENT_STORE) and kind != _RETRACTION:
        return 0
    if said & _STORE or (kind <= _CHAT_STATE and _is_subject_change(message)):
        return ARCHIVE
    return _ROOM_VERDICTS[kind]


def is_content(message: Element) -> bool:
    """Whether something is said in a message that can be retracted (XEP-0424 §6, XEP-0425 §6).

    Where there is a body there is: whatever else it carries must not keep moderators from it.
    """
    return child(message, "body") is not None or _read(message) & _KIND in _SAYING


def _read(message: Element) -> int:
    """The kind of a message, and the bits of what modifies it."""
    kind = bits = 0
    body: str | None = None
    for item in message:
        tag = item.tag
        if tag == "body":
            body = body or item.text
            continue
        says = _SAYS.get(tag, 0)
        if says < 0:
            says = _inside(item)
        if says > _KIND:
            bits |= says
        elif says > kind:
            kind = says
    if body and kind < _CONTENT:
        if not bits & _HAS_FALLBACK or not _only_stands_in(message, body):
            kind = _CONTENT
        elif kind < _FALLBACK:
            kind = _FALLBACK
    return kind | bits


def _inside(item: Element) -> int:
    """What an element says whose name does not say it all."""
    if item.tag in _OMEMO:
        return _KEY_TRANSPORT if child(item, item.tag.replace("}encrypted", "}payload")) is None else _CONTENT
    for part in item:
        if part.tag in _INVITATIONS:
            return _INVITATION
        if part.tag == _STATUS:
            return _NOTICE
    return _IN_ROOM


def _modified(verdict: int, said: int, is_sent: bool) -> int:
    """A woken client must find something: so what is kept nowhere is not pushed, calls excepted."""
    if said & _NO_STORE:
        verdict &= ~(ARCHIVE | SPOOL)
    elif said & _NO_PERMANENT_STORE:
        verdict &= ~ARCHIVE
    elif said & _STORE:
        verdict |= ARCHIVE | COPY
    # A room sends a private message to every session that is in there, so copies would come twice (XEP-0280 §6.1).
    if said & _NO_COPY or (said & _IN_ROOM and not is_sent):
        verdict &= ~COPY
    if not verdict & (ARCHIVE | SPOOL) and said & _KIND != _CALL:
        verdict &= ~PUSH
    return verdict


def _only_stands_in(message: Element, body: str) -> bool:
    """Whether all of the body is for those who do not understand the rest (XEP-0428 §3)."""
    for item in message:
        if item.tag == _FALLBACK_ELEMENT:
            if not len(item):
                return True
            for part in item:
                if part.tag == _FALLBACK_BODY and _covers(part, body):
                    return True
    return False


def _covers(part: Element, body: str) -> bool:
    try:
        return int(part.get("start", 0)) <= 0 and int(part.get("end", len(body))) >= len(body)
    except ValueError:
        return False


def _is_subject_change(message: Element) -> bool:
    """XEP-0045 §8.1: a subject, and neither a body nor a thread."""
    tags = {item.tag for item in message}
    return "subject" in tags and not tags & {"body", "thread"}
