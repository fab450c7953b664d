"""Stands between Holdfast and moto and keeps every call that would change something, as the judge of what was written:
what is in it has reached the cloud, whatever became of the process that sent it."""
import http.client
import http.server
import threading
import time
import urllib.parse

READING = ("Get", "List", "Describe", "Head", "AssumeRole")


class Write:
    """One call that changes something."""

    def __init__(self, name, path, body):
        self.name, self.path, self.body, self.at = name, path, body, time.monotonic()

    def is_about(self, text):
        return text in self.path or text in self.body

    def __repr__(self):
        return f"{self.name} {self.path} {self.body[:300]}"


def operation(method, path, headers, body):
    """The call's name, as far as its protocol says it; of REST protocols its verb and what it is for."""
    if target := headers.get("X-Amz-Target"):
        return target.split(".")[-1]
    if headers.get("Content-Type", "").startswith("application/x-www-form-urlencoded"):
        return urllib.parse.parse_qs(body).get("Action", [""])[0]
    return f"{'Get' if method in ('GET', 'HEAD') else method.title()} {urllib.parse.urlsplit(path).query.split('=')[0]}"


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, *_):
        """Whoever asks is killed now and then."""


class CountingProxy:
    def __init__(self, target):
        self.target, self.writes, self.lock = urllib.parse.urlsplit(target), [], threading.Lock()
        # Writes that name one of these are refused, as AWS refuses what a role may not do.
        self.denied = set()
        # Told of each write that the cloud has taken: with the answer's headers and its text.
        self.taken = None
        # Operations that are refused whatever they name, reads among them; and those that another server answers.
        self.refused, self.elsewhere = set(), {}
        server = Server(("127.0.0.1", 0), self.handler())
        self.url = f"http://127.0.0.1:{server.server_port}"
        threading.Thread(target=server.serve_forever, daemon=True).start()

    def about(self, text, name=""):
        """The writes so far that name something, oldest first."""
        with self.lock:
            return [write for write in self.writes if write.is_about(text) and name in write.name]

    def count(self):
        with self.lock:
            return len(self.writes)

    def handler(proxy):
        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def handle_any(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                text = body.decode(errors="replace")
                name, write = operation(self.command, self.path, self.headers, text), None
                if name in proxy.refused:
                    return self.deny()
                if not name.startswith(READING):
                    write = Write(name, self.path, text)
                    if any(write.is_about(text) for text in proxy.denied):
                        return self.deny()
                    with proxy.lock:
                        proxy.writes.append(write)
                target = proxy.elsewhere.get(name, proxy.target)
                upstream = http.client.HTTPConnection(target.hostname, target.port, timeout=60)
                try:
                    upstream.request(self.command, self.path, body, dict(self.headers))
                    answer = upstream.getresponse()
                    content = answer.read()
                    if write and proxy.taken and answer.status < 300:
                        proxy.taken(write, dict(answer.getheaders()), content.decode(errors="replace"))
                    self.pass_on(answer, content)
                finally:
                    upstream.close()

            def deny(self):
                content = b"<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>"
                self.send_response(403)
                self.send_header("Content-Type", "application/xml")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def pass_on(self, answer, content):
                self.send_response(answer.status)
                for name, value in answer.getheaders():
                    if name.lower() not in ("connection", "transfer-encoding", "content-length", "server", "date"):
                        self.send_header(name, value)
                if answer.status not in (204, 304):
                    self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(content)

            do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = handle_any
        return Handler
