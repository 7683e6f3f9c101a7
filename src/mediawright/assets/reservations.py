"""Taking a name on a drive, so that no two files ever want the same.

A reservation is a tiny file that says who takes a name. Of several who want it, the drive lets
one write it; and whoever comes back after a crash finds the name that he took before.
"""

from __future__ import annotations

import hashlib

from mediawright.assets.drive import Drive
from mediawright.assets.naming import alternatives

FOLDER = ".reservations"
"""Where reservations lie. They matter until the file is there, and may be removed by age."""


async def reserve(drive: Drive, wanted: str, owner: str) -> str:
    """Take a name, or another like it if it is taken.

    Args:
        drive: Where.
        wanted: The key that was asked for.
        owner: Who takes it: what is stored there, not the try to store it.

    Returns:
        The key: the wanted one, or one with a number such as `a (2).png`. The same owner gets
        the same again.
    """
    mark = owner.encode()
    for key in alternatives(wanted):
        reservation = reservation_key(key)
        if not await drive.create(reservation, mark):
            if await drive.read(reservation) == mark:
                return key
        elif await drive.exists(key):
            await drive.delete(reservation)
        else:
            return key
    raise AssertionError("there is always another name")


def reservation_key(key: str) -> str:
    """Return the key of the reservation of a key."""
    return f"{FOLDER}/{hashlib.sha256(key.encode()).hexdigest()}"
