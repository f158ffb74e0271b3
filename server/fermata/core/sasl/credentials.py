"""What an account's password is kept as (RFC 5802 §3), and how a password is compared with it."""

import hashlib
import hmac
from typing import Final, NamedTuple

from ...xmpp.stringprep import opaque_string, saslprep

HASHES: Final = ("sha256", "sha1")  #: the hashes that keys are kept for, strongest first
SALT_BYTES: Final = 16  #: how long a new account's salt is; that of an unknown one must not differ


class ScramKeys(NamedTuple):
    """Keys of one account for one hash (`sha1` or `sha256`); the password cannot be had from them."""

    hash: str
    salt: bytes
    iterations: int
    stored_key: bytes
    server_key: bytes


def prepare_password(password: str) -> str:
    """The password by SASLprep (RFC 4013); where that refuses it, by OpaqueString (RFC 8265 §4.2).

    Raises ValueError if both refuse it or nothing is left.
    """
    if password.isascii() and password.isprintable() and password:
        return password
    try:
        prepared = saslprep(password)
    except ValueError:
        prepared = opaque_string(password)
    if not prepared:
        raise ValueError("the password is empty")
    return prepared


def derive_keys(password: str, hash: str, salt: bytes, iterations: int) -> ScramKeys:
    """The keys of a password (RFC 5802 §3): milliseconds of work. Raises ValueError for what no password can be."""
    salted = hashlib.pbkdf2_hmac(hash, prepare_password(password).encode(), salt, iterations)
    client_key = hmac.digest(salted, b"Client Key", hash)
    stored_key = hashlib.new(hash, client_key).digest()
    return ScramKeys(hash, salt, iterations, stored_key, hmac.digest(salted, b"Server Key", hash))


def fake_keys(secret: bytes, username: str, hash: str, iterations: int) -> ScramKeys:
    """Keys for an account that does not exist: always the same for one name, and no password has them.

    `secret` must be the server's own and stay the same, or the salts tell which accounts exist.
    """

    def derived(purpose: str) -> bytes:
        return hmac.digest(secret, f"{purpose} {hash} {username}".encode(), hash)

    return ScramKeys(hash, derived("salt")[:SALT_BYTES], iterations, derived("stored"), derived("server"))


def verify_password(keys: ScramKeys, password: str) -> bool:
    """Whether it is the password behind these keys: milliseconds of work, no shared state, so fit for a thread."""
    try:
        derived = derive_keys(password, keys.hash, keys.salt, keys.iterations)
    except ValueError:
        return False
    return hmac.compare_digest(derived.stored_key, keys.stored_key)
