"""A small SMTP server on loopback (RFC 5321) that keeps what it is given: `Sink().letters` are (from, to, message) with
the message as Python's own mail parser reads it. While `refuse` is set it answers 451 to the end of each letter."""
import email
import email.policy
import socketserver
import threading


class Talk(socketserver.StreamRequestHandler):
    timeout = 30

    def say(self, line):
        self.wfile.write(line.encode() + b"\r\n")

    def handle(self):
        sink, sender, recipients = self.server.sink, None, []
        self.say("220 sink.example ESMTP")
        while line := self.rfile.readline(1002):
            assert line.endswith(b"\r\n"), f"a line without CR LF, or too long: {line[:80]}"
            words = line.decode("ascii").strip()
            verb = words[:4].upper()
            if verb in ("EHLO", "HELO"):
                self.say("250 sink.example")
            elif words.upper().startswith("MAIL FROM:"):
                sender, recipients = words[10:].split(" ")[0].strip("<>"), []
                self.say("250 ok")
            elif words.upper().startswith("RCPT TO:"):
                assert sender is not None
                recipients.append(words[8:].strip("<>"))
                self.say("250 ok")
            elif verb == "DATA":
                self.say("354 go on")
                text = b""
                while (part := self.rfile.readline(1002)) != b".\r\n":
                    assert part.endswith(b"\r\n"), f"a line without CR LF, or too long: {part[:80]}"
                    text += part[1:] if part.startswith(b".") else part
                if sink.refuse:
                    sink.refused += 1
                    self.say("451 later")
                else:
                    letter = email.message_from_bytes(text, policy=email.policy.default)
                    assert not letter.defects, letter.defects
                    sink.letters.append((sender, recipients, letter))
                    self.say("250 taken")
            elif verb == "QUIT":
                return self.say("221 bye")
            else:
                self.say("502 no such command")


class Sink:
    def __init__(self):
        self.letters, self.refuse, self.refused = [], False, 0
        server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Talk)
        server.daemon_threads, server.sink = True, self
        self.address = "127.0.0.1:%d" % server.server_address[1]
        threading.Thread(target=server.serve_forever, daemon=True).start()
