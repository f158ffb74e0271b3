"""What `[http]` answers: `/metrics` and `/health`."""

import json
from collections.abc import Callable, Iterable
from typing import Any

from twisted.web.http import Request
from twisted.web.resource import Resource
from twisted.web.server import Site

from .exposition import CONTENT_TYPE, Metric, exposition


class Metrics(Resource):
    """`/metrics`: the figures, gathered anew for each request."""

    isLeaf = True  # noqa: N815

    def __init__(self, metrics: Iterable[Metric]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._metrics = metrics

    def render_GET(self, request: Request) -> bytes:  # noqa: N802
        """See Resource."""
        request.setHeader(b"content-type", CONTENT_TYPE)
        return exposition(self._metrics).encode("utf-8")


class HealthReport(Resource):
    """`/health`: 200 if all is well, else 503; the body says what is wrong."""

    isLeaf = True  # noqa: N815

    def __init__(self, trouble: Callable[[], str]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._trouble = trouble

    def render_GET(self, request: Request) -> bytes:  # noqa: N802
        """See Resource."""
        trouble = self._trouble()
        request.setResponseCode(503 if trouble else 200)
        request.setHeader(b"content-type", b"application/json")
        request.setHeader(b"cache-control", b"no-store")
        report = {"status": "trouble", "reason": trouble} if trouble else {"status": "ok"}
        return json.dumps(report).encode("utf-8") + b"\n"


class QuietSite(Site):
    """Keeps no record of who asked for what."""

    noisy = False

    def log(self, request: Any) -> None:
        """See HTTPFactory."""


def site(metrics: Iterable[Metric], trouble: Callable[[], str]) -> QuietSite:
    """All of it."""
    root = Resource()
    root.putChild(b"metrics", Metrics(metrics))
    root.putChild(b"health", HealthReport(trouble))
    return QuietSite(root)  # type: ignore[no-untyped-call]
