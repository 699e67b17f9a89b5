"""Hosts made on one machine: network namespaces on a bridge, each with processes, files and an sshd of its own.

A host is killed as a power cut would do it: its process namespace ends, and with it all that ran there. The
Python of this machine is the one thing that hosts share, as if it had been installed on each.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
import uuid
from pathlib import Path

TOOLS = {"ip": "iproute2", "unshare": "util-linux", "sshd": "openssh-server", "rsync": "rsync"}
"""What hosts need, and the Debian package that has it."""

SHARED_BYTES = 64 * 2**20

_START = """
set -e
hostname {name}
mount --rbind {folder}/root /root
mount --rbind {folder}/tmp /tmp
mount -t tmpfs -o size=1g shm /dev/shm
mkdir -p /run/sshd
exec {sshd} -D -e -f /root/sshd_config
"""

_SSHD_CONFIG = """
HostKey /root/host_key
AuthorizedKeysFile /root/authorized_keys
StrictModes no
UsePAM no
PidFile none
PermitRootLogin yes
Subsystem sftp internal-sftp
"""


def missing_tools() -> str:
    """Why hosts cannot be made here; empty when they can."""
    if sys.platform != "linux" or os.geteuid() != 0:
        return "needs root on Linux"
    lacking = sorted({package for tool, package in TOOLS.items() if shutil.which(tool, path=_PATH) is None})
    if lacking:
        return f"needs {', '.join(lacking)} (apt-get install {' '.join(lacking)})"
    probe = subprocess.run(["unshare", "-n", "true"], capture_output=True, check=False)
    return "" if probe.returncode == 0 else "may not make network namespaces here"


_OWN = ("root", "tmp")
"""What every host has of its own, below its folder."""

_PATH = os.environ["PATH"] + ":/usr/sbin:/sbin"


def run(*command: str | Path) -> str:
    """Run a command that must work, and return what it prints."""
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(map(str, command))}: {done.stderr}"
    return done.stdout


class Host:
    """One host; `kill` and `boot` it at will. Its files stay."""

    def __init__(self, network: Network, name: str, number: int) -> None:
        self.name, self.address = name, f"{network.subnet}.{number}"
        self.namespace = f"{network.tag}-{name}"
        self.link = f"{network.tag}{number}"
        self.folder = network.folder / name
        self._network = network
        self._process: subprocess.Popen[bytes] | None = None
        self._make_files()
        self._make_link()

    @property
    def home(self) -> Path:
        """Its home folder, as this machine sees it."""
        return self.folder / "root"

    def _make_files(self) -> None:
        for part in _OWN:
            (self.folder / part).mkdir(parents=True)
        (self.home / "sshd_config").write_text(_SSHD_CONFIG)
        run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", self.home / "host_key")
        shutil.copy(self._network.key.with_suffix(".pub"), self.home / "authorized_keys")

    def _make_link(self) -> None:
        run("ip", "netns", "add", self.namespace)
        run("ip", "link", "add", self.link, "type", "veth", "peer", "name", "eth0", "netns", self.namespace)
        run("ip", "link", "set", self.link, "master", self._network.bridge, "up")
        inside = ("ip", "-n", self.namespace)
        run(*inside, "addr", "add", f"{self.address}/24", "dev", "eth0")
        run(*inside, "link", "set", "eth0", "up")
        run(*inside, "link", "set", "lo", "up")
        # without a default route Ray takes 127.0.0.1 for the node's address
        run(*inside, "route", "add", "default", "via", f"{self._network.subnet}.254")

    def boot(self) -> None:
        """Start it, and wait for its sshd."""
        assert self._process is None, f"{self.name} is running"
        self.plug()
        binds = "".join(
            f"mkdir -p {self.folder}{path}; mount --bind {path} {self.folder}{path}\n" for path in _shared()
        )
        script = binds + _START.format(
            name=self.name, folder=self.folder, sshd=shutil.which("sshd", path=_PATH)
        )
        # it dies with this process, however that ends
        command = [
            "setpriv",
            "--pdeathsig",
            "KILL",
            "ip",
            "netns",
            "exec",
            self.namespace,
            "unshare",
            "-pfmu",
            "--mount-proc",
            "--kill-child",
        ]
        with open(self.folder / "log", "ab") as log:
            self._process = subprocess.Popen(
                [*command, "bash", "-c", script], stdout=log, stderr=log, stdin=subprocess.DEVNULL
            )
        end = time.monotonic() + 20
        while self.ssh("true", check=False).returncode != 0:
            assert time.monotonic() < end, (self.folder / "log").read_text()
            assert self._process.poll() is None, (self.folder / "log").read_text()
            time.sleep(0.1)

    @property
    def is_dead(self) -> bool:
        """Whether it does not run."""
        return self._process is None

    def kill(self) -> None:
        """Cut its power: everything on it ends at once, and nobody on the network hears of it."""
        if self._process is not None:
            self.unplug()
            self._process.send_signal(signal.SIGKILL)  # and, by --kill-child, its process 1, hence all
            self._process.wait()
            self._process = None

    def unplug(self) -> None:
        """Take it off the network; it goes on running."""
        run("ip", "link", "set", self.link, "down")

    def plug(self) -> None:
        """Put it back on the network."""
        run("ip", "link", "set", self.link, "up")

    def ssh(self, command: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a command on it, as its user would."""
        done = subprocess.run(
            ["ssh", *self._network.ssh_options, f"root@{self.address}", command],
            capture_output=True, text=True, check=False, timeout=300,
        )  # fmt: skip
        assert not check or done.returncode == 0, f"{self.name}: {command}: {done.stdout}{done.stderr}"
        return done

    def pids(self, pattern: str) -> list[int]:
        """Its processes whose command line matches, as the host numbers them."""
        # in brackets, so that it does not find the shell that looks for it
        found = self.ssh(f"pgrep -f '[{pattern[0]}]{pattern[1:]}'", check=False).stdout
        return [int(pid) for pid in found.split()]

    def remove(self) -> None:
        """Kill it, and take its namespace away."""
        self.kill()
        run("ip", "netns", "del", self.namespace)


def _shared() -> list[Path]:
    """Folders that hold this machine's Python, where a host's own /root and /tmp would hide them."""
    prefixes = [Path(prefix).resolve() for prefix in (sys.prefix, sys.base_prefix)]
    hidden = [path for path in prefixes if path.parts[1] in _OWN]
    return sorted({Path(*path.parts[:3]) for path in hidden})


class Network:
    """A bridge with hosts on it; a context manager that leaves nothing behind."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.tag = f"cb{uuid.uuid4().hex[:4]}"
        # another each time, so that what a killed test has left behind is in nobody's way
        self.subnet = f"10.213.{int(self.tag[2:], 16) % 254 + 1}"
        self.bridge = f"{self.tag}br"
        self.key = folder / "key"
        self.hosts: list[Host] = []

    @property
    def ssh_options(self) -> list[str]:
        """Options of ssh that trust hosts which are made anew for every test."""
        options = {"StrictHostKeyChecking": "no", "UserKnownHostsFile": "/dev/null", "LogLevel": "ERROR"}
        options |= {"ConnectTimeout": "5", "IdentitiesOnly": "yes"}
        return ["-i", str(self.key), *(f"-o{name}={value}" for name, value in options.items())]

    def __enter__(self) -> Network:
        self.folder.mkdir(parents=True, exist_ok=True)
        run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", self.key)
        run("ip", "link", "add", self.bridge, "type", "bridge")
        run("ip", "addr", "add", f"{self.subnet}.254/24", "dev", self.bridge)
        run("ip", "link", "set", self.bridge, "up")
        self.shared.mkdir()
        run("mount", "-t", "tmpfs", "-o", f"size={SHARED_BYTES}", "shared", self.shared)
        return self

    def __exit__(self, *_: object) -> None:
        for host in self.hosts:
            host.remove()
        run("ip", "link", "del", self.bridge)
        run("umount", self.shared)
        self.shared.rmdir()

    @property
    def shared(self) -> Path:
        """A small disk that every host and this machine see under the same path."""
        return Path("/run", self.tag)  # every host has a /tmp of its own

    def host(self, name: str) -> Host:
        """A new host, running."""
        host = Host(self, name, len(self.hosts) + 1)
        self.hosts.append(host)
        host.boot()
        return host
