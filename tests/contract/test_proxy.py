"""The proxy that the fault tests rely on, with real sockets, a real Mosquitto and a real Modbus client."""

from __future__ import annotations

import secrets
import socket
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion

from gateway.protocol.ids import CLIENT_ID_PREFIX
from tests import proxy_frames
from tests.conditions import eventually
from tests.mqtt_client import MqttClient
from tests.plc import FaultyPlc
from tests.proxy import Proxy, Verb, Way
from tests.proxy_frames import Packet
from tests.proxy_rules import function, packet, publish
from tests.running_broker import RunningBroker


def read_request(transaction: int, address: int, count: int) -> bytes:
    """A frame that asks for holding registers."""
    return struct.pack(">HHHBBHH", transaction, 0, 6, 1, 3, address, count)


def exchange(port: int, request: bytes) -> bytes:
    """The first answer on a connection of its own."""
    with socket.create_connection(("127.0.0.1", port), timeout=5) as client, client.makefile("rb") as answer:
        client.sendall(request)
        header = answer.read(7)
        return header + answer.read(int.from_bytes(header[4:6], "big") - 1)


def test_mqtt_bytes_in_any_pieces_give_whole_packets() -> None:
    """Type, packet id and topic are read; what is not whole yet stays in the buffer."""
    raw = b"\x32\x0b\x00\x03a/b\x12\x34\x00xyz" + b"\x40\x02\x12\x34" + b"\xc0\x00"
    buffer, frames = bytearray(), list[proxy_frames.Frame]()
    for byte in raw:
        buffer.append(byte)
        frames += proxy_frames.mqtt(buffer)
    assert [(each.kind, each.number, each.topic) for each in frames] == [
        (Packet.PUBLISH, 0x1234, "a/b"),
        (Packet.PUBACK, 0x1234, ""),
        (Packet.PINGREQ, 0, ""),
    ]
    assert b"".join(each.raw for each in frames) == raw
    assert frames[0].again()[0] == 0x3A


def test_modbus_bytes_in_any_pieces_give_whole_frames() -> None:
    """Function code and transaction id are read."""
    raw = read_request(7, 0, 2) + read_request(8, 4, 1)
    buffer, frames = bytearray(), list[proxy_frames.Frame]()
    for byte in raw:
        buffer.append(byte)
        frames += proxy_frames.modbus(buffer)
    assert [(each.kind, each.number) for each in frames] == [(3, 7), (3, 8)]


def test_sliced_and_delayed_bytes_arrive_whole_and_late() -> None:
    """Nothing is lost or mixed up by it."""
    with FaultyPlc.running() as plc, Proxy.to(plc.port) as wire:
        plc.set(0, 11, 22)
        wire.slice(1)
        wire.delay(0.1, Way.TO_CLIENT, jitter_s=0.05)
        began_s = time.monotonic()
        answer = exchange(wire.port, read_request(1, 0, 2))
        assert answer[9:] == b"\x00\x0b\x00\x16"
        assert time.monotonic() - began_s >= 0.1


@pytest.mark.parametrize(("verb", "arrives"), [(Verb.CUT_BEFORE, False), (Verb.CUT_AFTER, True), (Verb.DROP, False)])
def test_modbus_frame_of_a_function_code_ends_the_connection(verb: Verb, arrives: bool) -> None:
    """Reads pass; the write is treated before or after it has reached the PLC."""
    with FaultyPlc.running() as plc, Proxy.to(plc.port, frames=proxy_frames.modbus) as wire:
        rule = wire.treat(verb, Way.TO_SERVER, function(6))
        with socket.create_connection(("127.0.0.1", wire.port), timeout=5) as client:
            client.sendall(read_request(1, 0, 1))
            assert client.recv(100)
            client.sendall(bytes.fromhex("000200000006010600000078"))
            eventually(lambda: rule.hits == 1, what="the rule")
            if verb is not Verb.DROP:
                assert _ends(client)
        eventually(lambda: len(plc.writes) == arrives, what="the write, or none")


def _ends(client: socket.socket) -> bool:
    try:
        while client.recv(100):
            pass
    except ConnectionError:
        pass
    return True


def test_duplicated_publish_reaches_the_subscriber_twice(broker: RunningBroker) -> None:
    """On the way to the broker: it does not tell repeats of QoS 1 apart, so everybody must be ready for two."""
    with _wired(broker, Way.TO_SERVER) as (wire, sender, reader, topic):
        wire.treat(Verb.DUPLICATE, Way.TO_SERVER, publish(topic))
        sender.publish(topic, b"once")
        eventually(lambda: [each.payload for each in reader.received()] == [b"once", b"once"], what="both")


def test_swapped_pair_arrives_swapped(broker: RunningBroker) -> None:
    """The second of two publishes comes first."""
    with _wired(broker, Way.TO_CLIENT) as (wire, sender, reader, topic):
        wire.treat(Verb.SWAP, Way.TO_CLIENT, publish(topic))
        for payload in (b"1", b"2", b"3"):
            sender.publish(topic, payload)
        eventually(lambda: [each.payload for each in reader.received()] == [b"2", b"1", b"3"], what="2 1 3")


def test_frame_that_is_held_is_overtaken_until_release(broker: RunningBroker) -> None:
    """It alone waits."""
    with _wired(broker, Way.TO_CLIENT) as (wire, sender, reader, topic):
        wire.treat(Verb.HOLD, Way.TO_CLIENT, publish(topic), after=1)
        for payload in (b"1", b"2", b"3"):
            sender.publish(topic, payload)
        eventually(lambda: [each.payload for each in reader.received()] == [b"1", b"3"], what="1 3")
        wire.release()
        eventually(lambda: [each.payload for each in reader.received()] == [b"1", b"3", b"2"], what="2 at last")


def test_held_puback_makes_paho_send_again_after_a_cut(broker: RunningBroker) -> None:
    """Which is why a PUBACK proves nothing, and a message may come twice."""
    topic, login = f"test/{secrets.token_hex(4)}", broker.add_auditor("@witness")
    with Proxy.to(login.port, frames=proxy_frames.mqtt) as wire, MqttClient(login) as reader:
        reader.subscribe(topic)
        held = wire.treat(Verb.HOLD, Way.TO_CLIENT, packet(Packet.PUBACK))
        client = paho.Client(
            CallbackAPIVersion.VERSION2, client_id=CLIENT_ID_PREFIX + secrets.token_hex(4), protocol=paho.MQTTv5
        )
        client.username_pw_set(login.username, login.secret)
        client.reconnect_delay_set(1, 1)
        client.connect(login.host, wire.port)
        client.loop_start()
        try:
            client.publish(topic, b"again", qos=1)
            eventually(lambda: held.hits == 1, what="the PUBACK")
            wire.cut()
            eventually(lambda: len(reader.received()) == 2, what="the second copy")
        finally:
            client.disconnect()
            client.loop_stop()


@pytest.mark.parametrize("seed", [1, 2])
def test_treatment_by_chance_repeats_with_its_seed(seed: int) -> None:
    """The same seed spoils the same frames."""

    def spoilt() -> list[int]:
        with FaultyPlc.running() as plc, Proxy.to(plc.port, frames=proxy_frames.modbus, seed=seed) as wire:
            rule = wire.treat(Verb.DUPLICATE, Way.TO_SERVER, times=None, chance=0.5)
            hits = []
            for number in range(12):
                exchange(wire.port, read_request(number, 0, 1))
                hits.append(rule.hits)
            return hits

    assert spoilt() == spoilt()


_Wired = tuple[Proxy, MqttClient, MqttClient, str]


@contextmanager
def _wired(broker: RunningBroker, way: Way) -> Iterator[_Wired]:
    """A proxy before the sender (to the server) or before the reader (to the client)."""
    login, topic = broker.add_auditor("@witness"), f"test/{secrets.token_hex(4)}"
    with Proxy.to(login.port, frames=proxy_frames.mqtt) as wire:
        behind = replace(login, port=wire.port)
        sender = MqttClient(behind if way is Way.TO_SERVER else login)
        reader = MqttClient(behind if way is Way.TO_CLIENT else login)
        with sender, reader:
            reader.subscribe(topic)
            yield wire, sender, reader, topic
