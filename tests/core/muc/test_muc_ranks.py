"""Who may do what to whom: the tables of XEP-0045 §5, every cell."""

from itertools import product

import pytest

from fermata.core.muc.ranks import (
    AFFILIATIONS,
    ROLES,
    affiliation_at_least,
    default_role,
    may_change_affiliation,
    may_change_role,
    role_after,
    role_at_least,
)


def test_each_hierarchy_is_one():
    for ranks, at_least in ((ROLES, role_at_least), (AFFILIATIONS, affiliation_at_least)):
        for (i, one), (j, other) in product(enumerate(ranks), repeat=2):
            assert at_least(one, other) == (i >= j)


@pytest.mark.parametrize(
    ("affiliation", "moderated", "unmoderated"),
    [
        ("none", "visitor", "participant"),
        ("member", "participant", "participant"),
        ("admin", "moderator", "moderator"),
        ("owner", "moderator", "moderator"),
    ],
)
def test_a_role_follows_from_affiliation_and_moderation(affiliation, moderated, unmoderated):
    assert default_role(affiliation, True) == moderated
    assert default_role(affiliation, False) == unmoderated


@pytest.mark.parametrize(
    ("role", "old", "new", "moderated", "expected"),
    [
        ("visitor", "none", "member", True, "participant"),
        ("moderator", "none", "member", True, "moderator"),
        ("participant", "none", "admin", False, "moderator"),
        ("visitor", "member", "owner", True, "moderator"),
        ("moderator", "admin", "owner", False, "moderator"),
        ("moderator", "owner", "admin", False, "moderator"),
        ("moderator", "admin", "member", False, "participant"),
        ("moderator", "owner", "none", True, "visitor"),
        ("participant", "member", "none", True, "visitor"),
        ("participant", "member", "none", False, "participant"),
    ],
)
def test_a_role_follows_the_affiliation(role, old, new, moderated, expected):
    assert role_after(role, old, new, moderated) == expected


# For each change of role: the least affiliation that a moderator needs for it, by the affiliation of who is changed.
# "-" stands for nobody.
ROLE_CHANGES = {
    ("visitor", "none"): {"none": "none", "member": "member", "admin": "admin", "owner": "owner"},  # §8.2 kick
    ("participant", "none"): {"none": "none", "member": "member", "admin": "admin", "owner": "owner"},
    ("moderator", "none"): {"none": "admin", "member": "admin", "admin": "admin", "owner": "owner"},
    ("visitor", "participant"): {"none": "none", "member": "none", "admin": "-", "owner": "-"},  # §8.3 grant voice
    ("participant", "visitor"): {"none": "none", "member": "admin", "admin": "-", "owner": "-"},  # §8.4 revoke voice
    ("visitor", "moderator"): {"none": "admin", "member": "admin", "admin": "-", "owner": "-"},  # §9.6 grant moderator
    ("participant", "moderator"): {"none": "admin", "member": "admin", "admin": "-", "owner": "-"},
    ("moderator", "participant"): {"none": "admin", "member": "admin", "admin": "-", "owner": "-"},  # §9.7 revoke it
    ("moderator", "visitor"): {"none": "admin", "member": "admin", "admin": "-", "owner": "-"},
}


@pytest.mark.parametrize(("change", "least"), ROLE_CHANGES.items())
def test_who_may_change_a_role(change, least):
    for target, actor in product(least, ("none", "member", "admin", "owner")):
        allowed = least[target] != "-" and affiliation_at_least(actor, least[target])
        assert may_change_role("moderator", actor, *change, target) == allowed, (target, actor)


@pytest.mark.parametrize(("change", "least"), ROLE_CHANGES.items())
def test_who_is_no_moderator_may_change_no_role(change, least):
    for target, role in product(least, ("none", "visitor", "participant")):
        assert not may_change_role(role, "none", *change, target)


def test_who_may_change_an_affiliation():
    for old, new in product(AFFILIATIONS, repeat=2):
        above = {"admin", "owner"} & {old, new}
        assert may_change_affiliation("owner", old, new, own=False)
        assert may_change_affiliation("admin", old, new, own=False) == (not above)
        for actor in ("outcast", "none", "member"):
            assert not may_change_affiliation(actor, old, new, own=False)


def test_an_admin_may_step_down():
    assert may_change_affiliation("admin", "admin", "member", own=True)
    assert not may_change_affiliation("admin", "admin", "owner", own=True)
