"""Another MCP server, made with the official library.

Arguments: "stdio", or "http" and a port of this machine.
"""

import contextlib
import hashlib
import os
import socket
import sys
import time

from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.exceptions import ToolError

BORN = os.urandom(8).hex()
server = MCPServer("other", version="1.2.3", log_level="ERROR")


@contextlib.contextmanager
def told():
    """Tells what went wrong: the library keeps it to itself."""
    try:
        yield
    except OSError as error:
        raise ToolError(str(error)) from error


@server.tool()
def echo(text: str) -> str:
    """Says what it is told."""
    return text


@server.tool()
def born() -> str:
    """What tells this process from others."""
    return BORN


@server.tool()
def fail(words: str) -> str:
    raise ToolError(words)


def key(context):
    return os.environ.get("OTHER_KEY") or (context.headers or {}).get("x-key", "")


@server.tool()
def leak(context: Context) -> str:
    print(key(context), file=sys.stderr, flush=True)
    raise ToolError(f"wrong key: {key(context)}")


@server.tool()
def secret(context: Context) -> dict[str, str]:
    """Repeats the secret that it was given, and says its digest, which shows that it has the true one."""
    given = key(context)
    return {"said": given, "sha256": hashlib.sha256(given.encode()).hexdigest()}


@server.tool()
async def learn(name: str, context: Context) -> str:
    """Has one tool more from now on, and tells of it."""
    server.add_tool(lambda: name, name=name, description="learnt")
    await context.notify_tools_changed()
    return name


@server.tool()
def large(kib: int) -> str:
    return "x" * kib * 1024


@server.tool()
def pause(seconds: float) -> str:
    time.sleep(seconds)
    return "awake"


@server.tool()
def end() -> str:
    os._exit(7)


@server.tool()
def read(path: str) -> str:
    with told(), open(path) as file:
        return file.read()


@server.tool()
def write(path: str) -> str:
    with told(), open(path, "w") as file:
        return str(file.write("x"))


@server.tool()
def dial(port: int) -> str:
    with told(), socket.create_connection(("127.0.0.1", port), timeout=10):
        return "connected"


@server.tool()
def surroundings() -> dict[str, list[str]]:
    """What a program can see of where it is."""
    return {"root": sorted(os.listdir("/")), "environment": sorted(os.environ), "tmp": sorted(os.listdir("/tmp"))}


if sys.argv[1] == "http":
    server.run("streamable-http", port=int(sys.argv[2]))
else:
    server.run()
