"""Talks to a host with the official MCP client, step by step, and writes what came of each step as a line of JSON.

Arguments: "legacy" or "auto" (how the protocol is negotiated), and JSON: {"url", "token"} or {"command": [...]}.
Steps come in as lines of JSON: {"do": "list" | "call" | "resources" | "read" | "change", ...}.
"""

import asyncio
import json
import subprocess
import sys

import httpx2
from mcp import Client, StdioServerParameters
from mcp.client.streamable_http import streamable_http_client
from mcp.types import ElicitResult

mode, where = sys.argv[1], json.loads(sys.argv[2])
changed = asyncio.Event()
asked = []
on_ask = where.get("on_ask")


async def ask(context, params):
    asked.append(params.message)
    if on_ask is None:
        return ElicitResult(action="decline")
    subprocess.run(on_ask, check=True, stdout=subprocess.DEVNULL)
    return ElicitResult(action="accept", content={})


async def hear(message):
    if "list_changed" in str(getattr(message, "method", "")):
        changed.set()


def transport():
    if "command" in where:
        return StdioServerParameters(command=where["command"][0], args=where["command"][1:])
    headers = {"Authorization": f"Bearer {where['token']}"}
    return streamable_http_client(where["url"], http_client=httpx2.AsyncClient(headers=headers, timeout=120))


def text(result):
    return "\n".join(block.text for block in result.content)


async def do(client, step):
    match step["do"]:
        case "list":
            return {tool.name: tool.input_schema for tool in (await client.list_tools(cache_mode="bypass")).tools}
        case "call":
            result = await client.call_tool(step["tool"], step["arguments"])
            return {"error": result.is_error, "text": text(result), "value": result.structured_content, "asked": asked}
        case "resources":
            return [resource.uri for resource in (await client.list_resources(cache_mode="bypass")).resources]
        case "read":
            return json.loads((await client.read_resource(step["uri"], cache_mode="bypass")).contents[0].text)
        case "change":
            return await change(client, step["command"])


async def change(client, command):
    """Has something changed by a command, and waits until the server says so."""
    if mode == "legacy":
        changed.clear()
        await asyncio.to_thread(subprocess.run, command, check=True, stdout=subprocess.DEVNULL)
        await asyncio.wait_for(changed.wait(), 60)
        return True
    async with client.listen(tools_list_changed=True) as events:
        await asyncio.to_thread(subprocess.run, command, check=True, stdout=subprocess.DEVNULL)
        async with asyncio.timeout(60):
            async for event in events:
                return type(event).__name__ == "ToolsListChanged"


async def main():
    async with Client(transport(), mode=mode, elicitation_callback=ask, message_handler=hear) as client:
        for line in sys.stdin:
            try:
                answer = {"ok": await do(client, json.loads(line))}
            except Exception as error:
                answer = {"failed": f"{type(error).__name__}: {error}"}
            print(json.dumps(answer), flush=True)


asyncio.run(main())
