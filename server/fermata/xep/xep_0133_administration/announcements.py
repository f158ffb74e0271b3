"""Commands that tell everybody something, or stop the server (XEP-0133 §4.23 to §4.30).

There is none for restarting: what supervises the process does that, for it alone knows how it was started.
"""

from collections.abc import Iterable
from typing import Final

from ...core.commands import Command, Done, Invocation
from ...host.extension import Host
from ...services.announcements import Announcements
from ...services.shutting_down import ShuttingDown
from ...xmpp.dataforms import Field, Form
from .asking import Allows, admin_command, admin_form, asking

_ANNOUNCEMENT: Final = Field.text_multi("announcement", label="What to tell")
_DELAYS: Final = {"0": "now", "60": "1 minute", "300": "5 minutes", "900": "15 minutes", "3600": "1 hour"}
_TIMES: Final = {"0": "not known", "600": "10 minutes", "3600": "1 hour", "7200": "2 hours", "28800": "8 hours"}
_SECONDS_MAX: Final = 7 * 86_400


def commands(host: Host, is_admin: Allows) -> Iterable[Command]:
    """The commands, for those who may execute them."""
    said = _Said(host)
    for name, title, perform in (
        ("announce", "Tell everybody who is online", asking(_TELL, said.announce)),
        ("set-motd", "Set the message of the day", asking(_motd_form(""), said.set_motd)),
        ("edit-motd", "Edit the message of the day", asking(said.present_motd, said.edit_motd)),
        ("delete-motd", "Delete the message of the day", said.delete_motd),
        ("restart", "Start the server again", asking(_RESTART, said.restart)),
        ("shutdown", "Shut the server down", asking(_SHUTDOWN, said.shut_down)),
    ):
        yield admin_command(name, title, perform, is_admin)


_TELL: Final = admin_form(
    "Announcement", _ANNOUNCEMENT, Field.boolean("all", False, "Keep it for those who are not online")
)
_TIME: Final = Field.list_single("delay", "0", _DELAYS, "Time until then")
_RESTART: Final = admin_form("Start the server again", _TIME, _ANNOUNCEMENT)
_AWAY: Final = Field.list_single("away", "0", _TIMES, "How long it will be away")
_SHUTDOWN: Final = admin_form("Shut the server down", _TIME, _ANNOUNCEMENT, _AWAY)


def _motd_form(text: str) -> Form:
    return admin_form("Message of the day", Field.text_multi("motd", text, "What each account is told once"))


class _Said:
    def __init__(self, host: Host) -> None:
        self._announcements, self._ending = host.services[Announcements], host.services[ShuttingDown]

    async def announce(self, invocation: Invocation, form: Form) -> Done:
        text, to_all = form.lines("announcement"), form.boolean("all", False)
        return Done(f"Told to {await self._announcements.announce(invocation.domain, text, to_all)}")

    def present_motd(self, invocation: Invocation) -> Form:
        return _motd_form(self._announcements.of_the_day(invocation.domain))

    async def set_motd(self, invocation: Invocation, form: Form) -> Done:
        await self._announcements.set_of_the_day(invocation.domain, form.lines("motd"))
        return Done("The message of the day is set")

    async def edit_motd(self, invocation: Invocation, form: Form) -> Done:
        await self._announcements.edit_of_the_day(invocation.domain, form.lines("motd"))
        return Done("The message of the day is changed")

    async def delete_motd(self, invocation: Invocation) -> Done:
        await self._announcements.delete_of_the_day(invocation.domain)
        return Done("The message of the day is deleted")

    async def shut_down(self, invocation: Invocation, form: Form) -> Done:
        """With anything to tell, everybody is put out of the rooms, and called back when the server starts again."""
        delay, away = (form.number(var, 0, highest=_SECONDS_MAX) for var in ("delay", "away"))
        await self._ending.begin(float(delay), form.lines("announcement", ""), away_seconds=float(away))
        return Done(f"The server stops in {delay} seconds")

    async def restart(self, invocation: Invocation, form: Form) -> Done:
        delay = form.number("delay", 0, highest=_SECONDS_MAX)
        await self._ending.begin(float(delay), form.lines("announcement", ""), restarts=True)
        return Done(f"The server starts again in {delay} seconds")
