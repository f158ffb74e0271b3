"""Whether a server can start again by itself."""

import pytest

from fermata.app.again import check_can_start_again
from fermata.app.errors import CommandError


def test_who_was_given_sockets_cannot_start_again_by_himself() -> None:
    with pytest.raises(CommandError, match="systemctl restart"):
        check_can_start_again({"LISTEN_FDS": "2"})


def test_everybody_else_can_start_again_by_himself() -> None:
    check_can_start_again({"NOTIFY_SOCKET": "/run/notify"})
