"""`uvicorn MODULE:APP --host H --port P --log-level L`: an ASGI application over HTTP/1.1, one request a connection."""

import asyncio
import importlib
import os
import sys

sys.path.insert(0, os.getcwd())
module, name = sys.argv[1].split(":")
app = getattr(importlib.import_module(module), name)
options = dict(zip(sys.argv[2::2], sys.argv[3::2]))


async def answer(reader, writer):
    line = (await reader.readuntil(b"\r\n\r\n")).split(b"\r\n")[0].decode()
    path, _, query = line.split(" ")[1].partition("?")
    scope = {"type": "http", "method": line.split(" ")[0], "path": path, "query_string": query.encode()}
    parts = {"status": 500, "body": b""}

    async def receive():
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message):
        parts["status"] = message.get("status", parts["status"])
        parts["body"] += message.get("body", b"")

    await app(scope, receive, send)
    head = f"HTTP/1.1 {parts['status']} OK\r\ncontent-length: {len(parts['body'])}\r\nconnection: close\r\n\r\n"
    writer.write(head.encode() + parts["body"])
    await writer.drain()
    writer.close()


async def serve():
    server = await asyncio.start_server(answer, options["--host"], int(options["--port"]))
    await server.serve_forever()


asyncio.run(serve())
