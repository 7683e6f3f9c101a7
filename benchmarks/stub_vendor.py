"""A vendor that answers at once, in a process of its own, for benchmarks.

It speaks just enough of two APIs: OpenAI's images (the finished picture in the reply, small or
of 1.3 MB) and Runway's tasks (finished at the first question, or never). It notes when each
task was asked about, so that late questions show.

Run: python benchmarks/stub_vendor.py; it prints its address.
"""

from __future__ import annotations

import asyncio
import base64
import io
import statistics
import time
import uuid

import numpy as np
from aiohttp import web
from PIL import Image

SMALL_SIDE, LARGE_SIDE = 64, 570
"""Pixels; noise does not compress, so that the large one has about 975 kB."""


def picture(side: int) -> bytes:
    noise = np.random.default_rng(1).integers(0, 256, (side, side, 3), np.uint8)
    target = io.BytesIO()
    Image.fromarray(noise).save(target, "PNG", compress_level=1)
    return target.getvalue()


class StubVendor:
    """Counts submits and times polls."""

    def __init__(self) -> None:
        small = picture(SMALL_SIDE)
        self._file = small
        self._replies = {"small": _image_reply(small), "large": _image_reply(picture(LARGE_SIDE))}
        self._submits = 0
        self._polled: dict[str, float] = {}
        self._begin()

    def application(self) -> web.Application:
        application = web.Application()
        application.add_routes(
            [
                web.post("/openai/{size}/v1/images/generations", self._generate),
                web.post("/runway/{mode}/v1/text_to_image", self._submit),
                web.post("/runway/{mode}/v1/text_to_video", self._submit),
                web.get("/runway/{mode}/v1/tasks/{id}", self._task),
                web.get("/file.png", self._download),
                web.get("/figures", self._figures),
                web.post("/begin", self._begin_again),
            ]
        )
        return application

    def _begin(self) -> None:
        self._began = time.monotonic()
        self._gaps: list[float] = []
        self._seen: dict[str, float] = {}

    async def _generate(self, request: web.Request) -> web.Response:
        await request.read()
        reply = self._replies[request.match_info["size"]]
        return web.Response(body=reply, content_type="application/json")

    async def _submit(self, request: web.Request) -> web.Response:
        await request.read()
        self._submits += 1
        return web.json_response({"id": str(uuid.uuid4())})

    async def _task(self, request: web.Request) -> web.Response:
        task = request.match_info["id"]
        if request.match_info["mode"] == "now":
            output = [f"http://{request.host}/file.png"]
            return web.json_response({"id": task, "status": "SUCCEEDED", "output": output})
        now = time.monotonic()
        before = self._polled.get(task)
        if before is not None:
            self._gaps.append(now - before)
        self._polled[task] = now
        self._seen.setdefault(task, now)
        return web.json_response({"id": task, "status": "RUNNING", "progress": 0.5})

    async def _download(self, request: web.Request) -> web.Response:
        del request
        return web.Response(body=self._file, content_type="image/png")

    async def _begin_again(self, request: web.Request) -> web.Response:
        del request
        self._begin()
        return web.json_response({})

    async def _figures(self, request: web.Request) -> web.Response:
        """Answer with what happened since the beginning that was asked for last."""
        interval = float(request.query.get("interval", 0))
        lags = sorted(max(0.0, gap - interval) for gap in self._gaps)
        seen = sorted(at - self._began for at in self._seen.values())
        return web.json_response(
            {
                "submits": self._submits,
                "polls": len(self._gaps),
                "tasks_polled": len(seen),
                "first_poll": seen[0] if seen else None,
                "last_first_poll": seen[-1] if seen else None,
                "lag_p50": statistics.median(lags) if lags else None,
                "lag_p99": lags[int(len(lags) * 0.99)] if lags else None,
                "lag_max": lags[-1] if lags else None,
            }
        )


def _image_reply(content: bytes) -> bytes:
    coded = base64.b64encode(content).decode()
    usage = '"usage":{"input_tokens":10,"output_tokens":100,"total_tokens":110}'
    return f'{{"created":1795000000,"data":[{{"b64_json":"{coded}"}}],{usage}}}'.encode()


async def main() -> None:
    runner = web.AppRunner(StubVendor().application(), access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    print(f"http://127.0.0.1:{runner.addresses[0][1]}", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
