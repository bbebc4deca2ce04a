"""What a technician does before an agent may write: read everything, compare, time the PLC, try one setting.

``survey`` reads and writes nothing, ``scan`` finds out which registers there are, ``trial`` changes one setting and
puts it back, ``report`` shows what was found, and ``command`` is ``tidegate plc``.
"""
