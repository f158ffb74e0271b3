/* What the files of the load generator share: options, connections, and the state of the one run. */
#ifndef LOAD_H
#define LOAD_H

#define _GNU_SOURCE /* every file includes this one first */

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define PASSWORD "pw" /* of every account: u0, u1, ... */
#define SECOND 1000000000ull

enum scenario { LOGIN, CHAT, GROUPCHAT, JOIN, IDLE };
enum phase { CALMING, LOGGING_IN, ENTERING, SETTLING, WARMING_UP, RUNNING, DRAINING, DONE };
enum stage { UNUSED, CONNECTING, HANDSHAKING, FEATURES, PROCEEDING, AUTHENTICATING, BINDING, ENABLING, ONLINE, CLOSING };
enum fault { NO_CONNECTION, NO_TLS, NO_LOGIN, STREAM_ERROR, BOUNCED, DROPPED, LOST, UNEXPECTED, STALLED, TOO_LONG, FAULTS };

struct options {
    enum scenario scenario;
    const char *keys;             /* a file that remembers SCRAM keys, or NULL */
    const char *domain, *far_domain, *room_service;
    int port, far_port, clients, first, concurrency, window, rooms, senders, cpu, timeout;
    double seconds, warmup;
    pid_t server;                 /* its CPU time is taken with that of its children; 0: nobody's */
    bool tls, plain, stream_management;
};

struct text { const char *at; size_t length; };
struct stanza { struct text whole, head, name; }; /* head: its start tag */
struct buffer { char *bytes; size_t length, capacity, sent; };
struct splitter { size_t at, start, tag, head; int depth; enum { IN_TEXT, IN_TAG, IN_VALUE } where; char quote; bool ended; };
struct flight { uint32_t sequence; int awaited; }; /* the message that is under way in one slot of a window */

struct conn {
    int index, fd;
    enum stage stage;
    SSL *tls;
    struct buffer in, out;
    struct splitter split;
    bool authenticated, managed, is_dirty, awaits_room_for_output;
    uint32_t handled, messages;
    uint64_t since;               /* when it began to connect, or to enter its room */
    char *jid, *client_first;     /* client_first: of SCRAM, without its GS2 header */
    struct flight *flights;       /* of its own messages, one for each slot of the window */
    uint32_t *seen;               /* the last sequence number from each slot of each sender */
    bool *knows;                  /* the occupants whose presence has come */
};

/* Those with odd numbers have their accounts on the far server, if there is one. */
#define IS_FAR(c) (opt.far_port && (c)->index % 2)
#define DOMAIN_OF(c) (IS_FAR(c) ? opt.far_domain : opt.domain)

struct usage { double server_cpu, own_cpu, machine_cpu; long rss_kb; uint64_t at; }; /* CPU in seconds */
struct counters { uint64_t sent, expected, delivered, presences, bytes_in, bytes_out; };

extern struct options opt;
extern struct run {
    enum phase phase;
    struct conn *conns;
    uint64_t now, started, phase_since, last_progress, last_byte;
    int next_login, logging_in, online, next_entry, entering;
    bool *room_is_ready, is_sending, has_failed;
    struct counters total, at_begin, at_end;
    struct usage first, begin, end;
    uint64_t faults[FAULTS];
    char first_fault[400], tls_version[80];
} run;

/* main.c */
void fault(enum fault kind, const struct conn *c, const char *text, size_t length);
void progress(void);

/* connection.c */
void connections_prepare(void);
void conn_open(struct conn *c);
void conn_restart_stream(struct conn *c);
void conn_start_tls(struct conn *c);
void conn_fail(struct conn *c, enum fault kind, const char *why);
void conn_close_all(void);
void put(struct conn *c, const char *format, ...) __attribute__((format(printf, 2, 3)));
void connections_turn(int milliseconds);

/* stanza.c */
bool next_stanza(struct conn *c, struct stanza *found);
void forget_read(struct conn *c);
bool attribute(const struct stanza *s, const char *name, struct text *value);
bool attribute_is(const struct stanza *s, const char *name, const char *value);
bool name_is(const struct stanza *s, const char *name);
bool contains(const struct stanza *s, const char *needle);
struct text content(const struct stanza *s, const char *before, const char *after);

/* login.c */
void keys_load(void);
void keys_save(void);
void login_stanza(struct conn *c, const struct stanza *s);

/* traffic.c */
void traffic_prepare(void);
void traffic_online(struct conn *c);
void traffic_stanza(struct conn *c, const struct stanza *s);
void traffic_begin(void);
void traffic_enter_rooms(int last);
uint64_t presences_expected(void);

/* usage.c */
uint64_t clock_now(void);
void usage_take(struct usage *u, bool with_memory);
bool server_is_calm(bool afresh);
void latency_add(uint64_t nanoseconds);
void latency_forget(void);
double latency_ms(double percent);

/* report.c */
int report(void);

#endif
