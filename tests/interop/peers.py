"""Real clients and servers for the tests: Debian packages, unpacked into a cache.

`apt-get download` and `dpkg -x` need no root and touch nothing outside `.cache/peers`. A program that was unpacked
once needs no network again; `make clean` removes it. By hand: `python tests/interop/peers.py profanity`.
"""

import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

CACHE = Path(__file__).resolve().parents[2] / ".cache" / "peers"
# What every Debian has, and a program from the cache takes from the machine: the C library above all.
BASE = ("?essential", "usr-is-merged")


class PeerError(Exception):
    """The program can't be had on this machine; the text says why."""


@dataclass(frozen=True)
class Peer:
    """A package and all that it depends on, unpacked below `root`."""

    root: Path

    def command(self, program: str, *arguments: str) -> list[str]:
        """The command line of one of its programs. Raises PeerError if it has no such program."""
        for directory in self._programs():
            if (directory / program).is_file():
                return [str(directory / program), *arguments]
        raise PeerError(f"there is no program {program} in {self.root}")

    def environment(self, home: Path) -> dict[str, str]:
        """The environment to run it in; what it keeps about its user, it keeps below `home`."""
        libraries = {library.parent for library in self.root.rglob("lib*.so*")}
        return {
            "HOME": str(home),
            "LANG": "C.UTF-8",
            "LD_LIBRARY_PATH": ":".join(str(directory) for directory in sorted(libraries)),
            "PATH": ":".join([*(str(directory) for directory in self._programs()), os.environ.get("PATH", "")]),
            "TERM": "xterm-256color",
            "XDG_DATA_DIRS": f"{self.root}/usr/share:/usr/share",
        }

    def _programs(self) -> list[Path]:
        return [self.root / directory for directory in ("usr/bin", "usr/sbin", "bin", "sbin")]


def unpack(package: str, cache: Path = CACHE) -> Peer:
    """The package with its dependencies, from the cache or else from Debian. Raises PeerError."""
    root = cache / package
    if root.is_dir():
        return Peer(root)
    if not (shutil.which("apt-get") and shutil.which("dpkg")):
        raise PeerError(f"{package} is not in {cache}; to get it there needs apt-get and dpkg (Debian or Ubuntu)")
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache) as directory:
        debs, unpacked = Path(directory, "debs"), Path(directory, "unpacked")
        debs.mkdir()
        _apt(cache, "download", *_missing(cache, package), cwd=debs)
        for deb in sorted(debs.glob("*.deb")):
            _run("dpkg", "-x", str(deb), str(unpacked))
        unpacked.rename(root)  # the last step, so that what is there is whole
    return Peer(root)


def _missing(cache: Path, package: str) -> list[str]:
    """What has to be fetched for the package, as `name=version`."""
    try:
        needed = _closure(cache, package)
    except PeerError:  # a machine whose package lists were never fetched, or were cleaned away
        (cache / "apt" / "lists" / "partial").mkdir(parents=True, exist_ok=True)
        _apt(cache, "update")
        needed = _closure(cache, package)
    return sorted(needed - _closure(cache, *BASE))


def _closure(cache: Path, *packages: str) -> set[str]:
    """All that would be installed with these packages on a machine that has nothing."""
    listed = _apt(cache, "--print-uris", "install", *packages)
    files = [line.split()[1] for line in listed.splitlines() if line.startswith("'")]
    return {"=".join(unquote(file).split("_")[:2]) for file in files}


def _apt(cache: Path, *arguments: str, cwd: Path | None = None) -> str:
    options = [
        "APT::Install-Recommends=0",
        "APT::Sandbox::User=root",
        "Debug::NoLocking=1",
        "Dir::State::Status=/dev/null",
    ]
    if (cache / "apt").is_dir():
        options += [f"Dir::State::Lists={cache}/apt/lists", f"Dir::Cache={cache}/apt"]
    return _run("apt-get", "-q", "-y", *(f"-o{option}" for option in options), *arguments, cwd=cwd)


def _run(*command: str, cwd: Path | None = None) -> str:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    if done.returncode:
        raise PeerError(f"{shlex.join(command[:1])} says: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout


def main() -> None:
    """Unpacks the packages named on the command line, and says how to run what is in them."""
    for package in sys.argv[1:]:
        peer = unpack(package)
        for name, value in peer.environment(Path.home()).items():
            sys.stdout.write(f"export {name}={shlex.quote(value)}\n")


if __name__ == "__main__":
    main()
