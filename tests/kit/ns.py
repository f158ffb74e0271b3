"""The namespaces of the specifications, written down a second time: a slip of the server's pen must not pass here."""

STREAMS = "http://etherx.jabber.org/streams"
CLIENT = "jabber:client"
TLS = "urn:ietf:params:xml:ns:xmpp-tls"
SASL = "urn:ietf:params:xml:ns:xmpp-sasl"
BIND = "urn:ietf:params:xml:ns:xmpp-bind"
SESSION = "urn:ietf:params:xml:ns:xmpp-session"
STANZA_ERRORS = "urn:ietf:params:xml:ns:xmpp-stanzas"
STREAM_ERRORS = "urn:ietf:params:xml:ns:xmpp-streams"
ROSTER = "jabber:iq:roster"
PRIVATE = "jabber:iq:private"
VERSION = "jabber:iq:version"
LAST = "jabber:iq:last"
VCARD = "vcard-temp"
DATA = "jabber:x:data"
DIRECT_INVITE = "jabber:x:conference"
DISCO_INFO = "http://jabber.org/protocol/disco#info"
DISCO_ITEMS = "http://jabber.org/protocol/disco#items"
RSM = "http://jabber.org/protocol/rsm"
CAPS = "http://jabber.org/protocol/caps"
COMMANDS = "http://jabber.org/protocol/commands"
ADMIN = "http://jabber.org/protocol/admin"
CHAT_STATES = "http://jabber.org/protocol/chatstates"
SERVER_INFO = "http://jabber.org/network/serverinfo"
MUC = "http://jabber.org/protocol/muc"
MUC_USER = MUC + "#user"
MUC_ADMIN = MUC + "#admin"
MUC_OWNER = MUC + "#owner"
MUC_REQUEST = MUC + "#request"
MUC_ROOM_CONFIG = MUC + "#roomconfig"
MUC_ROOM_INFO = MUC + "#roominfo"
MUC_REGISTER = MUC + "#register"
REGISTER = "jabber:iq:register"
PING = "urn:xmpp:ping"
TIME = "urn:xmpp:time"
DELAY = "urn:xmpp:delay"
BLOCKING = "urn:xmpp:blocking"
BLOCKING_ERRORS = "urn:xmpp:blocking:errors"
SM = "urn:xmpp:sm:3"
FORWARD = "urn:xmpp:forward:0"
CARBONS = "urn:xmpp:carbons:2"
RECEIPTS = "urn:xmpp:receipts"
MAM = "urn:xmpp:mam:2"
VALIDATE = "http://jabber.org/protocol/xdata-validate"
HINTS = "urn:xmpp:hints"
SID = "urn:xmpp:sid:0"
OCCUPANT_ID = "urn:xmpp:occupant-id:0"
FASTEN = "urn:xmpp:fasten:0"
RETRACT = "urn:xmpp:message-retract:1"
RETRACT_0 = "urn:xmpp:message-retract:0"
MODERATE = "urn:xmpp:message-moderate:1"
MODERATE_0 = "urn:xmpp:message-moderate:0"
CHANNEL_BINDING = "urn:xmpp:sasl-cb:0"
LIMITS = "urn:xmpp:stream-limits:0"
ROSTER_VERSIONS = "urn:xmpp:features:rosterver"
PRE_APPROVAL = "urn:xmpp:features:pre-approval"
REGISTER_FEATURE = "http://jabber.org/features/iq-register"
REGISTER_TOKEN = "urn:xmpp:ibr-token:0"
PARS = "urn:xmpp:pars:0"
INVITE = "urn:xmpp:invite"
REPORTING = "urn:xmpp:reporting:1"
SERVER = "jabber:server"
DIALBACK = "jabber:server:dialback"
DIALBACK_FEATURE = "urn:xmpp:features:dialback"
BIDI = "urn:xmpp:bidi"
BIDI_FEATURE = "urn:xmpp:features:bidi"

# The prefixes that paths in tests use: find(stanza, "user:x/user:item").
PUBSUB = "http://jabber.org/protocol/pubsub"
PUSH = "urn:xmpp:push:0"
RESTART = "urn:x-fermata:restart:0"
REJOIN = "urn:x-fermata:rejoin:0"
HISTORY = "urn:x-fermata:history:0"
JOINING = "urn:x-fermata:account-join:0"
BOOKMARKS = "urn:xmpp:bookmarks:1"
PRESENCE_SESSION = "urn:xmpp:presence-session:0"
PRESENCE_VERSIONS = "urn:xmpp:muc-presence-versioning:0"
AFFILIATION_VERSIONS = "urn:xmpp:muc:affiliations:1"

PREFIXES = {
    "stream": STREAMS,
    "tls": TLS,
    "sasl": SASL,
    "bind": BIND,
    "session": SESSION,
    "errors": STANZA_ERRORS,
    "stream-errors": STREAM_ERRORS,
    "roster": ROSTER,
    "private": PRIVATE,
    "version": VERSION,
    "last": LAST,
    "vcard": VCARD,
    "data": DATA,
    "conference": DIRECT_INVITE,
    "info": DISCO_INFO,
    "items": DISCO_ITEMS,
    "rsm": RSM,
    "caps": CAPS,
    "commands": COMMANDS,
    "iq-register": REGISTER_FEATURE,
    "ibr-token": REGISTER_TOKEN,
    "muc": MUC,
    "user": MUC_USER,
    "admin": MUC_ADMIN,
    "owner": MUC_OWNER,
    "register": REGISTER,
    "ping": PING,
    "time": TIME,
    "delay": DELAY,
    "blocking": BLOCKING,
    "blocking-errors": BLOCKING_ERRORS,
    "sm": SM,
    "hints": HINTS,
    "forward": FORWARD,
    "carbons": CARBONS,
    "receipts": RECEIPTS,
    "mam": MAM,
    "validate": VALIDATE,
    "sid": SID,
    "pubsub": PUBSUB,
    "push": PUSH,
    "restart": RESTART,
    "rejoin": REJOIN,
    "history": HISTORY,
    "presence-session": PRESENCE_SESSION,
    "presence-version": PRESENCE_VERSIONS,
    "mav": AFFILIATION_VERSIONS,
    "occupant": OCCUPANT_ID,
    "fasten": FASTEN,
    "retract": RETRACT,
    "retract-0": RETRACT_0,
    "moderate": MODERATE,
    "moderate-0": MODERATE_0,
    "cb": CHANNEL_BINDING,
    "limits": LIMITS,
    "rosterver": ROSTER_VERSIONS,
    "pre": PRE_APPROVAL,
    "db": DIALBACK,
    "dialback": DIALBACK_FEATURE,
    "bidi": BIDI_FEATURE,
}
