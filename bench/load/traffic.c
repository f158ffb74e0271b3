/* What the clients do once they are online: talk in pairs, talk in rooms, enter a room, or nothing.
 *
 * Every message carries in its body when it was sent and by whom, the slot of the sender's window and a sequence
 * number. Each recipient knows which number has to come next in which slot, so that a message that is lost, doubled or
 * delivered to somebody else does not go unnoticed. */
#include "load.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MARK ">#load "
#define PHRASE "the kettle is on &amp; the cr\303\250me br\303\273l\303\251e is in the oven, do come up."
#define CHAT_STATE "<active xmlns='http://jabber.org/protocol/chatstates'/>"

struct mark { uint64_t sent_at; unsigned sender, slot, sequence; };

static int occupants; /* of each room */
static char nicks[300]; /* what precedes a nick's number */

static struct conn *partner_of(const struct conn *c) { return &run.conns[c->index ^ 1]; }
static int room_of(const struct conn *c) { return c->index / occupants; }
static int place_of(const struct conn *c) { return c->index % occupants; }

void traffic_prepare(void)
{
    occupants = opt.clients / opt.rooms;
    snprintf(nicks, sizeof nicks, "%s/n", opt.room_service);
    run.room_is_ready = calloc(opt.rooms, sizeof *run.room_is_ready);
    for (int i = 0; i < opt.clients; i++) {
        run.conns[i].flights = calloc(opt.window, sizeof(struct flight));
        if (opt.scenario == GROUPCHAT)
            run.conns[i].seen = calloc(opt.senders * opt.window, sizeof(uint32_t));
        if (opt.scenario == GROUPCHAT || opt.scenario == JOIN)
            run.conns[i].knows = calloc(occupants, sizeof(bool));
    }
}

void traffic_online(struct conn *c)
{
    c->stage = ONLINE;
    run.logging_in--;
    run.online++;
    progress();
    if (opt.scenario == LOGIN) {
        run.total.delivered++;
        latency_add(run.now - c->since);
    } else {
        put(c, "<presence/>");
    }
}

/* ------------------------------------------------------------ messages */

static void put_room(struct conn *c) { put(c, "load%x-%d@%s", (unsigned)getpid(), room_of(c), opt.room_service); }

/* A message's id, as long as those that clients make (a UUID). */
static void put_id(struct conn *c)
{
    put(c, "%08x-%04x-4e1f-8a3d-%012x", c->index * 2654435761u, c->messages >> 16, c->messages & 0xffff);
    c->messages++;
}

static void put_body(struct conn *c, unsigned slot, unsigned sequence)
{
    put(c, "<body" MARK "%llx %x %x %x# " PHRASE "</body>", (unsigned long long)run.now, c->index, slot, sequence);
}

static bool read_mark(const struct stanza *s, struct mark *m)
{
    struct text text = content(s, MARK, "#");
    char *next = (char *)text.at;
    if (!next)
        return false;
    m->sent_at = strtoull(next, &next, 16);
    m->sender = strtoul(next, &next, 16);
    m->slot = strtoul(next, &next, 16);
    m->sequence = strtoul(next, &next, 16);
    return next == text.at + text.length && m->sender < (unsigned)opt.clients && m->slot < (unsigned)opt.window;
}

/* XEP-0198: the client asks for an acknowledgement after every fifth message. */
static void request_ack(struct conn *c)
{
    if (c->managed && c->messages % 5 == 0)
        put(c, "<r xmlns='urn:xmpp:sm:3'/>");
}

static void send_chat(struct conn *c, unsigned slot, unsigned sequence)
{
    put(c, "<message type='chat' to='%s' id='", partner_of(c)->jid);
    put_id(c);
    put(c, "'>");
    put_body(c, slot, sequence);
    put(c, CHAT_STATE "<request xmlns='urn:xmpp:receipts'/></message>");
    request_ack(c);
    run.total.sent++;
    run.total.expected++;
}

static void send_groupchat(struct conn *c, unsigned slot)
{
    struct flight *f = &c->flights[slot];
    f->sequence++;
    f->awaited = occupants;
    put(c, "<message type='groupchat' to='");
    put_room(c);
    put(c, "' id='");
    put_id(c);
    put(c, "'>");
    put_body(c, slot, f->sequence);
    put(c, CHAT_STATE "</message>");
    request_ack(c);
    run.total.sent++;
    run.total.expected += occupants;
}

void traffic_begin(void)
{
    run.is_sending = true;
    for (int i = 0; i < opt.clients; i++) {
        struct conn *c = &run.conns[i];
        for (int slot = 0; slot < opt.window; slot++) {
            if (opt.scenario == CHAT && i % 2 == 0)
                send_chat(c, slot, c->flights[slot].sequence = 1);
            else if (opt.scenario == GROUPCHAT && place_of(c) < opt.senders)
                send_groupchat(c, slot);
        }
    }
}

static bool take_chat(struct conn *c, const struct mark *m)
{
    struct flight *f = &run.conns[c->index & ~1].flights[m->slot];
    if (m->sender != (unsigned)partner_of(c)->index || m->sequence != f->sequence)
        return false;
    f->sequence++;
    if (run.is_sending)
        send_chat(c, m->slot, f->sequence);
    return true;
}

/* A message leaves the sender's window when the last occupant has it. */
static bool take_groupchat(struct conn *c, const struct mark *m)
{
    struct conn *sender = &run.conns[m->sender];
    if (room_of(sender) != room_of(c) || place_of(sender) >= opt.senders)
        return false;
    uint32_t *seen = &c->seen[place_of(sender) * opt.window + m->slot];
    struct flight *f = &sender->flights[m->slot];
    if (m->sequence != *seen + 1 || m->sequence != f->sequence)
        return false;
    *seen = m->sequence;
    if (--f->awaited == 0 && run.is_sending)
        send_groupchat(sender, m->slot);
    return true;
}

static void take_message(struct conn *c, const struct stanza *s)
{
    struct mark m;
    if (attribute_is(s, "type", "error")) {
        fault(BOUNCED, c, s->whole.at, s->whole.length);
        return;
    }
    if (!read_mark(s, &m))
        return; /* a room's subject, say */
    if (opt.scenario == CHAT ? !take_chat(c, &m) : !take_groupchat(c, &m)) {
        fault(UNEXPECTED, c, s->whole.at, s->whole.length);
        return;
    }
    run.total.delivered++;
    progress();
    if (run.phase == RUNNING)
        latency_add(run.now - m.sent_at);
}

/* --------------------------------------------------------------- rooms */

static void enter_room(struct conn *c)
{
    c->since = run.now;
    put(c, "<presence to='");
    put_room(c);
    put(c, "/n%d'><x xmlns='http://jabber.org/protocol/muc'><history maxstanzas='0'/></x></presence>", c->index);
}

/* Lets clients enter, a few at a time, until `last` have; the first of each room makes it and sets it up. */
void traffic_enter_rooms(int last)
{
    while (run.entering < opt.concurrency && run.next_entry < last) {
        int room = run.next_entry % opt.rooms, place = run.next_entry / opt.rooms;
        if (place && !run.room_is_ready[room])
            break;
        run.next_entry++;
        run.entering++;
        enter_room(&run.conns[room * occupants + place]);
    }
}

/* Each occupant gets the presence of each: of those who were there before him, his own, and of those who come later. */
uint64_t presences_expected(void) { return (uint64_t)opt.rooms * occupants * occupants; }

static void accept_defaults(struct conn *c)
{
    put(c, "<iq type='set' id='create' to='");
    put_room(c);
    put(c, "'><query xmlns='http://jabber.org/protocol/muc#owner'><x xmlns='jabber:x:data' type='submit'/></query></iq>");
}

static void entered(struct conn *c)
{
    run.entering--;
    if (opt.scenario == JOIN)
        latency_add(run.now - c->since);
    if (place_of(c) == 0)
        accept_defaults(c);
}

/* An occupant's first presence counts. What servers send beyond that, at the end of the set-up for example, does not. */
static void take_presence(struct conn *c, const struct stanza *s)
{
    struct text from, type;
    if (attribute_is(s, "type", "error")) {
        fault(BOUNCED, c, s->whole.at, s->whole.length);
        run.has_failed = true;
        return;
    }
    if (!c->knows || attribute(s, "type", &type) || !attribute(s, "from", &from))
        return;
    const char *nick = memmem(from.at, from.length, nicks, strlen(nicks));
    int index = nick ? atoi(nick + strlen(nicks)) : -1;
    if (index < 0 || index >= opt.clients || room_of(&run.conns[index]) != room_of(c) || c->knows[index % occupants])
        return;
    c->knows[index % occupants] = true;
    run.total.presences++;
    progress();
    if (index == c->index)
        entered(c);
}

/* -------------------------------------------------------------- stanzas */

static void answer_iq(struct conn *c, const struct stanza *s)
{
    struct text id = { "", 0 }, from = { "", 0 };
    bool is_ping = contains(s, "urn:xmpp:ping");
    attribute(s, "id", &id);
    put(c, "<iq type='%s' id='%.*s'", is_ping ? "result" : "error", (int)id.length, id.at);
    if (attribute(s, "from", &from))
        put(c, " to='%.*s'", (int)from.length, from.at);
    put(c, is_ping ? "/>" : "><error type='cancel'><service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>");
}

static void take_iq(struct conn *c, const struct stanza *s)
{
    if (attribute_is(s, "type", "get") || attribute_is(s, "type", "set"))
        answer_iq(c, s);
    else if (attribute_is(s, "type", "error"))
        fault(BOUNCED, c, s->whole.at, s->whole.length);
    else if (attribute_is(s, "id", "create"))
        run.room_is_ready[room_of(c)] = true;
}

/* Whatever comes to a client that is online. */
void traffic_stanza(struct conn *c, const struct stanza *s)
{
    bool is_message = name_is(s, "message"), is_presence = name_is(s, "presence"), is_iq = name_is(s, "iq");
    c->handled += is_message || is_presence || is_iq;
    if (is_message)
        take_message(c, s);
    else if (is_presence)
        take_presence(c, s);
    else if (is_iq)
        take_iq(c, s);
    else if (name_is(s, "r"))
        put(c, "<a xmlns='urn:xmpp:sm:3' h='%u'/>", c->handled);
}
