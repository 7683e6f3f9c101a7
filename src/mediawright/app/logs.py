"""Where the log of an installation inside another program goes."""

from __future__ import annotations

import structlog


def use_the_host_s_logging() -> None:
    """Send our log through the standard library's logging, unless the host has configured it.

    Otherwise structlog's own default would print tracebacks with the values of variables,
    which may hold keys and prompts, to the host's stdout.
    """
    if structlog.is_configured():
        return
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.stdlib.filter_by_level,
            structlog.stdlib.render_to_log_kwargs,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
