"""How the bytes that paho has queued get onto the wire."""

from __future__ import annotations

import asyncio

import paho.mqtt.client as paho


class Sending:
    """Sends what paho has queued, once per turn of the event loop.

    aiomqtt wakes the loop through a socket and watches for writability before every single packet; that costs more
    system calls than the packet itself. The socket is watched only when the network is the slower one.
    """

    def __init__(self, client: paho.Client) -> None:
        self._client = client
        self._loop = asyncio.get_running_loop()
        self._watched: int | None = None
        client.on_socket_register_write = self._on_wanted
        client.on_socket_unregister_write = self._on_done

    def _on_wanted(self, _client: object, _userdata: object, _socket: object) -> None:
        self._loop.call_soon(self._flush)

    def _flush(self) -> None:
        self._client.loop_write()
        raw = self._client.socket()
        if self._watched is None and raw is not None and self._client.want_write():
            self._watched = raw.fileno()
            self._loop.add_writer(self._watched, self._client.loop_write)

    def _on_done(self, _client: object, _userdata: object, _socket: object) -> None:
        if self._watched is not None:
            self._loop.remove_writer(self._watched)
            self._watched = None
