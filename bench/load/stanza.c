/* Cuts a stream into stanzas as its bytes come, and reads start tags. No tree is built: a server is not the enemy
 * here, and the generator must cost much less than what it measures. */
#include "load.h"
#include <ctype.h>
#include <string.h>

/* A tag has ended at s->at. Whether a child of the stream is complete with it. */
static bool ends_stanza(struct splitter *s, const char *bytes)
{
    char kind = bytes[s->tag + 1];
    if (kind == '?')
        return false;
    if (kind == '/') {
        s->depth--;
        s->ended = s->depth <= 0;
        return s->depth == 1;
    }
    if (s->depth == 1) {
        s->start = s->tag;
        s->head = s->at;
    }
    if (bytes[s->at - 2] == '/')
        return s->depth == 1;
    s->depth++;
    return false;
}

static void describe(const struct splitter *s, const char *bytes, struct stanza *found)
{
    const char *name = bytes + s->start + 1;
    found->whole = (struct text){ bytes + s->start, s->at - s->start };
    found->head = (struct text){ bytes + s->start, s->head - s->start };
    found->name = (struct text){ name, strcspn(name, " \t\r\n/>") };
}

/* The next child of the stream that has come whole. It stays valid until `forget_read`. */
bool next_stanza(struct conn *c, struct stanza *found)
{
    struct splitter *s = &c->split;
    while (s->at < c->in.length && !s->ended) {
        const char *bytes = c->in.bytes, *next = bytes + s->at;
        if (s->where != IN_TAG) {
            next = memchr(next, s->where == IN_TEXT ? '<' : s->quote, c->in.length - s->at);
            if (!next) {
                s->at = c->in.length;
                return false;
            }
            if (s->where == IN_TEXT)
                s->tag = next - bytes;
            s->where = IN_TAG;
            s->at = next - bytes + 1;
            continue;
        }
        s->at++;
        if (*next == '"' || *next == '\'') {
            s->quote = *next;
            s->where = IN_VALUE;
        } else if (*next == '>') {
            s->where = IN_TEXT;
            if (ends_stanza(s, bytes)) {
                describe(s, bytes, found);
                return true;
            }
        }
    }
    return false;
}

/* Drops what has been cut off from the buffer's front. */
void forget_read(struct conn *c)
{
    struct splitter *s = &c->split;
    size_t keep = s->depth > 1 ? s->start : s->where == IN_TEXT ? s->at : s->tag;
    if (!keep)
        return;
    memmove(c->in.bytes, c->in.bytes + keep, c->in.length - keep);
    c->in.length -= keep;
    s->at -= keep;
    if (s->depth > 1) {
        s->head -= keep;
        s->start = 0;
    }
    if (s->where != IN_TEXT)
        s->tag -= keep;
}

bool attribute(const struct stanza *s, const char *name, struct text *value)
{
    const char *at = s->name.at + s->name.length, *end = s->head.at + s->head.length;
    size_t length = strlen(name);
    while (at < end) {
        while (at < end && isspace((unsigned char)*at))
            at++;
        const char *equals = memchr(at, '=', end - at);
        if (!equals || end - equals < 2)
            return false;
        const char *first = equals + 2, *close = memchr(first, equals[1], end - first);
        if (!close)
            return false;
        if ((size_t)(equals - at) == length && !memcmp(at, name, length)) {
            *value = (struct text){ first, close - first };
            return true;
        }
        at = close + 1;
    }
    return false;
}

bool attribute_is(const struct stanza *s, const char *name, const char *value)
{
    struct text found;
    return attribute(s, name, &found) && found.length == strlen(value) && !memcmp(found.at, value, found.length);
}

bool name_is(const struct stanza *s, const char *name)
{
    return s->name.length == strlen(name) && !memcmp(s->name.at, name, s->name.length);
}

bool contains(const struct stanza *s, const char *needle)
{
    return memmem(s->whole.at, s->whole.length, needle, strlen(needle)) != NULL;
}

/* What stands between two strings in the stanza; nothing (at NULL) if they are not there. */
struct text content(const struct stanza *s, const char *before, const char *after)
{
    const char *end = s->whole.at + s->whole.length;
    const char *first = memmem(s->whole.at, s->whole.length, before, strlen(before));
    if (!first)
        return (struct text){ NULL, 0 };
    first += strlen(before);
    const char *last = memmem(first, end - first, after, strlen(after));
    return last ? (struct text){ first, last - first } : (struct text){ NULL, 0 };
}
