"""CCSDS File Delivery Protocol (CCSDS 727.0-B-5), classes 1 and 2, without I/O.

Octets and times in, PDUs and effects out. The runtime that owns files, rows
and links lives in ``uplink.transfers``; the spacecraft simulator has its own.

The order that makes a transfer survive ``kill -9`` at any moment, for both:

1. call ``receive``, ``on_time``, ``cancel`` ... and apply the effects they
   return (write the segments, make them durable),
2. commit ``snapshot`` in the same database transaction as whatever the effects
   deliver (``FileComplete``, ``TransactionFinished``),
3. only then call ``next_pdus`` and put the PDUs on the link.

PDUs therefore never promise the peer what a crash could take back, and a
snapshot that is older than the last pull only repeats PDUs.
"""
