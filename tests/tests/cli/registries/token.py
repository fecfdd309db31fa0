"""A token server for the distribution registry: gives one user what the registry asks for, and anybody else nothing.

What a token is worth, the registry decides. token.py PORT FOLDER: the folder holds key.pem and cert.pem."""

import base64
import http.server
import json
import subprocess
import sys
import time
import urllib.parse

PORT, FOLDER = int(sys.argv[1]), sys.argv[2]
USER = "Basic " + base64.b64encode(b"mill:for-the-tests-only").decode()


def coded(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def token(access):
    pem = open(f"{FOLDER}/cert.pem").read()
    certificate = "".join(line for line in pem.splitlines() if "-----" not in line)
    now = int(time.time())
    head = {"typ": "JWT", "alg": "RS256", "x5c": [certificate]}
    claims = {"iss": "wasmill-tests", "sub": "mill", "aud": "mill", "exp": now + 300, "nbf": now - 10, "iat": now,
              "jti": str(time.time_ns()), "access": access}
    text = ".".join(coded(json.dumps(part).encode()) for part in (head, claims))
    sign = ["openssl", "dgst", "-sha256", "-sign", f"{FOLDER}/key.pem"]
    return f"{text}.{coded(subprocess.run(sign, input=text.encode(), capture_output=True, check=True).stdout)}"


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        who = self.headers.get("Authorization")
        if who not in (None, USER):
            self.send_error(401)
            return
        query = urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query)
        access = []
        for scope in query.get("scope", []) if who else []:
            kind, name, actions = scope.split(":", 2)
            access.append({"type": kind, "name": name, "actions": actions.split(",")})
        body = json.dumps({"token": token(access)}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


http.server.ThreadingHTTPServer(("127.0.0.1", PORT), Handler).serve_forever()
