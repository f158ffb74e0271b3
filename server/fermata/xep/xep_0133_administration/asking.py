"""Commands that ask once and then do something: nearly all there are."""

from collections.abc import Awaitable, Callable

from ...core.commands import Command, Done, Invocation, Perform, Stage
from ...xmpp import namespaces as ns
from ...xmpp.dataforms import Field, Form
from ...xmpp.jid import JID

Allows = Callable[[JID], bool]
Act = Callable[[Invocation, Form], Awaitable[Done]]


def asking(form: Form | Callable[[Invocation], Form], act: Act) -> Perform:
    """A command that asks with this form, or one made for the occasion, and acts on the answer."""

    async def perform(invocation: Invocation) -> Stage | Done:
        if not invocation.answers:
            return Stage(form if isinstance(form, Form) else form(invocation))
        return await act(invocation, invocation.answers[0])

    return perform


def admin_form(title: str, *fields: Field) -> Form:
    """A form of XEP-0133 to be filled in."""
    return Form("form", ns.ADMIN, fields, title)


def result(*fields: Field) -> Done:
    """What a command of XEP-0133 has found."""
    return Done(form=Form("result", ns.ADMIN, fields))


def admin_command(name: str, title: str, perform: Perform, allows: Allows) -> Command:
    """A command of XEP-0133; `name` is what follows the `#` of its node."""
    return Command(f"{ns.ADMIN}#{name}", title, perform, allows)
