"""Value types, ids, money, states, errors and ports. No I/O lives here."""
