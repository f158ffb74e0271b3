"""Making accounts on the wire (XEP-0077, XEP-0445)."""

from . import ns
from .wire import Client
from .world import World

FORM = f"<query xmlns='{ns.REGISTER}'/>"


def stranger(world: World, domain: str = "localhost") -> Client:
    """A stream on which nobody has authenticated."""
    client = Client(world.connect(), domain)
    client.open()
    return client


def register(username: str, password: str) -> str:
    """The request that makes an account, or gives it a new password."""
    inside = f"<username>{username}</username><password>{password}</password>"
    return f"<query xmlns='{ns.REGISTER}'>{inside}</query>"


def preauth(token: str) -> str:
    """The request that shows an invitation."""
    return f"<preauth xmlns='{ns.PARS}' token='{token}'/>"
