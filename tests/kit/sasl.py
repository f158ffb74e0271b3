"""What tests of authentication share."""

from kit.people import PASSWORD
from kit.wire import Client


def attributes(challenge: bytes) -> dict[str, str]:
    return dict(part.split("=", 1) for part in challenge.decode().split(","))


def failed(client: Client) -> str:
    """The condition of the failure that comes next."""
    failure = client.expect("sasl:failure")
    return next(child.tag.split("}")[1] for child in failure if not child.tag.endswith("}text"))


def still_works(client: Client, user: str) -> None:
    """After a failure, one may try again on the same stream (RFC 6120 §6.4.5)."""
    client.authenticate(user, PASSWORD)
    client.bind()
