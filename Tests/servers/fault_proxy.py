"""A proxy on loopback in front of an AWS endpoint: of the answers a part is throttled, failed or cut off.

    python fault_proxy.py http://127.0.0.1:PORT PERCENT SEED     prints its own port; counts under GET /_faults
"""
import http.client
import http.server
import json
import random
import sys
import threading
import urllib.parse

target = urllib.parse.urlsplit(sys.argv[1])
percent, seed = float(sys.argv[2]), int(sys.argv[3])
chance, lock = random.Random(seed), threading.Lock()
counts = {"passed": 0, "throttled": 0, "failed": 0, "cut": 0}


def draw():
    with lock:
        kind = "passed" if chance.random() * 100 >= percent else chance.choice(["throttled", "failed", "cut"])
        counts[kind] += 1
    return kind


class Proxy(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, status, headers, body):
        self.send_response(status)
        for name, value in headers:
            if name.lower() not in ("connection", "transfer-encoding", "content-length", "server", "date"):
                self.send_header(name, value)
        if self.command != "HEAD" and status not in (204, 304):
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def handle_any(self):
        if self.path == "/_faults":
            return self.answer(200, [("Content-Type", "application/json")], json.dumps(counts).encode())
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        kind = draw()
        if kind == "throttled":
            text = "<Response><Errors><Error><Code>RequestLimitExceeded</Code><Message>slow</Message></Error></Errors></Response>"
            return self.answer(503, [("Content-Type", "text/xml")], text.encode())
        if kind == "failed":
            return self.answer(500, [("Content-Type", "text/plain")], b"broken")
        upstream = http.client.HTTPConnection(target.hostname, target.port, timeout=60)
        upstream.request(self.command, self.path, body, dict(self.headers))
        response = upstream.getresponse()
        content = response.read()
        if kind == "cut":
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (len(content) + 100))
            self.close_connection = True
            return None
        return self.answer(response.status, response.getheaders(), content)

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = handle_any


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


server = Server(("127.0.0.1", 0), Proxy)
print(server.server_address[1], flush=True)
server.serve_forever()
