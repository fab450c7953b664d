#!/usr/bin/env python3
"""Speaks HTTP/2 over TLS, with the package h2 from PyPI, and answers as the request's path says.

usage: http2_server.py CERTIFICATE KEY. Prints its port as one line of JSON; ends when its input does.
"""
import json
import socket
import ssl
import sys
import threading

import h2.config
import h2.connection
import h2.errors
import h2.events

lock = threading.Lock()
totals = {"connections": 0, "requests": {}}


class Connection:
    def __init__(self, sock):
        self.sock = sock
        self.h2 = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False))
        self.paths = {}
        self.received = {}
        self.unsent = {}
        self.held = []

    def run(self):
        with lock:
            totals["connections"] += 1
        self.h2.initiate_connection()
        try:
            self.flush()
            while data := self.sock.recv(65536):
                for event in self.h2.receive_data(data):
                    self.take(event)
                self.flush()
        except OSError:
            pass
        finally:
            self.sock.close()

    def flush(self):
        self.sock.sendall(self.h2.data_to_send())

    def take(self, event):
        if isinstance(event, h2.events.RequestReceived):
            self.paths[event.stream_id] = dict(event.headers)[b":path"].decode()
            self.received[event.stream_id] = 0
        elif isinstance(event, h2.events.DataReceived):
            self.received[event.stream_id] += len(event.data)
            self.h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        elif isinstance(event, h2.events.StreamEnded):
            self.answer(event.stream_id, self.paths[event.stream_id])
        elif isinstance(event, (h2.events.WindowUpdated, h2.events.RemoteSettingsChanged)):
            for stream in list(self.unsent):
                self.push(stream)
        elif isinstance(event, h2.events.StreamReset):
            self.unsent.pop(event.stream_id, None)
            with lock:
                totals["requests"]["reset"] = totals["requests"].get("reset", 0) + 1

    def answer(self, stream, path):
        with lock:
            totals["requests"][path] = totals["requests"].get(path, 0) + 1
            told = json.dumps(totals).encode()
        if path == "/refuse":
            return self.h2.reset_stream(stream, h2.errors.ErrorCodes.REFUSED_STREAM)
        if path == "/reset":
            return self.h2.reset_stream(stream, h2.errors.ErrorCodes.INTERNAL_ERROR)
        if path == "/goaway":
            self.h2.close_connection(last_stream_id=0)
            self.flush()
            raise OSError
        if path == "/hold":
            return
        if path == "/together":
            # Eight at a time: answered only once all have come over this one connection.
            self.held.append(stream)
            if len(self.held) == 8:
                for held in self.held:
                    self.start(held, b"together")
            return
        bodies = {"/stats": told, "/great": b"x" * (3 << 20), "/length": str(self.received[stream]).encode()}
        self.start(stream, bodies.get(path, b"ok"))

    def start(self, stream, body):
        self.h2.send_headers(stream, [(":status", "200"), ("x-spoken", "h2")])
        self.unsent[stream] = body
        self.push(stream)

    def push(self, stream):
        while True:
            body = self.unsent[stream]
            room = min(self.h2.local_flow_control_window(stream), self.h2.max_outbound_frame_size, len(body))
            if body and room <= 0:
                return
            self.unsent[stream] = body[room:]
            self.h2.send_data(stream, body[:room], end_stream=not self.unsent[stream])
            if not self.unsent[stream]:
                return self.unsent.pop(stream)


def main():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[1], sys.argv[2])
    context.set_alpn_protocols(["h2"])
    listener = socket.create_server(("127.0.0.1", 0), backlog=256)

    def handle(sock):
        try:
            secured = context.wrap_socket(sock, server_side=True)
        except OSError:
            return sock.close()
        Connection(secured).run()

    def accept():
        while True:
            sock, _ = listener.accept()
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=handle, args=(sock,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    print(json.dumps({"port": listener.getsockname()[1]}), flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
