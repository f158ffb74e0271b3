/* Sockets, TLS and buffers. What is written in one turn of the loop leaves at its end. */
#include "load.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define EVENTS 512
#define READ_BYTES 16384

enum { AGAIN = -1, GONE = -2 };

static int poller, *dirty, dirty_count;
static SSL_CTX *tls_context;

static void *or_die(void *memory)
{
    if (!memory) {
        fputs("load: out of memory\n", stderr);
        exit(2);
    }
    return memory;
}

void connections_prepare(void)
{
    poller = epoll_create1(EPOLL_CLOEXEC);
    dirty = or_die(calloc(opt.clients, sizeof *dirty));
    run.conns = or_die(calloc(opt.clients, sizeof *run.conns));
    for (int i = 0; i < opt.clients; i++) {
        run.conns[i].index = i;
        run.conns[i].fd = -1;
    }
    tls_context = or_die(SSL_CTX_new(TLS_client_method()));
    /* On the loopback interface, with a certificate made for this run, there is nobody to be deceived by. */
    SSL_CTX_set_verify(tls_context, SSL_VERIFY_NONE, NULL);
    SSL_CTX_set_mode(tls_context,
                     SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_read_ahead(tls_context, 1);
}

static void reserve(struct buffer *b, size_t more)
{
    if (b->capacity - b->length >= more)
        return;
    b->capacity = (b->length + more) * 2;
    b->bytes = or_die(realloc(b->bytes, b->capacity));
}

/* Text for the server. */
void put(struct conn *c, const char *format, ...)
{
    va_list arguments;
    reserve(&c->out, 512);
    for (;;) {
        size_t room = c->out.capacity - c->out.length;
        va_start(arguments, format);
        size_t length = vsnprintf(c->out.bytes + c->out.length, room, format, arguments);
        va_end(arguments);
        if (length < room) {
            c->out.length += length;
            break;
        }
        reserve(&c->out, length + 1);
    }
    if (!c->is_dirty)
        dirty[dirty_count++] = c->index;
    c->is_dirty = true;
}

static void watch(struct conn *c, int operation, bool for_output)
{
    struct epoll_event event = { .events = EPOLLIN | (for_output ? EPOLLOUT : 0), .data.u32 = c->index };
    if (operation == EPOLL_CTL_ADD || c->awaits_room_for_output != for_output)
        epoll_ctl(poller, operation, c->fd, &event);
    c->awaits_room_for_output = for_output;
}

static void conn_close(struct conn *c)
{
    SSL_free(c->tls);
    c->tls = NULL;
    if (c->fd >= 0)
        close(c->fd);
    c->fd = -1;
    c->stage = UNUSED;
    c->in.length = c->out.length = c->out.sent = 0;
    c->split = (struct splitter){ 0 };
}

void conn_fail(struct conn *c, enum fault kind, const char *why)
{
    bool was_expected = c->stage == CLOSING;
    conn_close(c);
    if (was_expected)
        return;
    fault(kind, c, why, strlen(why));
    run.has_failed = true;
}

static int tls_result(struct conn *c, int result)
{
    if (result > 0)
        return result;
    int error = SSL_get_error(c->tls, result);
    return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE ? AGAIN : GONE;
}

static int conn_write(struct conn *c, const char *bytes, size_t length)
{
    if (c->tls) {
        ERR_clear_error();
        return tls_result(c, SSL_write(c->tls, bytes, length));
    }
    ssize_t sent = send(c->fd, bytes, length, MSG_NOSIGNAL);
    return sent >= 0 ? sent : errno == EAGAIN ? AGAIN : GONE;
}

static int conn_read(struct conn *c, char *bytes, size_t length)
{
    if (c->tls) {
        ERR_clear_error();
        return tls_result(c, SSL_read(c->tls, bytes, length));
    }
    ssize_t got = recv(c->fd, bytes, length, 0);
    return got > 0 ? got : got < 0 && errno == EAGAIN ? AGAIN : GONE;
}

static void flush(struct conn *c)
{
    if (c->fd < 0 || c->stage == CONNECTING || c->stage == HANDSHAKING)
        return;
    while (c->out.sent < c->out.length) {
        int sent = conn_write(c, c->out.bytes + c->out.sent, c->out.length - c->out.sent);
        if (sent == AGAIN) {
            watch(c, EPOLL_CTL_MOD, true);
            return;
        }
        if (sent == GONE) {
            conn_fail(c, DROPPED, "the connection does not take more");
            return;
        }
        c->out.sent += sent;
        run.total.bytes_out += sent;
    }
    c->out.length = c->out.sent = 0;
    watch(c, EPOLL_CTL_MOD, false);
}

void conn_open(struct conn *c)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(IS_FAR(c) ? opt.far_port : opt.port) };
    int yes = 1;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    c->stage = CONNECTING;
    c->since = clock_now();
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    if (c->fd < 0 || (connect(c->fd, (struct sockaddr *)&address, sizeof address) && errno != EINPROGRESS)) {
        conn_fail(c, NO_CONNECTION, strerror(errno));
        return;
    }
    watch(c, EPOLL_CTL_ADD, true);
}

/* A stream begins: the first, or one after TLS or authentication (RFC 6120, sections 5.4.3.3 and 6.4.6). */
void conn_restart_stream(struct conn *c)
{
    c->split = (struct splitter){ 0 };
    c->in.length = 0;
    c->stage = FEATURES;
    put(c, "<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'"
           " to='%s' version='1.0'>", DOMAIN_OF(c));
}

static void shake_hands(struct conn *c)
{
    ERR_clear_error();
    int result = tls_result(c, SSL_do_handshake(c->tls));
    if (result == GONE) {
        conn_fail(c, NO_TLS, "the TLS handshake failed");
    } else if (result == AGAIN) {
        watch(c, EPOLL_CTL_MOD, SSL_want_write(c->tls));
    } else {
        snprintf(run.tls_version, sizeof run.tls_version, "%s %s", SSL_get_version(c->tls), SSL_get_cipher_name(c->tls));
        watch(c, EPOLL_CTL_MOD, false);
        conn_restart_stream(c);
    }
}

void conn_start_tls(struct conn *c)
{
    c->split = (struct splitter){ 0 };
    c->in.length = 0;
    c->stage = HANDSHAKING;
    c->tls = or_die(SSL_new(tls_context));
    SSL_set_fd(c->tls, c->fd);
    SSL_set_connect_state(c->tls);
    SSL_set_tlsext_host_name(c->tls, DOMAIN_OF(c));
    shake_hands(c);
}

static void dispatch(struct conn *c)
{
    struct stanza s;
    while (next_stanza(c, &s)) {
        if (name_is(&s, "stream:error")) {
            if (c->stage != CLOSING)
                fault(STREAM_ERROR, c, s.whole.at, s.whole.length);
        } else if (c->stage == ONLINE) {
            traffic_stanza(c, &s);
        } else if (c->stage != CLOSING) {
            login_stanza(c, &s);
        }
    }
    if (c->fd >= 0 && c->split.ended)
        conn_fail(c, DROPPED, "the server closed the stream");
    forget_read(c);
}

static void read_all(struct conn *c)
{
    while (c->fd >= 0 && c->stage != HANDSHAKING) {
        reserve(&c->in, READ_BYTES);
        size_t room = c->in.capacity - c->in.length;
        int got = conn_read(c, c->in.bytes + c->in.length, room);
        if (got == AGAIN)
            return;
        if (got == GONE) {
            conn_fail(c, DROPPED, "the server closed the connection");
            return;
        }
        c->in.length += got;
        run.total.bytes_in += got;
        run.now = run.last_byte = clock_now();
        dispatch(c);
        /* Nothing can be left: this saves the read that would say so. */
        if (c->tls ? !SSL_has_pending(c->tls) : (size_t)got < room)
            return;
    }
}

static void connected(struct conn *c)
{
    int error = 0;
    socklen_t length = sizeof error;
    getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &length);
    if (error) {
        conn_fail(c, NO_CONNECTION, strerror(error));
        return;
    }
    watch(c, EPOLL_CTL_MOD, false);
    conn_restart_stream(c);
}

static void ready(struct conn *c, uint32_t events)
{
    if (c->fd < 0)
        return;
    if (c->stage == CONNECTING) {
        connected(c);
    } else if (c->stage == HANDSHAKING) {
        shake_hands(c);
    } else {
        if (events & EPOLLOUT)
            flush(c);
        if (events & (EPOLLIN | EPOLLERR | EPOLLHUP))
            read_all(c);
    }
}

static void flush_dirty(void)
{
    for (int i = 0; i < dirty_count; i++) {
        run.conns[dirty[i]].is_dirty = false;
        flush(&run.conns[dirty[i]]);
    }
    dirty_count = 0;
}

/* One turn: write what there is to be written, wait so long for what comes, and take it. */
void connections_turn(int milliseconds)
{
    struct epoll_event events[EVENTS];
    flush_dirty();
    int count = epoll_wait(poller, events, EVENTS, milliseconds);
    run.now = clock_now();
    for (int i = 0; i < count; i++)
        ready(&run.conns[events[i].data.u32], events[i].events);
    flush_dirty();
}

/* Ends all streams. The server closes first, so that TIME_WAIT stays off the ports of the next run. */
void conn_close_all(void)
{
    int left = 0;
    for (int i = 0; i < opt.clients; i++) {
        struct conn *c = &run.conns[i];
        if (c->stage == ONLINE && c->managed) /* or it keeps for later what it does not know to have arrived */
            put(c, "<a xmlns='urn:xmpp:sm:3' h='%u'/>", c->handled);
        if (c->stage == ONLINE)
            put(c, "</stream:stream>");
        else if (c->fd >= 0)
            conn_close(c);
        c->stage = CLOSING;
    }
    for (uint64_t end = clock_now() + 5 * SECOND; clock_now() < end; left = 0) {
        connections_turn(20);
        for (int i = 0; i < opt.clients; i++)
            left += run.conns[i].fd >= 0;
        if (!left)
            return;
    }
    for (int i = 0; i < opt.clients; i++)
        conn_close(&run.conns[i]);
}
