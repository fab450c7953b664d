#!/usr/bin/env python3
"""Answers as asked by the request's path: well, late, in part, wrongly or not at all.

usage: fault_server.py FOLDER, made for its certificates, and removed. Prints its ports as one line of JSON; ends when its input does.

Requests with ?token=T are counted, with their connections; /stats?token=T tells. Paths below `answers` and `faults`.
"""
import base64
import email.utils
import gzip
import json
import os
import shutil
import socket
import ssl
import struct
import subprocess
import sys
import threading
import urllib.parse
import warnings

HOST = "127.0.0.1"


class Counts:
    def __init__(self):
        self.lock = threading.Lock()
        self.connections = 0
        self.by_token = {}
        self.gates = {}
        self.proxied = []

    def new_connection(self):
        with self.lock:
            self.connections += 1
            return self.connections

    def note(self, token, connection):
        with self.lock:
            seen = self.by_token.setdefault(token, {"requests": 0, "connections": set(), "left": 0})
            seen["requests"] += 1
            seen["connections"].add(connection)
            return seen["requests"]

    def note_left(self, token):
        with self.lock:
            self.by_token[token]["left"] += 1

    def gate(self, token):
        with self.lock:
            return self.gates.setdefault(token, threading.Event())

    def tell(self, token):
        with self.lock:
            seen = self.by_token.get(token, {"requests": 0, "connections": (), "left": 0})
            return dict(seen, connections=len(seen["connections"]))


counts = Counts()


class Closed(Exception):
    """The connection is over."""


class Request:
    def __init__(self, head):
        first, *lines = head.decode("latin-1").split("\r\n")
        self.head = head.decode("latin-1")
        self.method, self.target, _ = first.split(" ")
        self.headers = [tuple(part.strip() for part in line.split(":", 1)) for line in lines if line]
        url = urllib.parse.urlsplit(self.target)
        self.path = url.path
        self.query = dict(urllib.parse.parse_qsl(url.query))
        self.word = url.path.split("/")[1] if "/" in url.path else ""
        self.number = int(url.path.split("/")[2]) if url.path.count("/") > 1 and url.path.split("/")[2].isdigit() else 0
        self.length = int(self.header("content-length") or 0)
        self.body = b""

    def header(self, name):
        return next((value for key, value in self.headers if key.lower() == name), None)


class Connection:
    def __init__(self, sock):
        self.sock = sock
        self.number = counts.new_connection()
        self.buffer = b""
        self.answered = 0

    def more(self):
        data = self.sock.recv(65536)
        if not data:
            raise Closed
        self.buffer += data

    def read_request(self):
        while b"\r\n\r\n" not in self.buffer:
            self.more()
            if self.buffer.startswith(b"\x16"):
                self.raw(b"HTTP/1.1 400 This is not TLS\r\n\r\n")
                raise Closed
        head, self.buffer = self.buffer.split(b"\r\n\r\n", 1)
        return Request(head)

    def read_body(self, request):
        while len(self.buffer) < request.length:
            self.more()
        request.body, self.buffer = self.buffer[: request.length], self.buffer[request.length:]

    def send(self, status, body=b"", headers=(), length=None):
        lines = [f"HTTP/1.1 {status} Text", f"Content-Length: {len(body) if length is None else length}"]
        lines += [f"{name}: {value}" for name, value in headers]
        self.sock.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + body)

    def raw(self, data):
        self.sock.sendall(data)

    def close(self):
        raise Closed

    def reset(self):
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()
        raise Closed

    def hold(self, token):
        """Until the other side goes away."""
        try:
            while True:
                self.more()
        finally:
            counts.note_left(token)

    def run(self):
        try:
            while True:
                request = self.read_request()
                if request.word == "upload-reset":
                    self.more()
                    self.reset()
                self.read_body(request)
                answer(self, request)
                self.answered += 1
        except (Closed, OSError, ValueError):
            pass
        finally:
            self.sock.close()


def echo(request):
    return json.dumps({
        "method": request.method, "target": request.target, "headers": request.headers,
        "body": base64.b64encode(request.body).decode(),
    }).encode()


def chunked(*chunks, trailers=b""):
    body = b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks)
    return body + b"0\r\n" + trailers + b"\r\n"


def busy(connection, request, seen):
    """503 as often as the path says, then 200."""
    if seen > request.number:
        connection.send(200, b"at last")
    else:
        connection.send(503, b"busy", [("Retry-After", "3")])


def date_ahead(connection, request, seen):
    """A Retry-After that only the answer's own Date explains: it is 1994 here."""
    connection.send(503, b"busy", [
        ("Date", email.utils.formatdate(784111777, usegmt=True)),
        ("Retry-After", email.utils.formatdate(784111777 + 7, usegmt=True)),
    ])


def stale(connection, request, seen):
    """Well the first time on a connection, then it dies without a word."""
    if connection.answered:
        connection.reset()
    connection.send(200, b"first")


def stale_close(connection, request, seen):
    if connection.answered:
        connection.close()
    connection.send(200, b"first")


def leave(connection, request, seen):
    """Answers as if the connection stayed, and ends it."""
    connection.send(200, b"bye")
    connection.sock.close()
    counts.note_left(request.query["token"])
    raise Closed


def gate(connection, request, seen):
    """Answers once /open has been asked for."""
    counts.gate(request.query["token"]).wait()
    connection.send(200, b"open")


def open_gate(connection, request, seen):
    counts.gate(request.query["of"]).set()
    connection.send(200)


def flood(connection, request, seen):
    connection.raw(b"HTTP/1.1 200 Text\r\n")
    for number in range(20000):
        connection.raw(b"X-Flood-%d: %s\r\n" % (number, b"x" * 50))
    connection.raw(b"Content-Length: 0\r\n\r\n")


def huge(connection, request, seen):
    connection.raw(b"HTTP/1.1 200 Text\r\nContent-Length: %d\r\n\r\n" % (request.number << 20))
    for _ in range(request.number):
        connection.raw(b"x" * (1 << 20))


def huge_chunks(connection, request, seen):
    connection.raw(b"HTTP/1.1 200 Text\r\nTransfer-Encoding: chunked\r\n\r\n")
    for _ in range(request.number):
        connection.raw(b"%x\r\n%s\r\n" % (1 << 20, b"x" * (1 << 20)))
    connection.raw(b"0\r\n\r\n")


BOMB = gzip.compress(b"\0" * (64 << 20), 9)

answers = {
    "ok": lambda c, r, n: c.send(200, b"ok"),
    "echo": lambda c, r, n: c.send(200, echo(r)),
    "status": lambda c, r, n: c.send(r.number, b"" if r.number == 204 else b"status"),
    "stats": lambda c, r, n: c.send(200, json.dumps(counts.tell(r.query["of"])).encode()),
    "proxied": lambda c, r, n: c.send(200, json.dumps(counts.proxied).encode()),
    "bytes": lambda c, r, n: c.send(200, b"x" * r.number),
    "gate": gate,
    "open": open_gate,
    "leave": leave,
    "busy": busy,
    "busy-date": date_ahead,
    "many": lambda c, r, n: c.send(429, b"", [("Retry-After", "2")]),
    "redirect": lambda c, r, n: c.send(302, b"", [("Location", "/ok?token=" + r.query.get("token", "")),
                                                 ("Set-Cookie", "taste=sweet")]),
    "gzip": lambda c, r, n: c.send(200, gzip.compress(b"x" * 10000), [("Content-Encoding", "gzip")]),
    "bomb": lambda c, r, n: c.send(200, BOMB, [("Content-Encoding", "gzip")]),
    "folded": lambda c, r, n: c.raw(
        b"HTTP/1.1 200 Text\r\nX-Long: one\r\n  two\r\nX-Twice: 1\r\nx-twice:2  \r\nContent-Length: 0\r\n\r\n"),
    "hints": lambda c, r, n: c.raw(
        b"HTTP/1.1 103 Early Hints\r\nX-Early: 1\r\n\r\nHTTP/1.1 200 Text\r\nContent-Length: 2\r\n\r\nok"),
    "trailers": lambda c, r, n: c.raw(
        b"HTTP/1.1 200 Text\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked(b"o", b"k", trailers=b"X-Late: 1\r\n")),
}

faults = {
    "hold": lambda c, r, n: c.hold(r.query["token"]),
    "slow-body": lambda c, r, n: (c.send(200, b"half", length=8), c.hold(r.query["token"])),
    "truncated": lambda c, r, n: (c.send(200, b"x" * 10, length=100), c.close()),
    "truncated-chunks": lambda c, r, n: (
        c.raw(b"HTTP/1.1 200 Text\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"), c.close()),
    "reset": lambda c, r, n: c.reset(),
    "reset-body": lambda c, r, n: (c.send(200, b"x" * 10, length=100), c.reset()),
    "close": lambda c, r, n: c.close(),
    "stale": stale,
    "stale-close": stale_close,
    "huge": huge,
    "huge-chunks": huge_chunks,
    "wrong-gzip": lambda c, r, n: c.send(200, b"not packed", [("Content-Encoding", "gzip")]),
    "odd-encoding": lambda c, r, n: c.send(200, b"x", [("Content-Encoding", "rot13")]),
    "garbage": lambda c, r, n: (c.raw(b"SSH-2.0-not-http\r\n\r\nAKIASECRET"), c.close()),
    "wrong-length": lambda c, r, n: (c.raw(b"HTTP/1.1 200 Text\r\nContent-Length: many\r\n\r\n"), c.close()),
    "flood": flood,
    "long-header": lambda c, r, n: c.send(200, b"", [("X-Long", "x" * 300000)]),
}


def answer(connection, request):
    token = request.query.get("token")
    seen = counts.note(token, connection.number) if token else 0
    handler = answers.get(request.word) or faults.get(request.word)
    if not handler:
        return connection.send(404, b"no such path")
    handler(connection, request, seen)


class Proxy(Connection):
    """Lets CONNECT through to this machine only, whatever the name; other requests it answers by itself."""

    def run(self):
        try:
            request = self.read_request()
            with counts.lock:
                counts.proxied.append(request.head)
            name, _, port = request.target.partition(":")
            if request.method != "CONNECT":
                self.read_body(request)
                return self.send(200, b"by proxy", [("Connection", "close")])
            if name == "forbidden.test":
                return self.send(403, b"", [("X-Why", "AKIASECRET")])
            if name == "password.test":
                return self.send(407, b"", [("Proxy-Authenticate", "Basic")])
            self.tunnel(int(port))
        except (Closed, OSError, ValueError):
            pass
        finally:
            self.sock.close()

    def tunnel(self, port):
        with socket.create_connection((HOST, port)) as other:
            self.raw(b"HTTP/1.1 200 Connected\r\nX-Proxy: yes\r\n\r\n")
            back = threading.Thread(target=copy, args=(other, self.sock), daemon=True)
            back.start()
            copy(self.sock, other)
            back.join()


def copy(source, sink):
    try:
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        pass


def listen(handle):
    """A new port, whose connections `handle` gets, each on a thread of its own."""
    listener = socket.create_server((HOST, 0), backlog=1024)

    def accept():
        while True:
            sock, _ = listener.accept()
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=handle, args=(sock,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    return listener.getsockname()[1]


def over_tls(context):
    def handle(sock):
        try:
            secured = context.wrap_socket(sock, server_side=True)
        except (OSError, ValueError):
            return sock.close()
        Connection(secured).run()

    return handle


def mute(sock):
    """Takes what comes and says nothing."""
    try:
        while sock.recv(65536):
            pass
    except OSError:
        pass
    sock.close()


def refused_port():
    with socket.create_server((HOST, 0)) as listener:
        return listener.getsockname()[1]


class Authority:
    """A certificate authority that is made for this run."""

    def __init__(self, folder, name):
        self.key, self.certificate = f"{folder}/{name}.key", f"{folder}/{name}.pem"
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                "-subj", f"/CN=Test authority {name}", "-keyout", self.key, "-out", self.certificate)

    def context(self, folder, name, host, days="2"):
        key, request, certificate = (f"{folder}/{name}.{ending}" for ending in ("key", "csr", "pem"))
        with open(f"{folder}/{name}.ext", "w") as file:
            file.write(f"subjectAltName={host}\n")
        openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={name}",
                "-keyout", key, "-out", request)
        openssl("x509", "-req", "-in", request, "-CA", self.certificate, "-CAkey", self.key, "-CAcreateserial",
                "-days", days, "-extfile", f"{folder}/{name}.ext", "-out", certificate)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        return context


def openssl(*arguments):
    subprocess.run(["openssl", *arguments], check=True, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def main():
    folder = sys.argv[1]
    os.makedirs(folder)
    try:
        serve(folder)
    finally:
        shutil.rmtree(folder)


def serve(folder):
    authority, stranger = Authority(folder, "authority"), Authority(folder, "stranger")
    names = "DNS:localhost,DNS:tunnel.test,IP:127.0.0.1"
    old = authority.context(folder, "old", names)
    old.set_ciphers("ALL:@SECLEVEL=0")
    warnings.simplefilter("ignore", DeprecationWarning)
    old.minimum_version, old.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
    ports = {
        "plain": listen(lambda sock: Connection(sock).run()),
        "tls": listen(over_tls(authority.context(folder, "good", names))),
        "wrongHost": listen(over_tls(authority.context(folder, "wrong", "DNS:elsewhere.test"))),
        "expired": listen(over_tls(authority.context(folder, "expired", names, days="-1"))),
        "untrusted": listen(over_tls(stranger.context(folder, "untrusted", names))),
        "old": listen(over_tls(old)),
        "mute": listen(mute),
        "refused": refused_port(),
        "proxy": listen(lambda sock: Proxy(sock).run()),
    }
    print(json.dumps({"ports": ports, "authorities": authority.certificate}), flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
