"""The whole job on PostgreSQL: our rows and the engine's in one database."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from tests.postgres import PostgresServer

from mediawright import AsyncMediawright, Settings
from mediawright.core.money import Money

pytestmark = pytest.mark.postgres


@pytest.fixture
def on_postgres(settings: Settings, postgres_server: PostgresServer) -> Settings:
    url = postgres_server.url(postgres_server.create_database())
    return msgspec.structs.replace(settings, database_url=url)


async def test_an_answer_at_once_and_a_durable_job(on_postgres: Settings, tmp_path: Path) -> None:
    async with AsyncMediawright(settings=on_postgres, sandbox=True) as opened:
        drawn = await (await opened.image("waves", size="64x64")).wait()
        queued = await opened.image("waves", model="flux-schnell", size="512x512", seed=1)
        result = await queued.wait()
        assert result.generation.provider == "fal"
        assert result.assets[0].facts.content_type == "image/jpeg"
        assert (await opened.balance()).held == Money.credits(0)
        assert {span.name for span in await opened.trace(queued.id)} >= {"submit", "wait", "store"}
    async with AsyncMediawright(settings=on_postgres, sandbox=True) as again:
        assert (await again.handle(drawn.generation.id)).generation.status.value == "completed"
