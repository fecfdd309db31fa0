# A client of gRPC that knows nothing but the .proto file. Prints what comes as lines of JSON; an error as its code, its
# reason and what it says to do next.
import importlib
import json
import pathlib
import sys
import tempfile

import grpc
from google.protobuf.json_format import MessageToDict
from google.rpc import error_details_pb2
from grpc_status import rpc_status
from grpc_tools import protoc

proto, address, token, ca, what, *rest = sys.argv[1:]

with tempfile.TemporaryDirectory() as folder:
    path = pathlib.Path(proto)
    made = protoc.main(["protoc", f"-I{path.parent}", f"--python_out={folder}", f"--grpc_python_out={folder}", path.name])
    assert made == 0
    sys.path.insert(0, folder)
    messages = importlib.import_module("wasmill_pb2")
    stubs = importlib.import_module("wasmill_pb2_grpc")


def show(message):
    print(json.dumps(MessageToDict(message, preserving_proto_field_name=True)), flush=True)


if ca:
    channel = grpc.secure_channel(address, grpc.ssl_channel_credentials(pathlib.Path(ca).read_bytes()))
else:
    channel = grpc.insecure_channel(address)
about = [("authorization", f"Bearer {token}")] if token else []
agents = stubs.AgentsStub(channel)
conversations = stubs.ConversationsStub(channel)
traces = stubs.TracesStub(channel)

try:
    if what == "start":
        name, component, reads, settings = rest
        show(agents.Start(messages.StartAgent(name=name, component=component, reads=reads.split(","),
                                              settings=json.loads(settings)), metadata=about, timeout=60))
    elif what == "stop":
        show(agents.Stop(messages.StopAgent(name=rest[0]), metadata=about, timeout=60))
    elif what == "list":
        show(agents.List(messages.ListAgents(), metadata=about, timeout=60))
    elif what == "talk":
        session, text, count, traceparent = rest

        def say():
            yield messages.TalkRequest(begin=messages.Begin(session=session))
            yield messages.TalkRequest(message=messages.Message(text=text, event_id="first"))

        if traceparent:
            about.append(("traceparent", traceparent))
        heard = conversations.Talk(say(), metadata=about, timeout=60)
        for number, event in enumerate(heard, 1):
            show(event)
            if number == int(count):
                heard.cancel()
                break
    elif what == "message-first":
        first = messages.TalkRequest(message=messages.Message(text="x" * int(rest[0])))
        for event in conversations.Talk(iter([first]), metadata=about, timeout=60):
            show(event)
    elif what == "watch":
        trace, names = rest
        # The first headers say that the host listens.
        events = traces.Watch(messages.WatchTraces(trace_id=trace), metadata=about, timeout=60)
        events.initial_metadata()
        print(json.dumps("watching"), flush=True)
        missing = set(names.split(","))
        for event in events:
            show(event)
            missing = {name for name in missing if not event.span.name.startswith(name)}
            if not missing:
                events.cancel()
                break
except grpc.RpcError as error:
    status = rpc_status.from_call(error)
    info = error_details_pb2.ErrorInfo()
    for detail in status.details if status else []:
        if detail.Is(info.DESCRIPTOR):
            detail.Unpack(info)
    print(json.dumps({"code": error.code().name, "reason": info.reason, "message": error.details(),
                      "next": info.metadata.get("next", "")}))
