/* From a connection to a bound session: STARTTLS, SASL (PLAIN or SCRAM-SHA-1), resource binding, stream management.
 *
 * A client computes PBKDF2 (10,000 rounds) but once for its salt; then it keeps the key, as real clients do. */
#include "load.h"
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SASL "xmlns='urn:ietf:params:xml:ns:xmpp-sasl'"
#define MOST_KEYS 20000
#define HASH_BYTES SHA_DIGEST_LENGTH

static struct key { char salt[64]; int iterations; unsigned char salted_password[HASH_BYTES]; } keys[MOST_KEYS];
static int key_count, keys_known;

static size_t encode(const void *bytes, size_t length, char *base64)
{
    return EVP_EncodeBlock((unsigned char *)base64, bytes, length);
}

/* Returns the length, or -1. `bytes` has room for as many as there are characters, and one more. */
static int decode(const char *base64, size_t length, char *bytes)
{
    int count = EVP_DecodeBlock((unsigned char *)bytes, (const unsigned char *)base64, length);
    for (size_t i = length; count > 0 && i && base64[i - 1] == '='; i--)
        count--;
    if (count >= 0)
        bytes[count] = 0;
    return count;
}

void keys_load(void)
{
    FILE *file = opt.keys ? fopen(opt.keys, "r") : NULL;
    char hex[2 * HASH_BYTES + 1];
    while (file && key_count < MOST_KEYS) {
        struct key *k = &keys[key_count];
        if (fscanf(file, "%63s %d %40s", k->salt, &k->iterations, hex) != 3)
            break;
        for (int i = 0; i < HASH_BYTES; i++)
            sscanf(hex + 2 * i, "%2hhx", &k->salted_password[i]);
        key_count++;
    }
    keys_known = key_count;
    if (file)
        fclose(file);
}

void keys_save(void)
{
    FILE *file = opt.keys && key_count > keys_known ? fopen(opt.keys, "w") : NULL;
    for (int n = 0; file && n < key_count; n++) {
        fprintf(file, "%s %d ", keys[n].salt, keys[n].iterations);
        for (int i = 0; i < HASH_BYTES; i++)
            fprintf(file, "%02x", keys[n].salted_password[i]);
        fputc('\n', file);
    }
    if (file)
        fclose(file);
}

static const unsigned char *salted_password(const char *salt, int iterations)
{
    char bytes[64];
    for (int i = 0; i < key_count; i++)
        if (keys[i].iterations == iterations && !strcmp(keys[i].salt, salt))
            return keys[i].salted_password;
    int length = strlen(salt) < sizeof bytes ? decode(salt, strlen(salt), bytes) : -1;
    if (length < 0 || key_count == MOST_KEYS)
        return NULL;
    struct key *k = &keys[key_count++];
    strcpy(k->salt, salt);
    k->iterations = iterations;
    PKCS5_PBKDF2_HMAC_SHA1(PASSWORD, strlen(PASSWORD), (unsigned char *)bytes, length, iterations, HASH_BYTES,
                           k->salted_password);
    return k->salted_password;
}

static void authenticate(struct conn *c)
{
    char text[256], base64[400], nonce[32];
    unsigned char random[18];
    int account = opt.first + c->index, length;
    if (opt.plain) {
        length = snprintf(text, sizeof text, "%cu%d%c%s", 0, account, 0, PASSWORD);
    } else {
        RAND_bytes(random, sizeof random);
        encode(random, sizeof random, nonce);
        length = snprintf(text, sizeof text, "n,,n=u%d,r=%s", account, nonce);
        free(c->client_first);
        c->client_first = strdup(text + 3);
    }
    encode(text, length, base64);
    c->stage = AUTHENTICATING;
    put(c, "<auth " SASL " mechanism='%s'>%s</auth>", opt.plain ? "PLAIN" : "SCRAM-SHA-1", base64);
}

/* RFC 5802, section 3. The server's proof is not looked at: it costs the server nothing to be believed. */
static void client_proof(const unsigned char *salted, const char *auth_message, unsigned char *proof)
{
    unsigned char stored_key[HASH_BYTES], signature[HASH_BYTES];
    HMAC(EVP_sha1(), salted, HASH_BYTES, (const unsigned char *)"Client Key", 10, proof, NULL);
    SHA1(proof, HASH_BYTES, stored_key);
    HMAC(EVP_sha1(), stored_key, HASH_BYTES, (const unsigned char *)auth_message, strlen(auth_message), signature, NULL);
    for (int i = 0; i < HASH_BYTES; i++)
        proof[i] ^= signature[i];
}

static bool answer_challenge(struct conn *c, const struct stanza *s)
{
    char server_first[512], nonce[256], salt[64], final[400], message[1200], base64[700];
    unsigned char proof[HASH_BYTES];
    int iterations;
    struct text challenge = content(s, ">", "<");
    if (!challenge.at || challenge.length >= sizeof server_first || !c->client_first ||
        decode(challenge.at, challenge.length, server_first) < 0 ||
        sscanf(server_first, "r=%255[^,],s=%63[^,],i=%d", nonce, salt, &iterations) != 3)
        return false;
    const unsigned char *salted = salted_password(salt, iterations);
    if (!salted)
        return false;
    int length = snprintf(final, sizeof final, "c=biws,r=%s", nonce);
    snprintf(message, sizeof message, "%s,%s,%s", c->client_first, server_first, final);
    client_proof(salted, message, proof);
    memcpy(final + length, ",p=", 3);
    length += 3 + encode(proof, HASH_BYTES, final + length + 3);
    encode(final, length, base64);
    put(c, "<response " SASL ">%s</response>", base64);
    return true;
}

static void features(struct conn *c, const struct stanza *s)
{
    if (c->authenticated) {
        c->stage = BINDING;
        put(c, "<iq type='set' id='bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>"
               "<resource>load</resource></bind></iq>");
    } else if (opt.tls && !c->tls && contains(s, "urn:ietf:params:xml:ns:xmpp-tls")) {
        c->stage = PROCEEDING;
        put(c, "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>");
    } else if (opt.tls && !c->tls) {
        conn_fail(c, NO_TLS, "the server offers no STARTTLS");
    } else if (contains(s, opt.plain ? ">PLAIN<" : ">SCRAM-SHA-1<")) {
        authenticate(c);
    } else {
        conn_fail(c, NO_LOGIN, "the server does not offer the mechanism");
    }
}

static void bound(struct conn *c, const struct stanza *s)
{
    struct text jid = content(s, "<jid>", "</jid>");
    if (!jid.at) {
        conn_fail(c, NO_LOGIN, "no resource was bound");
        return;
    }
    free(c->jid);
    c->jid = strndup(jid.at, jid.length);
    if (opt.stream_management) {
        c->stage = ENABLING;
        put(c, "<enable xmlns='urn:xmpp:sm:3' resume='true'/>");
    } else {
        traffic_online(c);
    }
}

/* Whatever comes before the session is bound. */
void login_stanza(struct conn *c, const struct stanza *s)
{
    if (c->stage == FEATURES && name_is(s, "stream:features")) {
        features(c, s);
    } else if (c->stage == PROCEEDING && name_is(s, "proceed")) {
        conn_start_tls(c);
    } else if (c->stage == AUTHENTICATING && name_is(s, "challenge")) {
        if (!answer_challenge(c, s))
            conn_fail(c, NO_LOGIN, "the challenge makes no sense");
    } else if (c->stage == AUTHENTICATING && name_is(s, "success")) {
        c->authenticated = true;
        conn_restart_stream(c);
    } else if (c->stage == BINDING && attribute_is(s, "id", "bind")) {
        bound(c, s);
    } else if (c->stage == ENABLING && name_is(s, "enabled")) {
        c->managed = true;
        traffic_online(c);
    } else if (name_is(s, "failure") || name_is(s, "failed")) {
        fault(NO_LOGIN, c, s->whole.at, s->whole.length);
        run.has_failed = true;
    }
}
