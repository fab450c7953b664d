"""HTTP/1.1 with and without TLS: requests in, answers out, one at a time as far as state goes."""

import email.utils
import http.server
import json
import socket
import ssl
import subprocess
import threading
import time
import urllib.parse

HOST = "127.0.0.1"
STATE = threading.RLock()
NAMES = "DNS:localhost,IP:127.0.0.1"


class Answer:
    def __init__(self, status, body=None, headers=None, delay=0, cut=False):
        self.status = status
        self.body = body
        self.headers = dict(headers or {})
        self.delay = delay
        # The body ends in its middle.
        self.cut = cut


class Request:
    def __init__(self, method, target, headers, body, base):
        url = urllib.parse.urlsplit(target)
        self.method = method
        self.path = urllib.parse.unquote(url.path)
        self.query = dict(urllib.parse.parse_qsl(url.query, keep_blank_values=True))
        self.headers = headers
        self.raw = body
        # Where the client reached this server, for links in answers.
        self.base = base
        self.principal = None

    @property
    def json(self):
        return json.loads(self.raw) if self.raw else None

    @property
    def form(self):
        return dict(urllib.parse.parse_qsl(self.raw.decode(), keep_blank_values=True))

    def header(self, name):
        return self.headers.get(name)


class Refused(Exception):
    """Ends a request with an answer."""

    def __init__(self, answer):
        super().__init__(answer.status)
        self.answer = answer


def entry(request, answer):
    """A request and its answer for the log, without what proves who sent it."""
    body = request.raw.decode(errors="replace")
    is_token = "token" in request.path
    return {
        "method": request.method,
        "path": request.path,
        "query": request.query,
        "principal": request.principal,
        "if-match": request.header("If-Match"),
        "body": "" if is_token else body,
        "status": answer.status,
        "answer": None if is_token else answer.body,
    }


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    simulator = None
    scheme = "http"
    timeout = 120

    def handle_request(self):
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length)
        base = f"{self.scheme}://{self.headers.get('Host')}"
        request = Request(self.command, self.path, self.headers, body, base)
        with STATE:
            try:
                answer = self.simulator.answer(request)
            except Exception as error:  # a fault of ours, which a test must see
                answer = Answer(
                    500, {"error": {"code": "SimulatorFault", "message": f"{type(error).__name__}: {error}"}}
                )
        time.sleep(answer.delay)
        self.reply(answer)

    def reply(self, answer):
        body = b"" if answer.body is None else json.dumps(answer.body).encode()
        self.send_response_only(answer.status)
        self.send_header("Date", email.utils.formatdate(usegmt=True))
        if body:
            self.send_header("Content-Type", "application/json; charset=utf-8")
        if answer.status != 204:
            self.send_header("Content-Length", str(len(body)))
        for name, value in answer.headers.items():
            self.send_header(name, str(value))
        self.end_headers()
        if answer.cut:
            self.wfile.write(body[: len(body) // 2])
            self.close_connection = True
        elif self.command != "HEAD":
            self.wfile.write(body)

    do_GET = do_PUT = do_PATCH = do_POST = do_DELETE = do_HEAD = handle_request

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256
    context = None

    def get_request(self):
        sock, address = super().get_request()
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self.context:
            # The handshake is the connection's own thread's.
            sock = self.context.wrap_socket(sock, server_side=True, do_handshake_on_connect=False)
        return sock, address

    def handle_error(self, *_):
        pass


def listen(simulator, context):
    """A new port; its number."""
    handler = type("Bound", (Handler,), {"simulator": simulator, "scheme": "https" if context else "http"})
    server = Server((HOST, 0), handler)
    server.context = context
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_address[1]


def openssl(*arguments):
    subprocess.run(["openssl", *arguments], check=True, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def certificate(folder):
    """A certificate of an authority that is made for this run: for servers, and the authority's file."""
    curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    authority, key, csr, own, names = (
        f"{folder}/{name}" for name in ("authority.pem", "server.key", "server.csr", "server.pem", "server.ext")
    )
    openssl(
        "req",
        "-x509",
        *curve,
        "-days",
        "2",
        "-subj",
        "/CN=Simulator",
        "-keyout",
        f"{folder}/authority.key",
        "-out",
        authority,
    )
    openssl("req", *curve, "-subj", "/CN=localhost", "-keyout", key, "-out", csr)
    with open(names, "w") as file:
        file.write(f"subjectAltName={NAMES}\n")
    openssl(
        "x509",
        "-req",
        "-in",
        csr,
        "-CA",
        authority,
        "-CAkey",
        f"{folder}/authority.key",
        "-CAcreateserial",
        "-days",
        "2",
        "-extfile",
        names,
        "-out",
        own,
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(own, key)
    return context, authority
