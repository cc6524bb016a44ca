"""Ground: what the daemon stands on, taken before anything is started: its port, its data folder, its open files."""

from __future__ import annotations

import errno
import fcntl
import os
import resource
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from console.endings import USAGE, Quit
from core.config import Config

BACKLOG = 4096
#: What is kept, prompts and digests of keys among it, is for nobody else on this machine.
PRIVATE_UMASK = 0o077
LOCK_NAME = "lock"
WILDCARDS = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}  # noqa: S104 (compared with, not bound to)


@dataclass(frozen=True)
class Ground:
    """The listening socket, the data folder and the lock on it, held as long as this is."""

    listener: socket.socket
    data: Path
    lock: IO[str]

    def release(self) -> None:
        """Let go of both; the end of the process does it too."""
        self.listener.close()
        self.lock.close()


def take_ground(config: Config, data: Path) -> Ground:
    """Everything, or Quit with exit code 2 and nothing held."""
    os.umask(PRIVATE_UMASK)
    raise_open_files()
    listener = listen(config.server.host, config.server.port)
    try:
        return Ground(listener, data, hold_folder(data))
    except Quit:
        listener.close()
        raise


def raise_open_files() -> None:
    """The soft limit of open files becomes the hard one: each user is a socket."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def listen(host: str, port: int) -> socket.socket:
    """A listening TCP socket; who connects early waits in its backlog. Raises Quit."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except socket.gaierror as error:
        raise Quit(USAGE, f"--host {host}: {error.strerror}; give an address of this machine") from None
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(BACKLOG)
        listener.setblocking(False)
    except OSError as error:
        listener.close()
        raise Quit(USAGE, _why_not(error, host, port)) from None
    return listener


def _why_not(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"port {port} is busy: stop what listens there, or choose another --port (0: any)"
    if error.errno == errno.EACCES:
        return f"port {port} may not be taken: choose a --port of 1024 or more"
    return f"cannot listen on {host}:{port}: {error.strerror}; choose another --host or --port"


def hold_folder(data: Path) -> IO[str]:
    """Makes the data folder, checks that it can be written to, and locks it for this process alone. Raises Quit."""
    try:
        data.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = (data / LOCK_NAME).open("a", encoding="utf-8")
    except OSError as error:
        raise Quit(USAGE, f"cannot write to {data}: {error.strerror}; choose another --data") from None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.close()
        raise Quit(USAGE, f"another limner works in {data}: stop it, or choose another --data") from None
    return lock


def own_url(config: Config, listener: socket.socket) -> str:
    """Where this machine reaches us, also when `port` was 0 or `host` all addresses. Without a slash at the end."""
    host, port = listener.getsockname()[:2]
    host = WILDCARDS.get(host, host)
    scheme = "https" if config.server.tls_cert else "http"
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}"


def page_url(config: Config, listener: socket.socket) -> str:
    """What people are told: `public_url`, else where this machine reaches us."""
    return (config.server.public_url or own_url(config, listener)).rstrip("/")


def write_privately(path: Path, text: str) -> None:
    """Writes a file that only its owner can read, all of it or nothing. Raises OSError."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
