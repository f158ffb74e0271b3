"""SCRAM against the RFCs' own exchanges, an independent client, and everything that must fail."""

import hashlib
import hmac
import re
from base64 import b64decode, b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scramp import ScramClient

from fermata.core.sasl.credentials import ScramKeys, derive_keys
from fermata.core.sasl.mechanism import Challenge, NeedCredentials, Realm, Success
from fermata.core.sasl.scram import Scram
from fermata.xmpp.errors import SASLError

REALM = Realm("capulet.example", b"secret", 4096)
KEYS = {hash: derive_keys("pencil", hash, b"0123456789abcdef", 4096) for hash in ("sha1", "sha256")}
BINDINGS = {"tls-exporter": b"exported", "tls-server-end-point": b"certificate"}
NONCE = "serverpart"


@pytest.mark.parametrize(
    ("hash", "client_nonce", "server_nonce", "salt", "proof", "signature"),
    [
        (
            "sha1",
            "fyko+d2lbbFgONRv9qkxdawL",
            "3rfcNHYJY1ZVvWVs7j",
            "QSXCR+Q6sek8bf92",
            "v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=",
            "rmF9pqV8S7suAoZWja4dJRkFsKQ=",
        ),
        (
            "sha256",
            "rOprNGfwEbeRWgbNEkqO",
            "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0",
            "W22ZaJ0SNY7soEsUEjb6gQ==",
            "dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
            "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=",
        ),
    ],
    ids=["RFC 5802 §5", "RFC 7677 §3"],
)
def test_the_exchanges_of_the_rfcs_succeed(
    hash: str, client_nonce: str, server_nonce: str, salt: str, proof: str, signature: str
) -> None:
    keys = derive_keys("pencil", hash, b64decode(salt), 4096)
    scram = Scram(REALM, hash, False, server_nonce, {})
    nonce = client_nonce + server_nonce
    assert scram.respond(f"n,,n=user,r={client_nonce}".encode()) == NeedCredentials("user")
    assert scram.credentials([keys]) == Challenge(f"r={nonce},s={salt},i=4096".encode())
    assert scram.respond(f"c=biws,r={nonce},p={proof}".encode()) == Success("user", f"v={signature}".encode())


@pytest.mark.parametrize("type", ["", "tls-server-end-point"])
@pytest.mark.parametrize("name", ["SCRAM-SHA-1", "SCRAM-SHA-256"])
def test_an_independent_client_logs_in_and_knows_us(name: str, type: str) -> None:
    hash = {"SCRAM-SHA-1": "sha1", "SCRAM-SHA-256": "sha256"}[name]
    if type:
        client = ScramClient([name + "-PLUS"], "juliet", "pencil", channel_binding=(type, BINDINGS[type]))
    else:
        client = ScramClient([name], "juliet", "pencil")
    scram = Scram(REALM, hash, bool(type), NONCE, BINDINGS)
    assert scram.respond(client.get_client_first().encode()) == NeedCredentials("juliet")
    challenge = scram.credentials(list(KEYS.values()))
    assert isinstance(challenge, Challenge)
    client.set_server_first(challenge.data.decode())
    success = scram.respond(client.get_client_final().encode())
    assert isinstance(success, Success)
    client.set_server_final(success.data.decode())


def exchange(
    first: str,
    final: str = "c={c},r={r},p={p}",
    plus: bool = False,
    bindings: dict[str, bytes] | None = None,
    password: str = "pencil",
    keys: ScramKeys | None = KEYS["sha256"],
    bound: bytes = b"",
) -> object:
    """Plays a client that does its sums right but writes what it is told to; returns the last step."""
    scram = Scram(REALM, "sha256", plus, NONCE, bindings or {})
    step = scram.respond(first.encode())
    assert isinstance(step, NeedCredentials)
    step = scram.credentials([keys] if keys else [])
    assert isinstance(step, Challenge)
    server_first = step.data.decode()
    salt = b64decode(server_first.split(",s=")[1].split(",i=")[0])
    start = first.index(",n=") + 1
    unproved, _, _ = final.partition(",p=")
    values = {"c": b64encode(first[:start].encode() + bound).decode(), "r": re.findall("r=([^,]*)", first)[0] + NONCE}
    message = ",".join((first[start:], server_first, unproved.format_map({**values, "p": ""}))).encode()
    values["p"] = b64encode(proof_of(password, salt, 4096, message)).decode()
    return scram.respond(final.format_map(values).encode())


def proof_of(password: str, salt: bytes, iterations: int, message: bytes) -> bytes:
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, iterations)
    client_key = hmac.digest(salted, b"Client Key", "sha256")
    signature = hmac.digest(hashlib.sha256(client_key).digest(), message, "sha256")
    return bytes(left ^ right for left, right in zip(client_key, signature, strict=True))


@pytest.mark.parametrize(
    ("first", "options", "username"),
    [
        ("n,,n=juliet,r=abc", {}, "juliet"),
        ("y,,n=juliet,r=abc", {}, "juliet"),
        ("n,,n=Juliet,r=abc", {}, "juliet"),
        ("n,,n=a=2Cb=3Dc,r=abc", {}, "a,b=c"),
        ("n,,n=J\u00fcrgen,r=abc", {}, "j\u00fcrgen"),
        ("n,,n=juliet,r=abc,x=whatever", {}, "juliet"),
        ("n,a=juliet@capulet.example,n=juliet,r=abc", {}, "juliet"),
        ("n,a=a=2Cb@capulet.example,n=a=2Cb,r=abc", {}, "a,b"),
        ("n,,n=juliet,r=abc", {"bindings": BINDINGS}, "juliet"),
        (
            "p=tls-exporter,,n=juliet,r=abc",
            {"plus": True, "bindings": BINDINGS, "bound": b"exported"},
            "juliet",
        ),
        ("n,,n=juliet,r=abc", {"final": "c={c},r={r},x=extension,p={p}"}, "juliet"),
    ],
)
def test_these_exchanges_succeed(first: str, options: dict[str, object], username: str) -> None:
    step = exchange(first, **options)  # type: ignore[arg-type]
    assert isinstance(step, Success)
    assert step.username == username


PROOFLESS = "c={c},r={r}"


@pytest.mark.parametrize(
    ("first", "options", "condition"),
    [
        pytest.param("n,,n=juliet,r=abc", {"password": "pencils"}, "not-authorized", id="wrong password"),
        pytest.param("n,,n=nobody,r=abc", {"keys": None}, "not-authorized", id="unknown account"),
        pytest.param("n,,n=juliet,r=abc", {"keys": KEYS["sha1"]}, "not-authorized", id="no keys for this hash"),
        pytest.param("n,,n=juliet,r=abc", {"final": "c={c},r=other,p={p}"}, "not-authorized", id="other nonce"),
        pytest.param("n,,n=juliet,r=abc", {"final": "c={c},r={r}x,p={p}"}, "not-authorized", id="longer nonce"),
        pytest.param("n,,n=juliet,r=abc", {"final": "c={c},r=abc,p={p}"}, "not-authorized", id="own nonce alone"),
        pytest.param("n,,n=juliet,r=abc", {"final": "c=eSws,r={r},p={p}"}, "not-authorized", id="other gs2 header"),
        pytest.param("n,,n=juliet,r=abc", {"bound": b"more"}, "not-authorized", id="bound though it said n"),
        pytest.param("n,,n=juliet,r=abc", {"final": "c={c},r={r},p=AAAA"}, "not-authorized", id="short proof"),
        pytest.param("n,,n=juliet,r=abc", {"final": "c={c},r={r},p={p}AAAA"}, "malformed-request", id="broken base64"),
        pytest.param("n,,n=juliet,r=abc", {"final": "c={c},r={r},p=AAA"}, "malformed-request", id="no padding"),
        pytest.param("n,,n=juliet,r=abc", {"final": PROOFLESS}, "malformed-request", id="no proof"),
        pytest.param("n,,n=juliet,r=abc", {"final": "r={r},c={c},p={p}"}, "malformed-request", id="other order"),
        pytest.param("n,,n=juliet,r=abc", {"final": "c={c},r={r},m=x,p={p}"}, "malformed-request", id="m= at the end"),
        pytest.param("n,,n=juliet,r=abc", {"final": "m=x,c={c},r={r},p={p}"}, "malformed-request", id="m= before c"),
        pytest.param("n,,n=juliet,r=abc", {"final": "c={c},r={r},p={p},x=y"}, "malformed-request", id="after proof"),
        pytest.param("n,,n=juliet,r=abc", {"final": ""}, "malformed-request", id="empty"),
        pytest.param("y,,n=juliet,r=abc", {"bindings": BINDINGS}, "not-authorized", id="downgraded"),
        pytest.param(
            "p=tls-exporter,,n=juliet,r=abc",
            {"plus": True, "bindings": BINDINGS, "bound": b"of another connection"},
            "not-authorized",
            id="man in the middle",
        ),
        pytest.param(
            "p=tls-unique,,n=juliet,r=abc", {"plus": True, "bindings": BINDINGS}, "not-authorized", id="type unknown"
        ),
        pytest.param(
            "n,,n=juliet,r=abc", {"plus": True, "bindings": BINDINGS}, "malformed-request", id="-PLUS without p="
        ),
        pytest.param("y,,n=juliet,r=abc", {"plus": True, "bindings": BINDINGS}, "malformed-request", id="-PLUS with y"),
        pytest.param(
            "p=tls-exporter,,n=juliet,r=abc", {"bindings": BINDINGS}, "malformed-request", id="p= without -PLUS"
        ),
        pytest.param("n,a=romeo@capulet.example,n=juliet,r=abc", {}, "invalid-authzid", id="authzid of another"),
        pytest.param("n,a=juliet,n=juliet,r=abc", {}, "invalid-authzid", id="authzid without domain"),
        pytest.param("n,a=@,n=juliet,r=abc", {}, "invalid-authzid", id="authzid no JID"),
        pytest.param("n,,m=x,n=juliet,r=abc", {}, "malformed-request", id="m= reserved"),
        pytest.param("n,,n=juliet,r=abc,m=x", {}, "malformed-request", id="m= after the nonce"),
        pytest.param("n,,n=jul=iet,r=abc", {}, "malformed-request", id="bad escape"),
        pytest.param("n,,n=juliet=2c,r=abc", {}, "malformed-request", id="escape in lower case"),
        pytest.param("n,a=x=,n=juliet,r=abc", {}, "malformed-request", id="bad escape in authzid"),
        pytest.param("n,,n=,r=abc", {}, "malformed-request", id="no name"),
        pytest.param("n,,n=juliet,r=", {}, "malformed-request", id="no nonce"),
        pytest.param("n,,n=juliet,r=a b", {}, "malformed-request", id="space in the nonce"),
        pytest.param("n,,n=ju\0liet,r=abc", {}, "malformed-request", id="NUL"),
        pytest.param("n=juliet,r=abc", {}, "malformed-request", id="no gs2 header"),
        pytest.param("F,n,,n=juliet,r=abc", {}, "malformed-request", id="non-standard flag"),
        pytest.param("n,,r=abc,n=juliet", {}, "malformed-request", id="nonce first"),
        pytest.param("", {}, "malformed-request", id="nothing"),
        pytest.param("n,,n=ju@liet,r=abc", {}, "not-authorized", id="nobody's name"),
    ],
)
def test_these_exchanges_fail(first: str, options: dict[str, object], condition: str) -> None:
    with pytest.raises(SASLError) as caught:
        exchange(first, **options)  # type: ignore[arg-type]
    assert caught.value.condition == condition


def test_an_unknown_account_is_challenged_like_any_other() -> None:
    challenges = []
    for _ in range(2):
        scram = Scram(REALM, "sha256", False, NONCE, {})
        scram.respond(b"n,,n=nobody,r=abc")
        challenges.append(scram.credentials([]))
    assert challenges[0] == challenges[1]
    assert isinstance(challenges[0], Challenge)
    assert challenges[0].data.endswith(b",i=4096")


@pytest.mark.parametrize("password", ["pencil", "wrong"])
def test_there_is_one_attempt(password: str) -> None:
    client = ScramClient(["SCRAM-SHA-1"], "juliet", password)
    scram = Scram(REALM, "sha1", False, NONCE, {})
    first = client.get_client_first().encode()
    scram.respond(first)
    challenge = scram.credentials([KEYS["sha1"]])
    assert isinstance(challenge, Challenge)
    client.set_server_first(challenge.data.decode())
    final = client.get_client_final().encode()
    if password == "pencil":
        assert isinstance(scram.respond(final), Success)
    else:
        with pytest.raises(SASLError):
            scram.respond(final)
    for again in (final, first):
        with pytest.raises(SASLError) as caught:
            scram.respond(again)
        assert caught.value.condition == "malformed-request"


def test_a_client_that_does_not_wait_for_the_challenge_fails() -> None:
    scram = Scram(REALM, "sha1", False, NONCE, {})
    scram.respond(b"n,,n=juliet,r=abc")
    with pytest.raises(SASLError):
        scram.respond(f"c=biws,r=abc{NONCE},p=AAAA".encode())


def test_a_client_without_an_initial_response_is_asked_for_it() -> None:
    scram = Scram(REALM, "sha1", False, NONCE, {})
    assert scram.respond(None) == Challenge(b"")
    assert scram.respond(b"n,,n=juliet,r=abc") == NeedCredentials("juliet")


def test_a_proof_does_not_fit_another_nonce() -> None:
    """What was overheard once is worth nothing, since the server's part of the nonce is new each time."""
    client = ScramClient(["SCRAM-SHA-1"], "juliet", "pencil", c_nonce="abc")
    first = client.get_client_first().encode()
    overheard = Scram(REALM, "sha1", False, "one", {})
    overheard.respond(first)
    challenge = overheard.credentials([KEYS["sha1"]])
    assert isinstance(challenge, Challenge)
    client.set_server_first(challenge.data.decode())
    final = client.get_client_final()
    assert isinstance(overheard.respond(final.encode()), Success)
    for attempt in (final, final.replace("r=abcone", "r=abctwo")):
        replayed = Scram(REALM, "sha1", False, "two", {})
        replayed.respond(first)
        replayed.credentials([KEYS["sha1"]])
        with pytest.raises(SASLError) as caught:
            replayed.respond(attempt.encode())
        assert caught.value.condition == "not-authorized"


fields = st.lists(
    st.sampled_from(["n", "y", "p=tls-exporter", "", "a=x", "n=juliet", "r=abc", "m=x", "c=biws", "p=AAAA", "n==2C"])
    | st.text(max_size=5),
    max_size=7,
).map(lambda parts: ",".join(parts).encode("utf-8", "replace"))


@given(first=st.binary() | fields, final=st.binary() | fields, plus=st.booleans())
def test_arbitrary_bytes_raise_nothing_but_sasl_errors(first: bytes, final: bytes, plus: bool) -> None:
    scram = Scram(REALM, "sha256", plus, NONCE, BINDINGS if plus else {})
    try:
        assert isinstance(scram.respond(first), NeedCredentials)
        assert isinstance(scram.credentials([KEYS["sha256"]]), Challenge)
    except SASLError:
        return
    with pytest.raises(SASLError):
        scram.respond(final)
