"""A broker for machines without Mosquitto: rumqttd from the wheel ``iotcore``, for trying things out only.

It checks passwords but knows no rights per topic, and it speaks MQTT 5 only on the port that we use.
Run as ``python -m gateway.demo.wheel_broker FILE``, so that a supervisor has it as a process of its own.
"""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Mapping
from typing import Final

from gateway.protocol.messages import MAX_PAYLOAD_BYTES

_HEAD: Final = """\
id = 0
[router]
id = 0
max_connections = 1000
max_outgoing_packet_count = 200
max_segment_size = 104857600
max_segment_count = 10
"""


def configuration(ports: Mapping[str, int], users: Mapping[str, str]) -> str:
    """The file for one listener a port, each with all users; it holds passwords in the clear."""
    listeners = [
        f"""
[v5.{number}]
name = "{name}"
listen = "127.0.0.1:{port}"
next_connection_delay_ms = 1
[v5.{number}.connections]
connection_timeout_ms = 10000
max_payload_size = {MAX_PAYLOAD_BYTES + 16_384}
max_inflight_count = 1000
dynamic_filters = true
[v5.{number}.connections.auth]
"""
        + "".join(f"{json.dumps(user)} = {json.dumps(secret)}\n" for user, secret in users.items())
        for number, (name, port) in enumerate(ports.items(), start=1)
    ]
    return _HEAD + "".join(listeners)


def main() -> None:
    """Serve until a signal ends the process."""
    from iotcore import IotCoreBroker  # noqa: PLC0415 # an extra that need not be there

    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(message)s")
    # It reports every packet as an error.
    logging.getLogger("rumqttd").setLevel(logging.CRITICAL)
    logging.getLogger("tracing").setLevel(logging.CRITICAL)
    IotCoreBroker(config_path=sys.argv[1]).run_forever()


if __name__ == "__main__":
    main()
