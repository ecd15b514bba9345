"""Sends the load over TCP flat out, or over UDP or TCP at a rate; everything is made before.

    telemetry_sender.py tcp PORT COUNT [FIRST] [--rate N] [--stamp] [--listen]
    telemetry_sender.py udp PORT COUNT [FIRST] [--rate N] [--stamp]

FIRST packets are left out, so that times and counts go on. ``--stamp`` writes the time of
sending into each packet's field for it; ``--listen`` waits to be called instead of calling.
The last line is JSON: when it began and ended (seconds since 1970), how many values it sent,
and the sender's clock in the last packet.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import socket
import struct
import sys
import time

from tests.benchmarks.installation import load_folder

_BLOCK = 256
_CLOCK = struct.Struct(">Q")
_CLOCK_OFFSET = 12  # octets into each packet


def main() -> None:
    """Make the packets, then send them."""
    parser = argparse.ArgumentParser()
    parser.add_argument("protocol", choices=["tcp", "udp"])
    parser.add_argument("port", type=int)
    parser.add_argument("count", type=int)
    parser.add_argument("first", type=int, nargs="?", default=0)
    parser.add_argument("--rate", type=float)
    parser.add_argument("--stamp", action="store_true")
    parser.add_argument("--listen", action="store_true")
    asked = parser.parse_args()
    sys.path.insert(0, str(load_folder()))
    import packets as load

    # Made at the end of the present minute's past: no clock of a spacecraft runs ahead.
    start_ms = (int(time.time()) - 3600) * 1000 if asked.stamp else 1_767_225_600_000
    made = []
    for number, packet in enumerate(load.packets(asked.first + asked.count, start_ms)):
        if number >= asked.first:
            made.append(bytearray(packet) if asked.stamp else packet)
    values = sum(load.values_in(list(load.LAYOUT)[n % 3]) for n in range(asked.count))
    with _line(asked.protocol, asked.port, listens=asked.listen) as line:
        if asked.rate is None:
            blocks = [b"".join(made[i : i + _BLOCK]) for i in range(0, len(made), _BLOCK)]
            began = time.time()
            for block in blocks:
                line.sendall(block)
        else:
            began = time.time()
            _send_at_rate(line, made, asked.rate, stamp=asked.stamp)
        line.shutdown(socket.SHUT_RDWR) if asked.protocol == "tcp" else None
        ended = time.time()
    [last_t_send] = _CLOCK.unpack_from(made[-1], _CLOCK_OFFSET)
    told = {"began": began, "ended": ended, "values": values, "last_t_send": last_t_send}
    print(json.dumps(told))


def _line(protocol: str, port: int, *, listens: bool) -> socket.socket:
    address = ("127.0.0.1", port)
    if listens:
        with socket.create_server(address) as server:
            line, _ = server.accept()
            return line
    kind = socket.SOCK_STREAM if protocol == "tcp" else socket.SOCK_DGRAM
    line = socket.socket(socket.AF_INET, kind)
    line.connect(address)
    return line


def _send_at_rate(line: socket.socket, made: list, rate: float, *, stamp: bool) -> None:
    """Send each packet when it is due, those that are due together together."""
    began_s = time.monotonic()
    done = 0
    while done < len(made):
        due = min(len(made), int((time.monotonic() - began_s) * rate) + 1)
        for packet in made[done:due]:
            if stamp:
                _CLOCK.pack_into(packet, _CLOCK_OFFSET, time.time_ns() // 1000)
            with contextlib.suppress(ConnectionRefusedError):  # of a datagram nobody listens for
                line.send(packet)
        done = max(done, due)
        time.sleep(max(0.0, began_s + done / rate - time.monotonic()))


if __name__ == "__main__":
    main()
