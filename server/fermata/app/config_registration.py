"""The table [registration] of the configuration: who may make an account, and who may invite others to."""

from dataclasses import dataclass

from ..core.c2s_registration import Terms
from . import config_values as values
from .config_setting import setting


@dataclass(frozen=True)
class Registration:
    """Accounts that people make for themselves."""

    open: bool = setting(
        False,
        values.flag,
        "Anybody may make an account (XEP-0077). A server that lets strangers in has to watch what they do.",
    )
    per_address_per_hour: int = setting(
        5, values.limit(), "Accounts from one IP address; five failed attempts count as one. 0 is no limit."
    )
    invitations: bool = setting(
        True,
        values.flag,
        "Whoever is invited may make an account (XEP-0401): `fermata invite`, or a command of the administrators'"
        " clients. Each invitation works once.",
    )
    users_may_invite: bool = setting(
        False, values.flag, "Every user may invite people to make an account, not just administrators."
    )
    invitation_days: int = setting(7, values.limit(), "How long an invitation is good; 0 is for good.")

    def terms(self) -> Terms:
        """What a client's stream must know of it."""
        return Terms(self.open, self.invitations)
