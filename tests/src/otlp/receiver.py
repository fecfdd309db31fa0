"""Receives OTLP over HTTP with OpenTelemetry's own messages for Python, and writes each request and each span as a line of
JSON. Ends when its standard input does."""

import http.server
import json
import os
import sys
import threading

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.trace.v1.trace_pb2 import Span

LOCK = threading.Lock()


def say(line):
    with LOCK:
        print(json.dumps(line), flush=True)


def texts(attributes):
    return {a.key: str(getattr(a.value, a.value.WhichOneof("value"))) for a in attributes}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        if self.path != "/v1/traces" or self.headers["content-type"] != "application/x-protobuf":
            self.answer(400, b"")
            return
        request = ExportTraceServiceRequest.FromString(body)
        say({"headers": {name.lower(): value for name, value in self.headers.items()}})
        for group in request.resource_spans:
            resource = texts(group.resource.attributes)
            for scope in group.scope_spans:
                for span in scope.spans:
                    say({"span": {
                        "trace": span.trace_id.hex(), "id": span.span_id.hex(), "parent": span.parent_span_id.hex(),
                        "name": span.name, "kind": Span.SpanKind.Name(span.kind),
                        "attributes": texts(span.attributes), "links": [link.trace_id.hex() for link in span.links],
                        "failed": span.status.code == 2, "scope": scope.scope.name,
                        "nanos": span.end_time_unix_nano - span.start_time_unix_nano, "resource": resource,
                    }})
        self.answer(200, ExportTraceServiceResponse().SerializeToString())

    def answer(self, status, body):
        self.send_response(status)
        self.send_header("content-type", "application/x-protobuf")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler)
say({"port": server.server_port})
threading.Thread(target=server.serve_forever, daemon=True).start()
sys.stdin.read()
os._exit(0)
