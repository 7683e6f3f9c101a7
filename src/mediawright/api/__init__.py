"""The REST server: the native `/v1` routes over the use-cases."""
