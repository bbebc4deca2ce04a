"""An OPC UA server in a process of its own, and a hand that turns its values as a panel would.

``python -m tests.opcua_server READY`` writes its endpoint into the file READY once it listens.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from asyncua import ua
from asyncua.server.server import Server
from asyncua.sync import Client

from gateway.demo.ports import free_port
from tests.conditions import STRETCH, eventually

#: Node -> its type, its first value, and whether clients may write it.
NODES: Final[dict[str, tuple[str, Any, bool]]] = {
    "Feeder1.Portion": ("UInt16", 50, True),
    "Feeder1.Enabled": ("Boolean", True, True),
    "Feeder1.Hopper": ("Float", 25.5, False),
    "Feeder1.Total": ("UInt32", 100_000, False),
    "Feeder1.Name": ("String", "north", True),
    "Feeder1.Target": ("Double", 18.25, True),
    "Feeder1.Trim": ("Int32", -7, True),
    "Feeder1.Bits": ("UInt16", 0b100, False),
    "Feeder1.List": ("UInt16", [1, 2], False),
}


def node(name: str) -> str:
    """Its id."""
    return f"ns=2;s={name}"


class OpcUaServer:
    """A server that can be killed and started again at the same port."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._port = free_port()
        self.endpoint = f"opc.tcp://127.0.0.1:{self._port}/farm"
        self._process: subprocess.Popen[bytes] | None = None
        #: It was killed, and is to be started again.
        self.lost = False

    def start(self) -> None:
        """Until it listens."""
        ready = self._folder / "opcua-ready"
        ready.unlink(missing_ok=True)
        command = [sys.executable, "-m", "tests.opcua_server", self.endpoint, str(ready)]
        with (self._folder / "opcua.log").open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log)
        self.lost = False
        eventually(ready.exists, within_s=20, what="the OPC UA server")

    def kill(self) -> None:
        """As a power cut does."""
        assert self._process is not None
        self._process.kill()
        self._process.wait(10 * STRETCH)

    def signal(self, number: int) -> None:
        """Send a signal to the process."""
        assert self._process is not None
        self._process.send_signal(number)

    def set(self, name: str, value: object) -> None:
        """Turn a value, as somebody at the panel does."""
        with Client(self.endpoint) as client:
            kind = ua.VariantType[NODES[name][0]]
            client.get_node(node(name)).write_value(ua.DataValue(ua.Variant(value, kind)))

    def get(self, name: str) -> object:
        """What it holds."""
        with Client(self.endpoint) as client:
            return client.get_node(node(name)).read_value()


@contextmanager
def running_opcua_server(folder: Path) -> Iterator[OpcUaServer]:
    """Started, and killed at the end."""
    server = OpcUaServer(folder)
    server.start()
    try:
        yield server
    finally:
        server.kill()


async def _serve(endpoint: str, ready: Path) -> None:
    server = Server()
    await server.init()
    server.set_endpoint(endpoint)
    await server.register_namespace("urn:farm")
    for name, (kind, value, writable) in NODES.items():
        variant = ua.Variant(value, ua.VariantType[kind])
        id = ua.NodeId.from_string(node(name))
        made = await server.nodes.objects.add_variable(id, ua.QualifiedName(ua.String(name), ua.UInt16(2)), variant)
        if writable:
            await made.set_writable()
    async with server:
        await asyncio.to_thread(ready.write_text, endpoint)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_serve(sys.argv[1], Path(sys.argv[2])))
