"""XEP-0401: Ad-hoc Account Invitation Generation: the commands that make invitations.

How a guest makes an account with one is a matter of the stream (XEP-0445): see `core.c2s_registration`.
"""

from typing import Final

from ..core.commands import Command, CommandTable, Done, Invocation, Stage
from ..host.extension import Host, extension
from ..services.invitations import Invitations, Ticket
from ..services.registration import Registration
from ..xmpp import namespaces as ns
from ..xmpp.dataforms import Field, Form
from ..xmpp.jid import JID
from ..xmpp.stamps import text_of

_INVITE: Final = ns.INVITE + "#invite"
_CREATE: Final = ns.INVITE + "#create-account"
_FORM: Final = Form(
    "form",
    _CREATE,
    (
        Field.text_single("username", label="Username; empty to let the guest choose"),
        Field.boolean("roster-subscription", True, "The guest becomes a contact of yours"),
    ),
    "Invite somebody to make an account",
)


@extension(xep=401, version="0.6.0")
def invitations(host: Host) -> None:
    """Lets accounts here invite contacts; who may invite people to make an account is configured."""
    made = _Invitations(host)
    table = host.services[CommandTable]
    table.add(Command(_INVITE, "Invite somebody to be your contact", made.invite, made.is_local))
    if host.services[Registration].terms.by_invitation:
        table.add(Command(_CREATE, "Invite somebody to make an account", made.create_account, made.lets_in))


class _Invitations:
    def __init__(self, host: Host) -> None:
        self._invitations, self._registration = host.services[Invitations], host.services[Registration]
        self._domains, self._admins = frozenset(host.domains), frozenset(host.admins)

    def is_local(self, jid: JID) -> bool:
        return jid.domain in self._domains

    def lets_in(self, jid: JID) -> bool:
        return jid.bare in self._admins or (self._registration.users_may_invite and self.is_local(jid))

    async def invite(self, invocation: Invocation) -> Done:
        inviter = invocation.sender.bare
        makes_account = self._registration.terms.by_invitation and self.lets_in(inviter)
        return _result(await self._invitations.to_befriend(inviter, makes_account))

    async def create_account(self, invocation: Invocation) -> Stage | Done:
        if not invocation.answers:
            return Stage(_FORM)
        form = invocation.answers[0]
        befriends = form.boolean("roster-subscription", False)
        inviter = invocation.sender.bare if befriends else None
        localpart = form.text("username", "").strip()
        return _result(await self._invitations.to_register(invocation.domain, inviter, localpart))


def _result(ticket: Ticket) -> Done:
    fields = [Field.text_single("uri", ticket.uri, "Invitation")]
    if ticket.expires:
        fields.append(Field.text_single("expire", text_of(ticket.expires), "Good until"))
    return Done(form=Form("result", ns.INVITE + "#invitation", tuple(fields)))
