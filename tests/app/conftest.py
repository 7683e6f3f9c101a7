from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from mediawright.app.embedded import AsyncMediawright
from mediawright.app.settings import AccountSettings, Settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(
        data_dir=tmp_path / "data", account=AccountSettings(initial_credits=Decimal(500))
    )


@pytest.fixture
async def installation(settings: Settings) -> AsyncIterator[AsyncMediawright]:
    async with AsyncMediawright(settings=settings) as opened:
        yield opened


@pytest.fixture
async def sandboxed(settings: Settings) -> AsyncIterator[AsyncMediawright]:
    media = msgspec.structs.replace(settings.media)
    async with AsyncMediawright(
        settings=msgspec.structs.replace(settings, media=media), sandbox=True
    ) as opened:
        yield opened
