"""A relay with no safety at all: the least code for the path HTTP -> MQTT -> Modbus and back, on the same libraries.

No login, no check, no ledger, no journal, no deadline: what it costs is what the path itself costs. Run as
``python -m benchmarks.relay facade|agent|mirror NUMBERS...``; :mod:`benchmarks.floor` starts these processes.
"""

from __future__ import annotations

import asyncio
import json
import socket
import sys
import threading
import time
import uuid
from typing import Any

import aiomqtt
import paho.mqtt.client as paho
import redis
from flask import Flask, request
from granian import Granian
from granian.constants import Interfaces
from paho.mqtt.enums import CallbackAPIVersion
from pymodbus.client import AsyncModbusTcpClient

THREADS = 96
_NODELAY = (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
_ASK, _ANSWER, _ECHO, _ECHOED, _BEAT = "relay/ask/", "relay/answer/", "relay/echo", "relay/echoed", "relay/beat/#"


def client(mqtt_port: int) -> paho.Client:
    """A paho client with its windows raised and Nagle off, as Tidegate's own; not connected yet."""
    made = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
    made.max_inflight_messages_set(1000)
    made.on_socket_open = _no_delay
    made.connect("127.0.0.1", mqtt_port)
    return made


def _no_delay(_client: object, _data: object, raw: paho.SocketLike) -> None:
    assert isinstance(raw, socket.socket)
    raw.setsockopt(*_NODELAY)


def make_facade() -> Flask:
    """The HTTP side; ports come as the worker's own arguments."""
    mqtt_port, redis_port = int(sys.argv[3]), int(sys.argv[4])
    app, waiting = Flask(__name__), dict[str, tuple[threading.Event, list[bytes]]]()
    store = redis.Redis(port=redis_port)
    store.set("relay", "here")
    link = client(mqtt_port)

    def on_message(_client: object, _data: object, message: paho.MQTTMessage) -> None:
        event, answer = waiting[message.topic.rsplit("/", 1)[1]]
        answer.append(bytes(message.payload))
        event.set()

    link.on_message = on_message
    link.subscribe(f"{_ANSWER}#", 1)
    link.loop_start()

    @app.get("/hello")
    def hello() -> dict[str, Any]:
        return {"hello": "world"}

    @app.get("/refuse")
    def refuse() -> tuple[dict[str, Any], int]:
        return {"alive": store.exists("nobody")}, 503

    @app.patch("/settings/<int:register>")
    def settings(register: int) -> dict[str, Any]:
        if not store.exists("relay"):
            raise LookupError("not here")
        command, waiter = uuid.uuid4().hex, (threading.Event(), list[bytes]())
        waiting[command] = waiter
        body = json.dumps({"register": register, "value": request.get_json(force=True)["portion_g"]})
        link.publish(f"{_ASK}{command}", body, qos=1)
        waiter[0].wait(5)
        del waiting[command]
        answer: dict[str, Any] = json.loads(waiter[1][0])
        return answer

    return app


async def run_agent(mqtt_port: int, *modbus_ports: int) -> None:
    """The PLC side: writes, reads back, answers; one lane per PLC. Also echoes, for the raw round trip."""
    plcs = [AsyncModbusTcpClient("127.0.0.1", port=port, retries=0) for port in modbus_ports]
    for plc in plcs:
        await plc.connect()
    lanes = [asyncio.Lock() for _ in plcs]

    async with aiomqtt.Client(
        "127.0.0.1",
        mqtt_port,
        protocol=aiomqtt.ProtocolVersion.V5,
        socket_options=[_NODELAY],
        max_inflight_messages=100,
    ) as link:
        link.pending_calls_threshold = 10_000

        async def carry_out(message: aiomqtt.Message) -> None:
            if str(message.topic) == _ECHO:
                await link.publish(_ECHOED, message.payload, qos=1)
                return
            command = json.loads(bytes(message.payload))
            number = command["register"] % len(plcs)
            async with lanes[number]:
                await plcs[number].write_register(command["register"], command["value"])
                held = await plcs[number].read_holding_registers(command["register"], count=1)
            answer = json.dumps({"value": held.registers[0]})
            await link.publish(_ANSWER + str(message.topic).rsplit("/", 1)[1], answer, qos=1)

        await link.subscribe([(f"{_ASK}#", 1), (_ECHO, 1)])
        async with asyncio.TaskGroup() as group:
            async for message in link.messages:
                group.create_task(carry_out(message))


def run_mirror(mqtt_port: int, redis_port: int) -> None:
    """Heartbeats to keys, gathered for 50 ms, with no check of any kind."""
    store, beats = redis.Redis(port=redis_port), list[tuple[str, bytes]]()
    link = client(mqtt_port)
    link.on_message = lambda _client, _data, message: beats.append((message.topic, bytes(message.payload)))
    link.subscribe(_BEAT, 1)
    link.loop_start()
    while True:
        time.sleep(0.05)
        gathered, beats[:] = beats[:], []
        pipeline = store.pipeline(transaction=False)
        for topic, payload in gathered:
            pipeline.set(topic, payload, ex=25)
        pipeline.execute()


def serve_facade(http_port: int) -> None:
    """The same server, set up as Tidegate's."""
    Granian(
        "benchmarks.relay:make_facade",
        factory=True,
        port=http_port,
        interface=Interfaces.WSGI,
        workers=1,
        blocking_threads=THREADS,
        backlog=8_192,
        backpressure=8_192,
        log_enabled=False,
    ).serve()


if __name__ == "__main__":
    numbers = [int(each) for each in sys.argv[2:]]
    if sys.argv[1] == "facade":
        serve_facade(numbers[0])
    elif sys.argv[1] == "agent":
        asyncio.run(run_agent(*numbers))
    else:
        run_mirror(*numbers)
