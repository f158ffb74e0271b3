"""Programs from Debian run from the cache."""

import subprocess
from pathlib import Path

import pytest

from interop.peers import Peer, PeerError, unpack

pytestmark = pytest.mark.interop


def run(peer: Peer, home: Path, *command: str, **environment: str) -> str:
    done = subprocess.run(
        peer.command(*command),
        env={**peer.environment(home), **environment},
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    return done.stdout


def test_profanity_runs_from_the_cache(profanity: Peer, tmp_path: Path) -> None:
    assert run(profanity, tmp_path, "profanity", "--version").startswith("Profanity, version 0.")


def test_profanity_brings_its_libraries(profanity: Peer, tmp_path: Path) -> None:
    loaded = run(profanity, tmp_path, "profanity", LD_TRACE_LOADED_OBJECTS="1")
    (strophe,) = (line for line in loaded.splitlines() if "libstrophe" in line)
    assert f"=> {profanity.root}/" in strophe
    assert "not found" not in loaded


def test_what_is_in_the_cache_needs_no_apt(profanity: Peer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert unpack("profanity") == profanity


def test_a_machine_without_apt_is_told_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(PeerError, match="apt-get and dpkg"):
        unpack("profanity", tmp_path)


def test_a_package_has_the_programs_it_has(profanity: Peer) -> None:
    with pytest.raises(PeerError, match="no program prosody"):
        profanity.command("prosody")
