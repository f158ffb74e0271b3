"""A room's configuration (XEP-0045 §10.2) as a value, and as the JSON in which it is kept."""

from dataclasses import dataclass
from typing import Final, Self

from .. import config_json

MOST_HISTORY: Final = 200
OCCUPANT_ROLES: Final = ("moderator", "participant", "visitor")
WHOIS: Final = ("moderators", "anyone")
ALLOW_PM: Final = ("anyone", "participants", "moderators", "none")


@dataclass(frozen=True, slots=True)
class Config:
    """How a room is set up; each name is that of its form field without the prefix.

    `maxusers` 0 means no limit. `getmemberlist` names the roles that may get the lists beside those who always may.
    """

    roomname: str = ""
    roomdesc: str = ""
    lang: str = ""
    persistentroom: bool = True
    publicroom: bool = False
    membersonly: bool = False
    moderatedroom: bool = False
    passwordprotectedroom: bool = False
    roomsecret: str = ""
    whois: str = "moderators"
    changesubject: bool = False
    allowinvites: bool = True
    allowpm: str = "anyone"
    presencebroadcast: tuple[str, ...] = OCCUPANT_ROLES
    getmemberlist: tuple[str, ...] = ()
    maxusers: int = 0
    enablelogging: bool = False
    registration: bool = True
    reservednick: bool = False
    maxhistoryfetch: int = 50

    @property
    def nonanonymous(self) -> bool:
        """Whether everyone may see real JIDs."""
        return self.whois == "anyone"

    def json(self) -> str:
        """The configuration as text."""
        return config_json.written(self)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The configuration that `json` wrote; what it does not name has its default, what is unknown is left out."""
        return config_json.read(cls, text)
