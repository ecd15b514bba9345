"""Files of packets into values, without archive or database.

For whoever has a dictionary and a recording: one JSON object a packet, a table as CSV, or
a Parquet file. Pure but for the streams that it is given.
"""

from telemetry.decoding.csv_table import CsvTable
from telemetry.decoding.json_lines import JsonLines
from telemetry.decoding.packet_file import DecodedChunk, PacketFile
from telemetry.decoding.parquet_table import ParquetTable

__all__ = [
    "CsvTable",
    "DecodedChunk",
    "JsonLines",
    "PacketFile",
    "ParquetTable",
]
