"""Where the peers' programs are: unpacked from Debian's packages into a cache, or else installed on this machine."""

import shutil
from functools import cache
from pathlib import Path

from tests.interop.peers import PeerError, unpack

from .errors import BenchError


@cache
def find_package(package: str, program: str) -> Path:
    """The directory below which it has its `usr/bin`; for an installed program, `/`. Raises BenchError."""
    try:
        return unpack(package).root
    except PeerError as reason:
        if shutil.which(program):
            return Path("/")
        raise BenchError(
            f"{package} can't be measured here: {reason}\n"
            f"Install the package {package} of your system, or leave it out: make bench ARGS='--servers fermata'"
        ) from reason


def library_directory(root: Path, pattern: str) -> Path:
    """The directory that has a file like this below `usr/lib`: Debian's names the machine's architecture.

    Raises BenchError.
    """
    for path in sorted((root / "usr/lib").glob(pattern)):
        return path.parent
    raise BenchError(f"there is no {pattern} in {root}/usr/lib")
