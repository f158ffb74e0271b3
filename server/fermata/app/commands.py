"""What the command line can have done: by the running server over its control socket, or in a stopped one's database.

Names and arguments are those of the control socket; results are what JSON can say.
"""

from collections.abc import Awaitable, Callable
from typing import Any

from ..host.services import Services
from ..services.announcements import Announcements
from ..services.invitations import Invitations
from ..services.registration import Registration
from ..services.reports import Reports
from ..services.room_administration import RoomAdministration
from ..services.shutting_down import ShuttingDown
from ..services.standins import StandIns
from ..services.users import Users
from ..xmpp.errors import StanzaError
from ..xmpp.jid import JID
from .control import Commands


def stored_commands(services: Services) -> Commands:
    """What needs no running server."""
    return {
        **_user_commands(services[Users]),
        **_room_commands(services[RoomAdministration]),
        **_motd_commands(services[Announcements]),
        **_guest_commands(services[Invitations], services[Registration]),
        **_report_commands(services[Reports]),
    }


def running_commands(services: Services) -> Commands:
    """All of that, and what needs one."""
    users, announcements = services[Users], services[Announcements]
    return {
        **stored_commands(services),
        "session-list": lambda: [figures._asdict() for figures in users.sessions()],
        "session-end": lambda jid: users.end_sessions(JID.parse(jid)),
        "stop": lambda delay, text, away=0.0: services[ShuttingDown].begin(delay, text, away_seconds=away),
        "restart": lambda delay, text: services[ShuttingDown].begin(delay, text, restarts=True),
        "account-rooms": lambda jid: [figures._asdict() for figures in services[StandIns].figures(JID.parse(jid))],
        "announce": lambda domain, text, to_all: announcements.announce(domain, text, to_all),
    }


def _user_commands(users: Users) -> Commands:
    def with_jid(act: Callable[[JID], Awaitable[Any]]) -> Callable[[str], Awaitable[Any]]:
        return lambda jid: act(JID.parse(jid))

    def with_password(act: Callable[[JID, str], Awaitable[None]]) -> Callable[[str, str], Awaitable[None]]:
        return lambda jid, password: act(JID.parse(jid), password)

    async def user_list(domain: str, is_disabled: bool = False) -> list[str]:
        return await (users.disabled(domain) if is_disabled else users.registered(domain))

    return {
        "user-add": with_password(users.add),
        "user-passwd": with_password(users.set_password),
        "user-remove": with_jid(users.remove),
        "user-disable": with_jid(users.disable),
        "user-enable": with_jid(users.enable),
        "user-exists": with_jid(users.exists),
        "user-list": user_list,
    }


def _room_commands(rooms: RoomAdministration) -> Commands:
    async def room_list(domain: str = "") -> list[dict[str, Any]]:
        return [figures._asdict() for figures in await rooms.rooms(domain)]

    async def room_occupants(room: str) -> list[dict[str, Any]]:
        return [figures._asdict() for figures in await rooms.occupants(JID.parse(room))]

    async def room_story(room: str, user: str = "") -> list[dict[str, Any]]:
        return [line._asdict() for line in await rooms.story(JID.parse(room), JID.parse(user) if user else None)]

    return {
        "room-list": room_list,
        "room-occupants": room_occupants,
        "room-story": room_story,
        "room-destroy": lambda room, reason="": rooms.destroy(JID.parse(room), reason),
    }


def _motd_commands(announcements: Announcements) -> Commands:
    return {
        "motd": announcements.of_the_day,
        "motd-set": announcements.set_of_the_day,
        "motd-edit": announcements.edit_of_the_day,
        "motd-delete": announcements.delete_of_the_day,
    }


def _guest_commands(invitations: Invitations, registration: Registration) -> Commands:
    async def invite(
        domain: str, localpart: str = "", inviter: str | None = None, days: int | None = None
    ) -> dict[str, Any]:
        if not registration.terms.by_invitation:
            raise StanzaError("not-allowed", "invitations are switched off in [registration]")
        host = JID.parse(inviter) if inviter else None
        return (await invitations.to_register(domain, host, localpart, days))._asdict()

    return {"invite": invite}


def _report_commands(reports: Reports) -> Commands:
    async def report_list(domain: str) -> list[dict[str, Any]]:
        return [{"number": number, **report._asdict()} for number, report in (await reports.of(domain)).items()]

    return {"report-list": report_list, "report-dismiss": reports.dismiss}
