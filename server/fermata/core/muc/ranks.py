"""Roles and affiliations, and what each may do to the others (XEP-0045 §5)."""

from typing import Final, NamedTuple

# Each hierarchy, the lowest first: who has more may do all that who has less may do.
ROLES: Final = ("none", "visitor", "participant", "moderator")
AFFILIATIONS: Final = ("outcast", "none", "member", "admin", "owner")
_ROLE_RANKS: Final = {role: rank for rank, role in enumerate(ROLES)}
_AFFILIATION_RANKS: Final = {affiliation: rank for rank, affiliation in enumerate(AFFILIATIONS)}


class Affiliation(NamedTuple):
    """What binds a bare JID to the room over all visits; `nick` is reserved for it if not empty."""

    affiliation: str
    nick: str = ""
    reason: str = ""


NONE: Final = Affiliation("none")


def role_at_least(role: str, least: str) -> bool:
    """Whether a role has all the privileges of another (§5.1.1)."""
    return _ROLE_RANKS[role] >= _ROLE_RANKS[least]


def affiliation_at_least(affiliation: str, least: str) -> bool:
    """Whether an affiliation has all the privileges of another (§5.2.1)."""
    return _AFFILIATION_RANKS[affiliation] >= _AFFILIATION_RANKS[least]


def default_role(affiliation: str, moderated: bool) -> str:
    """The role with which somebody enters (§5.1.2)."""
    if affiliation_at_least(affiliation, "admin"):
        return "moderator"
    return "visitor" if moderated and affiliation == "none" else "participant"


def role_after(role: str, old: str, new: str, moderated: bool) -> str:
    """The role of an occupant whose affiliation changed: a rise never lowers it, a fall leads to the default."""
    default = default_role(new, moderated)
    if affiliation_at_least(new, old) and role_at_least(role, default):
        return role
    return default


def may_change_role(actor_role: str, actor: str, role: str, new: str, target: str) -> bool:
    """Whether an occupant may give the role `new` to one who has `role`; `actor` and `target` are affiliations.

    Admins and owners are moderators for good, and alone make others so (§8.4, §9.6, §9.7). Nobody is kicked by
    somebody of lower affiliation (§8.2), and a member's voice is not for an equal to take (§8.4).
    """
    if new == "none" and not affiliation_at_least(actor, target):
        return False
    if new != "none" and affiliation_at_least(target, "admin"):
        return False
    if "moderator" in (role, new) or (new, target) == ("visitor", "member"):
        return affiliation_at_least(actor, "admin")
    return actor_role == "moderator"


def may_change_affiliation(actor: str, old: str, new: str, own: bool) -> bool:
    """Whether who has the affiliation `actor` may change one from `old` to `new` (§5.2.2); `own` if it is his own.

    Owners may do everything; an admin may do what concerns neither admins nor owners, and step down.
    """
    if actor == "owner":
        return True
    if actor != "admin" or affiliation_at_least(new, "admin"):
        return False
    return own or not affiliation_at_least(old, "admin")
