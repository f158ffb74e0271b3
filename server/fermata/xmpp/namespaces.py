"""Every namespace that Fermata speaks, by the name that its specification uses."""

from typing import Final

# Streams (RFC 6120, RFC 6121)
STREAMS: Final = "http://etherx.jabber.org/streams"
CLIENT: Final = "jabber:client"
SERVER: Final = "jabber:server"
COMPONENT: Final = "jabber:component:accept"
CONTENT: Final = (CLIENT, SERVER, COMPONENT)
TLS: Final = "urn:ietf:params:xml:ns:xmpp-tls"
SASL: Final = "urn:ietf:params:xml:ns:xmpp-sasl"
BIND: Final = "urn:ietf:params:xml:ns:xmpp-bind"
SESSION: Final = "urn:ietf:params:xml:ns:xmpp-session"
STANZA_ERRORS: Final = "urn:ietf:params:xml:ns:xmpp-stanzas"
STREAM_ERRORS: Final = "urn:ietf:params:xml:ns:xmpp-streams"
ROSTER: Final = "jabber:iq:roster"
ROSTER_VERSIONS: Final = "urn:xmpp:features:rosterver"
PRE_APPROVAL: Final = "urn:xmpp:features:pre-approval"
XML: Final = "http://www.w3.org/XML/1998/namespace"

# Extensions, by number
DATA_FORMS: Final = "jabber:x:data"  # XEP-0004
VERSION: Final = "jabber:iq:version"  # XEP-0092
DISCO_INFO: Final = "http://jabber.org/protocol/disco#info"  # XEP-0030
DISCO_ITEMS: Final = "http://jabber.org/protocol/disco#items"
MUC: Final = "http://jabber.org/protocol/muc"  # XEP-0045
MUC_USER: Final = MUC + "#user"
MUC_ADMIN: Final = MUC + "#admin"
MUC_OWNER: Final = MUC + "#owner"
MUC_REQUEST: Final = MUC + "#request"
MUC_ROOM_CONFIG: Final = MUC + "#roomconfig"
MUC_ROOM_INFO: Final = MUC + "#roominfo"
MUC_REGISTER: Final = MUC + "#register"
MUC_STABLE_ID: Final = MUC + "#stable_id"
MUC_SELF_PING: Final = MUC + "#self-ping-optimization"  # XEP-0410
PGP: Final = "jabber:x:encrypted"  # XEP-0027
PRIVATE: Final = "jabber:iq:private"  # XEP-0049
COMMANDS: Final = "http://jabber.org/protocol/commands"  # XEP-0050
VCARD: Final = "vcard-temp"  # XEP-0054
VCARD4: Final = "urn:ietf:params:xml:ns:vcard-4.0"  # RFC 6351
DATA_VALIDATE: Final = "http://jabber.org/protocol/xdata-validate"  # XEP-0122
VCARD_UPDATE: Final = "vcard-temp:x:update"  # XEP-0153
RSM: Final = "http://jabber.org/protocol/rsm"  # XEP-0059
PUBSUB: Final = "http://jabber.org/protocol/pubsub"  # XEP-0060
REGISTER: Final = "jabber:iq:register"  # XEP-0077
CHAT_STATES: Final = "http://jabber.org/protocol/chatstates"  # XEP-0085
CAPS: Final = "http://jabber.org/protocol/caps"  # XEP-0115
RECEIPTS: Final = "urn:xmpp:receipts"  # XEP-0184
BLOCKING: Final = "urn:xmpp:blocking"  # XEP-0191
BLOCKING_ERRORS: Final = "urn:xmpp:blocking:errors"
SM: Final = "urn:xmpp:sm:3"  # XEP-0198
PING: Final = "urn:xmpp:ping"  # XEP-0199
TIME: Final = "urn:xmpp:time"  # XEP-0202
DELAY: Final = "urn:xmpp:delay"  # XEP-0203
ADMIN: Final = "http://jabber.org/protocol/admin"  # XEP-0133
SERVER_INFO: Final = "http://jabber.org/network/serverinfo"  # XEP-0157
MSG_OFFLINE: Final = "msgoffline"  # XEP-0160
DIRECT_INVITE: Final = "jabber:x:conference"  # XEP-0249
CARBONS: Final = "urn:xmpp:carbons:2"  # XEP-0280
CARBONS_RULES: Final = "urn:xmpp:carbons:rules:0"
FORWARD: Final = "urn:xmpp:forward:0"  # XEP-0297
MESSAGE_CORRECT: Final = "urn:xmpp:message-correct:0"  # XEP-0308
MAM: Final = "urn:xmpp:mam:2"  # XEP-0313, XEP-0441
MAM_EXTENDED: Final = MAM + "#extended"
MAM_GROUPCHAT: Final = MAM + "#groupchat-field"
HATS: Final = "urn:xmpp:hats:0"  # XEP-0317
CHAT_MARKERS: Final = "urn:xmpp:chat-markers:0"  # XEP-0333
HINTS: Final = "urn:xmpp:hints"  # XEP-0334
CSI: Final = "urn:xmpp:csi:0"  # XEP-0352
CALL: Final = ("urn:xmpp:jingle-message:0", "urn:xmpp:jingle-message:1")  # XEP-0353
SID: Final = "urn:xmpp:sid:0"  # XEP-0359
OPENPGP: Final = "urn:xmpp:openpgp:0"  # XEP-0373
EME: Final = "urn:xmpp:eme:0"  # XEP-0380
OMEMO: Final = ("eu.siacs.conversations.axolotl", "urn:xmpp:omemo:1", "urn:xmpp:omemo:2")  # XEP-0384
OCCUPANT_ID: Final = "urn:xmpp:occupant-id:0"  # XEP-0421
FASTEN: Final = "urn:xmpp:fasten:0"  # XEP-0422, for clients of XEP-0425 before its version 0.3
RETRACT: Final = "urn:xmpp:message-retract:1"  # XEP-0424
RETRACT_TOMBSTONE: Final = RETRACT + "#tombstone"
RETRACT_0: Final = "urn:xmpp:message-retract:0"
MODERATE: Final = "urn:xmpp:message-moderate:1"  # XEP-0425
MODERATE_0: Final = "urn:xmpp:message-moderate:0"
FALLBACK: Final = "urn:xmpp:fallback:0"  # XEP-0428
CHANNEL_BINDING: Final = "urn:xmpp:sasl-cb:0"  # XEP-0440
REACTIONS: Final = "urn:xmpp:reactions:0"  # XEP-0444
STREAM_LIMITS: Final = "urn:xmpp:stream-limits:0"  # XEP-0478
PRESENCE_SESSION: Final = "urn:xmpp:presence-session:0"  # XEP-0311
PRESENCE_VERSIONING: Final = "urn:xmpp:muc-presence-versioning:0"  # XEP-0436
MUC_AFFILIATION_VERSIONS: Final = "urn:xmpp:muc:affiliations:1"  # XEP-0463

# Our own payloads: all under this one prefix, each advertised where it is understood.
FERMATA: Final = "urn:x-fermata:"
RESTART: Final = FERMATA + "restart:0"
