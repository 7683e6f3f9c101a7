"""What every vendor adapter is built from: the sans-IO base, the HTTP driver, the URL guard."""
