"""Headers of AMQP 0-9-1 byte by byte: what no client library would write.

A table is the content without its length; `publish_table` of harness/rabbitmq.py sends one.
"""

import struct

import pika

# The largest frame of a default connection, less what else stands in a header frame.
TABLE_BYTES_MAX = 131_072 - 8 - 14 - 4 - 1


def field(key: bytes, kind: bytes, value: bytes) -> bytes:
    """A key, one letter for the type, and the value in its encoding."""
    return bytes([len(key)]) + key + kind + value


def long_string(value: bytes) -> bytes:
    return struct.pack(">I", len(value)) + value


def every_kind(text: bytes = b"text") -> dict[bytes, bytes]:
    """A value for each type that RabbitMQ knows, by its letter."""
    return {
        b"t": b"\x01",
        b"b": b"\xff", b"B": b"\xff",
        b"s": struct.pack(">h", -2), b"u": struct.pack(">H", 65_535),
        b"I": struct.pack(">i", -2), b"i": struct.pack(">I", 4_294_967_295),
        b"l": struct.pack(">q", -2),
        b"f": struct.pack(">f", 0.5), b"d": struct.pack(">d", 0.5),
        b"D": b"\x02" + struct.pack(">i", 150),
        b"S": long_string(text), b"x": long_string(text),
        b"A": long_string(b"S" + long_string(text)),
        b"T": struct.pack(">Q", 1_700_000_000),
        b"F": long_string(field(b"inner", b"S", long_string(text))),
        b"V": b"",
    }


def deep_table(levels: int, key: bytes = b"k") -> bytes:
    """A table that holds a table that holds a table..."""
    level_bytes = len(field(key, b"F", long_string(b"")))
    # From the outermost inwards: each length is known, and no level is copied twice.
    return b"".join(field(key, b"F", struct.pack(">I", (levels - at) * level_bytes))
                    for at in range(1, levels + 1))


class TableProperties(pika.BasicProperties):
    """Persistent, with these bytes for headers."""

    def __init__(self, table: bytes) -> None:
        super().__init__(delivery_mode=2)
        self._table = table

    def encode(self) -> list[bytes]:
        flags = self.FLAG_HEADERS | self.FLAG_DELIVERY_MODE
        return [struct.pack(">H", flags), long_string(self._table), b"\x02"]
