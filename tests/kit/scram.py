"""The client's side of SCRAM (RFC 5802), in steps, so that a test can send each of them wrong."""

import base64
import hashlib
import hmac
import secrets


class Scram:
    """One exchange. `binding` is (type, octets) for a -PLUS mechanism; `flag` is the gs2 flag without one."""

    def __init__(
        self,
        mechanism: str,
        user: str,
        password: str,
        binding: tuple[str, bytes] | None = None,
        flag: str = "n",
        authzid: str = "",
    ) -> None:
        self.hash = {"SCRAM-SHA-1": "sha1", "SCRAM-SHA-256": "sha256"}[mechanism.removesuffix("-PLUS")]
        self.password = password
        kind = f"p={binding[0]}" if binding else flag
        self.gs2 = f"{kind},{'a=' + authzid if authzid else ''},"
        self.binding = binding[1] if binding else b""
        self.nonce = secrets.token_urlsafe(18)
        self.bare = f"n={user.replace('=', '=3D').replace(',', '=2C')},r={self.nonce}"
        self.iterations = 0
        self.verifier = b""

    def first(self) -> bytes:
        """The client's first message."""
        return (self.gs2 + self.bare).encode()

    def final(self, challenge: bytes, nonce: str | None = None, header: str | None = None) -> bytes:
        """The client's last message; `nonce` and `header` replace what belongs there."""
        attributes = dict(part.split("=", 1) for part in challenge.decode().split(","))
        assert attributes["r"].startswith(self.nonce), "the server's nonce does not begin with ours"
        assert len(attributes["r"]) > len(self.nonce), "the server added nothing to the nonce"
        self.iterations = int(attributes["i"])
        salt = base64.b64decode(attributes["s"])
        bound = base64.b64encode((self.gs2 if header is None else header).encode() + self.binding).decode()
        without_proof = f"c={bound},r={attributes['r'] if nonce is None else nonce}"
        message = ",".join([self.bare, challenge.decode(), without_proof]).encode()
        salted = hashlib.pbkdf2_hmac(self.hash, self.password.encode(), salt, self.iterations)
        client_key = self._mac(salted, b"Client Key")
        signature = self._mac(hashlib.new(self.hash, client_key).digest(), message)
        proof = bytes(a ^ b for a, b in zip(client_key, signature, strict=True))
        self.verifier = b"v=" + base64.b64encode(self._mac(self._mac(salted, b"Server Key"), message))
        return f"{without_proof},p={base64.b64encode(proof).decode()}".encode()

    def _mac(self, key: bytes, message: bytes) -> bytes:
        return hmac.digest(key, message, self.hash)
