#!/usr/bin/env python3
"""A small provider of identities: OpenID Connect discovery, authorization code with PKCE, device flow (RFC 8628), refresh.

usage: oidc_provider.py FOLDER, made for its keys, and removed. Prints {"issuer": ...} as one line; ends when its input does.

POST /control {...} sets what happens next:
  user: claims of who is signed in        rotate: true: other keys from now on       interval: seconds of the device flow
  device: {code: USER_CODE, say: allow | deny}            lifetime: seconds of tokens        fail: N requests for keys answer 500
  claims: {...} over the claims of the next tokens        sign: {...}: gives a token of exactly these header and claims
GET /counts tells how often keys and tokens were asked for.
Needs openssl, and nothing else.
"""
import base64
import hashlib
import http.server
import json
import os
import secrets
import shutil
import subprocess
import sys
import threading
import time
import urllib.parse

CLIENT = "holdfast"


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def openssl(*arguments, data=None):
    return subprocess.run(["openssl", *arguments], input=data, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                          check=True).stdout


class Key:
    """An RSA key, or one on P-256."""

    def __init__(self, folder, kid, algorithm):
        self.kid, self.algorithm, self.path = kid, algorithm, f"{folder}/{kid}.pem"
        if algorithm == "RS256":
            openssl("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", self.path)
            modulus = openssl("rsa", "-in", self.path, "-noout", "-modulus").decode().strip().split("=")[1]
            self.jwk = {"kty": "RSA", "n": b64(bytes.fromhex(modulus)), "e": "AQAB"}
        else:
            openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", self.path)
            point = openssl("pkey", "-in", self.path, "-pubout", "-outform", "DER")[-64:]
            self.jwk = {"kty": "EC", "crv": "P-256", "x": b64(point[:32]), "y": b64(point[32:])}
        self.jwk |= {"kid": kid, "use": "sig", "alg": algorithm}

    def sign(self, data):
        signature = openssl("dgst", "-sha256", "-sign", self.path, data=data)
        if self.algorithm == "RS256":
            return signature
        # DER: SEQUENCE of two INTEGERs.
        out, place = b"", 2
        for _ in range(2):
            length = signature[place + 1]
            out += signature[place + 2:place + 2 + length].lstrip(b"\0").rjust(32, b"\0")
            place += 2 + length
        return out


class Provider:
    def __init__(self, folder):
        self.folder, self.lock = folder, threading.Lock()
        self.generation, self.fail, self.interval, self.lifetime = 0, 0, 5, 300
        self.user, self.claims = {"sub": "subject-1"}, {}
        self.codes, self.devices, self.refreshes = {}, {}, {}
        self.counts = {"keys": 0, "token": 0, "discovery": 0}
        self.issuer = ""
        self.rotate()

    def rotate(self):
        self.generation += 1
        self.keys = [Key(self.folder, f"{name}-{self.generation}", name) for name in ("RS256", "ES256")]

    def token(self, header, claims, key=None):
        key = key or self.keys[self.generation % 2]
        header = {"alg": key.algorithm, "kid": key.kid, "typ": "JWT"} | header
        head = f"{b64(json.dumps(header).encode())}.{b64(json.dumps(claims).encode())}"
        signature = b"" if header["alg"] == "none" else key.sign(head.encode())
        return f"{head}.{b64(signature)}"

    def tokens(self, user, nonce=None):
        now = int(time.time())
        claims = {"iss": self.issuer, "aud": CLIENT, "iat": now, "exp": now + self.lifetime} | user
        if nonce:
            claims["nonce"] = nonce
        refresh = secrets.token_urlsafe(16)
        self.refreshes[refresh] = user
        claims |= self.claims
        token = self.token({}, claims)
        return {"access_token": token, "id_token": token, "token_type": "Bearer", "expires_in": self.lifetime,
                "refresh_token": refresh}

    # Tokens

    def exchange(self, form):
        self.counts["token"] += 1
        kind = form.get("grant_type")
        if form.get("client_id") != CLIENT:
            return 401, {"error": "invalid_client"}
        if kind == "authorization_code":
            return self.by_code(form)
        if kind == "refresh_token":
            user = self.refreshes.pop(form.get("refresh_token"), None)
            return (200, self.tokens(user)) if user else (400, {"error": "invalid_grant"})
        if kind == "urn:ietf:params:oauth:grant-type:device_code":
            return self.by_device(form)
        return 400, {"error": "unsupported_grant_type"}

    def by_code(self, form):
        grant = self.codes.pop(form.get("code"), None)
        if not grant or grant["redirect_uri"] != form.get("redirect_uri"):
            return 400, {"error": "invalid_grant"}
        if b64(hashlib.sha256(form.get("code_verifier", "").encode()).digest()) != grant["code_challenge"]:
            return 400, {"error": "invalid_grant", "error_description": "PKCE"}
        return 200, self.tokens(grant["user"], grant.get("nonce"))

    def by_device(self, form):
        device = self.devices.get(form.get("device_code"))
        if not device:
            return 400, {"error": "invalid_grant"}
        now = time.monotonic()
        if now >= device["ends"]:
            return 400, {"error": "expired_token"}
        # Who asks sooner than it was told must wait longer from now on (RFC 8628, 3.5).
        early, device["asked"] = now - device["asked"] < device["interval"], now
        if early:
            device["interval"] += 5
            return 400, {"error": "slow_down"}
        if device["said"] == "deny":
            return 400, {"error": "access_denied"}
        if device["said"] == "allow":
            del self.devices[form["device_code"]]
            return 200, self.tokens(device["user"])
        return 400, {"error": "authorization_pending"}

    def begin_device(self, form):
        if form.get("client_id") != CLIENT:
            return 401, {"error": "invalid_client"}
        code, user_code = secrets.token_urlsafe(16), f"{secrets.token_hex(2)}-{secrets.token_hex(2)}".upper()
        ends = time.monotonic() + form.get("_lifetime", self.lifetime)
        self.devices[code] = {"user_code": user_code, "said": None, "user": dict(self.user), "interval": self.interval,
                              "asked": time.monotonic(), "ends": ends}
        return 200, {"device_code": code, "user_code": user_code, "verification_uri": f"{self.issuer}/device",
                     "verification_uri_complete": f"{self.issuer}/device?user_code={user_code}",
                     "expires_in": self.lifetime, "interval": self.interval}

    # Control

    def control(self, wanted):
        for name in ("user", "claims", "interval", "lifetime", "fail"):
            if name in wanted:
                setattr(self, name, wanted[name])
        if wanted.get("rotate"):
            self.rotate()
        if "device" in wanted:
            for device in self.devices.values():
                if wanted["device"]["code"] in (device["user_code"], "*"):
                    device["said"], device["user"] = wanted["device"]["say"], dict(self.user)
        if "sign" in wanted:
            key = next((k for k in self.keys if k.algorithm == wanted["sign"].get("key")), None)
            return {"token": self.token(wanted["sign"].get("header", {}), wanted["sign"]["claims"], key)}
        return {}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, status, body, headers=()):
        data = json.dumps(body).encode()
        self.send_response(status)
        for name, value in [("Content-Type", "application/json"), ("Content-Length", str(len(data))), *headers]:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def do_GET(self):
        url = urllib.parse.urlsplit(self.path)
        with provider.lock:
            if url.path == "/.well-known/openid-configuration":
                provider.counts["discovery"] += 1
                base = provider.issuer
                return self.answer(200, {
                    "issuer": base, "jwks_uri": f"{base}/keys", "authorization_endpoint": f"{base}/authorize",
                    "token_endpoint": f"{base}/token", "device_authorization_endpoint": f"{base}/device_authorization"})
            if url.path == "/keys":
                provider.counts["keys"] += 1
                if provider.fail > 0:
                    provider.fail -= 1
                    return self.answer(500, {})
                return self.answer(200, {"keys": [key.jwk for key in provider.keys]})
            if url.path == "/counts":
                return self.answer(200, provider.counts)
            if url.path == "/authorize":
                return self.authorize(dict(urllib.parse.parse_qsl(url.query)))
        self.answer(404, {})

    def authorize(self, form):
        """Whoever `user` is consents at once."""
        if form.get("client_id") != CLIENT or form.get("response_type") != "code" \
                or form.get("code_challenge_method") != "S256" or "openid" not in form.get("scope", "").split():
            return self.answer(400, {"error": "invalid_request"})
        code = secrets.token_urlsafe(16)
        provider.codes[code] = form | {"user": dict(provider.user)}
        query = urllib.parse.urlencode({"code": code, "state": form["state"]})
        self.answer(302, {}, [("Location", f"{form['redirect_uri']}?{query}")])

    def do_POST(self):
        data = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        with provider.lock:
            if self.path == "/control":
                return self.answer(200, provider.control(json.loads(data)))
            form = dict(urllib.parse.parse_qsl(data.decode()))
            if self.path == "/token":
                return self.answer(*provider.exchange(form))
            if self.path == "/device_authorization":
                return self.answer(*provider.begin_device(form))
        self.answer(404, {})


folder = sys.argv[1]
os.makedirs(folder)
try:
    provider = Provider(folder)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    provider.issuer = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(json.dumps({"issuer": provider.issuer}), flush=True)
    sys.stdin.read()
finally:
    shutil.rmtree(folder, ignore_errors=True)
