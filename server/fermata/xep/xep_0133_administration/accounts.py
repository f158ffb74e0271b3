"""Commands about accounts and their sessions (XEP-0133 §4.1 to §4.20)."""

from collections.abc import Awaitable, Callable, Iterable
from typing import Final

from ...core.commands import Command, Done, Invocation, Perform
from ...host.extension import Host
from ...services.users import Users
from ...xmpp.dataforms import Field, Form
from ...xmpp.errors import StanzaError
from ...xmpp.jid import JID
from .asking import Allows, admin_command, admin_form, asking, result

_MOST: Final = 1_000  #: addresses in one list


def commands(host: Host, is_admin: Allows) -> Iterable[Command]:
    """The commands, for those who may execute them."""
    users = host.services[Users]
    made = _Accounts(users)
    each = "end their sessions"
    for name, title, perform in (
        ("add-user", "Add an account", asking(_PASSWORD_FORM, made.add)),
        ("delete-user", "Delete accounts", _for_each("Delete accounts", users.remove, "deleted")),
        ("disable-user", f"Disable accounts and {each}", _for_each("Disable accounts", users.disable, "disabled")),
        ("reenable-user", "Re-enable accounts", _for_each("Re-enable accounts", users.enable, "enabled")),
        ("end-user-session", "End sessions", _for_each("End sessions", made.end, "logged out", full=True)),
        ("change-user-password", "Change a password", asking(_NEW_PASSWORD_FORM, made.set_password)),
        ("get-registered-users-num", "How many accounts there are", _count("registeredusersnum", made.registered)),
        ("get-disabled-users-num", "How many are disabled", _count("disabledusersnum", made.disabled)),
        ("get-online-users-num", "How many are online", _count("onlineusersnum", made.online)),
        ("get-registered-users-list", "List the accounts", _list("registereduserjids", made.registered)),
        ("get-disabled-users-list", "List the disabled accounts", _list("disableduserjids", made.disabled)),
        ("get-online-users-list", "List who is online", _list("onlineuserjids", made.online)),
    ):
        yield admin_command(name, title, perform, is_admin)


_ACCOUNT: Final = Field("jid-single", "accountjid", label="Address", required=True)
_PASSWORD: Final = Field.text_private("password", label="Password", required=True)
_PASSWORD_FORM: Final = admin_form(
    "Add an account", _ACCOUNT, _PASSWORD, Field.text_private("password-verify", label="The same again", required=True)
)
_NEW_PASSWORD_FORM: Final = admin_form("Change a password", _ACCOUNT, _PASSWORD)

_Names = Callable[[str], Awaitable[list[str]]]


class _Accounts:
    def __init__(self, users: Users) -> None:
        self._users = users
        self.registered, self.disabled = users.registered, users.disabled

    async def online(self, domain: str) -> list[str]:
        return self._users.online(domain)

    async def add(self, invocation: Invocation, form: Form) -> Done:
        jid, password = _account(form), form.text("password")
        if form.text("password-verify", password) != password:
            raise StanzaError("not-acceptable", "the two passwords are not the same")
        await self._users.add(jid, password)
        return Done(f"{jid} is ready to log in")

    async def set_password(self, invocation: Invocation, form: Form) -> Done:
        jid = _account(form)
        await self._users.set_password(jid, form.text("password"))
        return Done(f"{jid} has a new password")

    async def end(self, jid: JID) -> None:
        if not self._users.end_sessions(jid):
            raise StanzaError("item-not-found", f"{jid} has no session")


def _account(form: Form) -> JID:
    jids = form.jids("accountjid")
    if len(jids) != 1 or not jids[0].local or jids[0].resource:
        raise StanzaError("not-acceptable", "accountjid should be the address of one account")
    return jids[0]


def _for_each(title: str, act: Callable[[JID], Awaitable[None]], done: str, full: bool = False) -> Perform:
    """Does something to each of some accounts or, with `full`, also sessions; tells what went wrong with which."""

    async def act_on_all(invocation: Invocation, form: Form) -> Done:
        jids = form.jids("accountjids")
        if not jids or not all(jid.local and (full or not jid.resource) for jid in jids):
            raise StanzaError("not-acceptable", "accountjids should be addresses of accounts")
        trouble = []
        for jid in jids:
            try:
                await act(jid)
            except StanzaError as error:
                trouble.append(error.text or f"{jid}: {error.condition}")
        if not trouble:
            return Done(f"{', '.join(jids)}: {done}")
        if len(jids) == len(trouble) == 1:
            raise StanzaError("item-not-found", trouble[0])
        return Done("\n".join(trouble), kind="warn")

    return asking(admin_form(title, Field("jid-multi", "accountjids", label="Addresses", required=True)), act_on_all)


def _count(var: str, names: _Names) -> Perform:
    async def perform(invocation: Invocation) -> Done:
        return result(Field.text_single(var, str(len(await names(invocation.domain)))))

    return perform


def _list(var: str, names: _Names) -> Perform:
    async def perform(invocation: Invocation) -> Done:
        found = await names(invocation.domain)
        listed = result(Field.jid_multi(var, found[:_MOST]))
        return listed if len(found) <= _MOST else listed._replace(note=f"the first {_MOST} of {len(found)}")

    return perform
