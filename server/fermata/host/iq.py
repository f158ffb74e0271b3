"""Who answers which iq request: a table, filled at start; two answers to one question are an error then."""

import logging
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from enum import Enum
from typing import Any

from ..core.records import Step
from ..xmpp.element import Element
from ..xmpp.errors import StanzaError
from ..xmpp.jid import JID
from ..xmpp.payload import payload_of
from ..xmpp.stanza import answerable, error_of, result_of
from .accounts import Account
from .origin import Origin
from .residents import Spawn
from .stores import Writer
from .trail import NoPromises, Promises

_log = logging.getLogger(__name__)


class Addressee(Enum):
    """On whose behalf the server answers."""

    SERVER = "the server's domain"
    SELF = "the sender's own account"
    ACCOUNT = "the account of somebody else"


@dataclass(frozen=True, slots=True)
class Request:
    """One iq request: who asks whom for what; `account` is whose account is addressed (None for the server)."""

    iq: Element
    payload: Element
    sender: JID
    to: JID
    account: Account | None
    origin: Origin

    @property
    def owner(self) -> Account:
        """The account that is addressed. Raises StanzaError `item-not-found` where it is the server."""
        if self.account is None:
            raise StanzaError("item-not-found")
        return self.account


@dataclass(frozen=True, slots=True)
class Answer:
    """A result that waits until the step's records are durable, and what is to be done right after it.

    The step is submitted with the request that caused it, unless it has been already.
    """

    payload: Element | None = None
    step: Step | None = None
    then: Callable[[], None] | None = None


Reply = Answer | Element | None
Responder = Callable[[Request], Reply | Awaitable[Reply]]


class IQTable:
    """Requests by addressee, type and payload name."""

    def __init__(self, spawn: Spawn, writer: Writer) -> None:
        self._responders: dict[tuple[Addressee, str, str], Responder] = {}
        self._spawn, self._writer = spawn, writer
        self.promises: Promises = NoPromises()  #: told of results that wait until something is kept

    def on(self, addressee: Addressee, type: str, tag: str, responder: Responder) -> None:
        """`responder` answers requests of that type with a payload of that Clark name. Raises ValueError if taken.

        It returns what the result carries, or a coroutine of it, and raises StanzaError to refuse.
        """
        key = (addressee, type, tag)
        if key in self._responders:
            raise ValueError(f"two answers to {type} {tag} for {addressee.value}")
        self._responders[key] = responder

    def answer(self, addressee: Addressee, request: Request) -> None:
        """Answers a request. Raises StanzaError `service-unavailable` where nobody does (RFC 6120 §8.2.3)."""
        responder = self._responders.get((addressee, request.iq.get("type", ""), request.payload.tag))
        if responder is None:
            raise StanzaError("service-unavailable")
        reply = responder(request)
        if isinstance(reply, Coroutine):
            self._spawn(self._later(reply, request, request.origin.hold()))
        else:
            self._settle(reply, request)  # type: ignore[arg-type]

    async def _later(self, reply: "Coroutine[Any, Any, Reply]", request: Request, settled: Callable[[], None]) -> None:
        try:
            self._settle(await reply, request)
        except StanzaError as error:
            request.origin.refuse(request.iq, error)
        except Exception:
            _log.exception("an iq of %s from %s failed", request.payload.tag, request.sender)
            request.origin.refuse(request.iq, StanzaError("internal-server-error"))
        finally:
            settled()

    def _settle(self, reply: Reply, request: Request) -> None:
        answer = reply if isinstance(reply, Answer) else Answer(reply)
        step = answer.step
        if step is not None and not step.ticket:
            step.stanza = request.iq
            self._writer.submit(step)
        result = result_of(request.iq, answer.payload)
        ticket = 0 if step is None else step.ticket
        if step is not None:
            self.promises.to_each(step, payload_of(result), (request.sender,))
        request.origin.emit(ticket, step, _send_back, request.origin, result, answer.then)


def _send_back(origin: Origin, result: Element, then: Callable[[], None] | None) -> None:
    origin.answer(result)
    if then is not None:
        then()


def refusal(stanza: Element, error: StanzaError) -> Element | None:
    """The error that answers a stanza, or None where none may (RFC 6120 §8.3.1)."""
    return error_of(stanza, error) if answerable(stanza) else None
