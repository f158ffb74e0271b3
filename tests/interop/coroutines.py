"""Tests that are coroutines, each in an event loop of its own: a conftest.py imports both of these."""

import asyncio
import inspect
from collections.abc import Iterator

import pytest

__all__ = ["pytest_pyfunc_call", "runner"]


@pytest.fixture
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as runner:
        yield runner


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Runs a test that is a coroutine in the event loop of its clients."""
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    runner = pyfuncitem.funcargs["runner"]
    arguments = {name: pyfuncitem.funcargs[name] for name in inspect.signature(pyfuncitem.obj).parameters}
    runner.run(pyfuncitem.obj(**arguments))
    return True
