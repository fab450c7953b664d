"""Tokens of Microsoft Entra and of Google for those who prove who they are, and of their machines' services."""

import base64
import hashlib
import json
import re
import secrets
import ssl
import subprocess
import tempfile
import time

from cloudsim.server import Answer, Refused

JWT_BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"


def decoded(part):
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def thumbprint(der, digest):
    return base64.urlsafe_b64encode(digest(der).digest()).rstrip(b"=").decode()


def public_key(certificate):
    command = ["openssl", "x509", "-pubkey", "-noout"]
    return subprocess.run(command, input=certificate.encode(), check=True, capture_output=True).stdout.decode()


class Tokens:
    def __init__(self, folder):
        self.folder = folder
        self.given = {}
        self.seen_ids = set()
        self.apps = {}
        self.identities = {}
        self.accounts = {}
        self.machine = None
        self.pools = []
        self.actors = {}

    def register(self, told):
        """Adds to those who may get tokens.

        apps        [{tenant, client, secret?, certificate? (PEM), federated? (a token of theirs)}] of Entra
        identities  [client ids] of a machine in Azure; an empty one is its own
        accounts    [{email, key (public, PEM), key-id}] of Google
        machine     {email, project} that a machine of Google runs as
        pools       [{audience, subject-token, email?}] of workload identity federation with Google
        may-act-as  {email: [emails]}: which of Google's accounts may get tokens of which others
        """
        for app in told.get("apps", []):
            self.apps[app["tenant"], app["client"]] = app
        for client in told.get("identities", []):
            self.identities[client] = client or "system-assigned"
        for account in told.get("accounts", []):
            self.accounts[account["email"]] = account
        self.machine = told.get("machine", self.machine)
        self.pools += told.get("pools", [])
        self.actors.update(told.get("may-act-as", {}))

    def new_account(self, email, token_uri):
        key = subprocess.run(["openssl", "genpkey", "-algorithm", "RSA"], check=True, capture_output=True).stdout
        public = subprocess.run(["openssl", "pkey", "-pubout"], input=key, check=True, capture_output=True).stdout
        self.accounts[email] = {"email": email, "key": public.decode(), "key-id": "k1"}
        return {
            "type": "service_account",
            "client_email": email,
            "private_key": key.decode(),
            "private_key_id": "k1",
            "token_uri": token_uri,
        }

    def issue(self, cloud, principal, seconds=3599):
        token = f"sim-{cloud}-{secrets.token_urlsafe(24)}"
        self.given[token] = (cloud, principal, time.time() + seconds)
        return token

    def principal(self, request, cloud):
        """Whose token the request has; `None` where it has none that is good for this cloud."""
        scheme, _, token = (request.header("Authorization") or "").partition(" ")
        found = self.given.get(token)
        if scheme.lower() != "bearer" or not found or found[0] != cloud or found[2] < time.time():
            return None
        request.principal = found[1]
        return found[1]

    def answer(self, request):
        path = request.path
        if match := re.fullmatch(r"/([^/]+)/oauth2/v2\.0/token", path):
            return self.entra(request, match[1])
        if match := re.fullmatch(r"/([^/]+)/v2\.0/\.well-known/openid-configuration", path):
            base = f"{request.base}/{match[1]}"
            return Answer(
                200,
                {
                    "issuer": f"{base}/v2.0",
                    "token_endpoint": f"{base}/oauth2/v2.0/token",
                    "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
                },
            )
        if path == "/metadata/identity/oauth2/token":
            return self.azure_machine(request)
        if path == "/token":
            return self.google_account(request)
        if path == "/v1/token":
            return self.exchange(request)
        if match := re.fullmatch(r"/v1/projects/-/serviceAccounts/([^/:]+):generateAccessToken", path):
            return self.impersonate(request, match[1])
        if path.startswith("/computeMetadata/v1/"):
            return self.google_machine(request, path.removeprefix("/computeMetadata/v1/"))
        return None

    # Microsoft Entra

    def entra(self, request, tenant):
        def refuse(code, text, status=401, error="invalid_client"):
            raise Refused(
                Answer(status, {"error": error, "error_description": f"AADSTS{code}: {text}", "error_codes": [code]})
            )

        form = request.form
        app = self.apps.get((tenant, form.get("client_id")))
        if request.method != "POST" or form.get("grant_type") != "client_credentials":
            refuse(70003, "The grant type is not supported.", 400, "unsupported_grant_type")
        if not app:
            refuse(700016, "Application was not found in the directory.", 400, "unauthorized_client")
        if not form.get("scope", "").endswith("/.default"):
            refuse(1002012, "The provided value for scope is not valid.", 400, "invalid_scope")
        if "client_assertion" in form:
            if form.get("client_assertion_type") != JWT_BEARER:
                refuse(50027, "client_assertion_type is not valid.")
            if form["client_assertion"] != app.get("federated"):
                self.check_assertion(form["client_assertion"], app, tenant, refuse)
        elif not app.get("secret") or form.get("client_secret") != app["secret"]:
            refuse(7000215, "Invalid client secret provided.")
        token = self.issue("azure", app["client"])
        return Answer(200, {"token_type": "Bearer", "expires_in": 3599, "ext_expires_in": 3599, "access_token": token})

    def check_assertion(self, assertion, app, tenant, refuse):
        """A token that the app signed with its certificate's key, as Microsoft describes it."""
        header, claims = self.parts(assertion) or refuse(50027, "JWT token is invalid or malformed.")
        certificate = app.get("certificate") or refuse(700027, "The certificate is not registered.")
        der = ssl.PEM_cert_to_DER_cert(certificate)
        prints = {header.get("x5t"): hashlib.sha1, header.get("x5t#S256"): hashlib.sha256}
        if not any(name and name.rstrip("=") == thumbprint(der, digest) for name, digest in prints.items()):
            refuse(700027, "The certificate with this thumbprint was not found.")
        if not self.is_signed(assertion, header.get("alg"), public_key(certificate)):
            refuse(700027, "Client assertion failed signature validation.")
        if claims.get("iss") != app["client"] or claims.get("sub") != app["client"]:
            refuse(700021, "Client assertion application identifier doesn't match 'client_id'.")
        if not re.fullmatch(rf"https://[^/]+/{re.escape(tenant)}(/oauth2/v2\.0/token|/v2\.0)?", claims.get("aud", "")):
            refuse(700023, "Client assertion audience claim does not match.")
        if not time.time() < claims.get("exp", 0) < time.time() + 3700 or not claims.get("jti"):
            refuse(700024, "Client assertion is not within its valid time range.")
        if claims["jti"] in self.seen_ids:
            refuse(700024, "Client assertion was used before.")
        self.seen_ids.add(claims["jti"])

    def azure_machine(self, request):
        if request.header("Metadata") != "true" or request.header("X-Forwarded-For"):
            return Answer(
                400, {"error": "invalid_request", "error_description": "Required metadata header not specified"}
            )
        query = request.query
        if query.get("api-version") not in ("2018-02-01", "2019-08-01") or "resource" not in query:
            return Answer(400, {"error": "invalid_request", "error_description": "api-version or resource is missing"})
        name = self.identities.get(query.get("client_id", ""))
        if not name:
            return Answer(400, {"error": "invalid_request", "error_description": "Identity not found"})
        token = self.issue("azure", name)
        return Answer(
            200,
            {
                "access_token": token,
                "client_id": name,
                "expires_in": "3599",
                "token_type": "Bearer",
                "expires_on": str(int(time.time()) + 3599),
                "resource": query["resource"],
            },
        )

    # Google

    def google_account(self, request):
        def refuse(text, error="invalid_grant"):
            raise Refused(Answer(400, {"error": error, "error_description": text}))

        form = request.form
        if request.method != "POST" or form.get("grant_type") != "urn:ietf:params:oauth:grant-type:jwt-bearer":
            refuse("Invalid grant_type", "unsupported_grant_type")
        assertion = form.get("assertion", "")
        header, claims = self.parts(assertion) or refuse("Invalid JWT: malformed")
        account = self.accounts.get(claims.get("iss")) or refuse("Invalid grant: account not found")
        if header.get("alg") != "RS256" or header.get("kid") not in (None, account.get("key-id")):
            refuse("Invalid JWT: unknown key")
        if not self.is_signed(assertion, "RS256", account["key"]):
            refuse("Invalid JWT Signature.")
        now, issued, ends = time.time(), claims.get("iat", 0), claims.get("exp", 0)
        if not (now - 3600 < issued < now + 300 and now < ends <= issued + 3600):
            refuse("Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe.")
        if not claims.get("scope"):
            refuse("Invalid OAuth scope or ID token audience provided.", "invalid_scope")
        if claims.get("aud") not in (f"{request.base}/token", "https://oauth2.googleapis.com/token"):
            refuse("Invalid JWT: audience")
        token = self.issue("google", account["email"])
        return Answer(200, {"access_token": token, "expires_in": 3599, "token_type": "Bearer"})

    def google_machine(self, request, word):
        if request.header("Metadata-Flavor") != "Google" or request.header("X-Forwarded-For"):
            return Answer(403, {"error": "Missing Metadata-Flavor:Google header."})
        headers = {"Metadata-Flavor": "Google", "Server": "Metadata Server for VM"}
        if not self.machine:
            return Answer(404, None, headers)
        if re.fullmatch(r"instance/service-accounts/[^/]+/token", word):
            token = self.issue("google", self.machine["email"])
            return Answer(200, {"access_token": token, "expires_in": 3599, "token_type": "Bearer"}, headers)
        if re.fullmatch(r"instance/service-accounts/[^/]+/", word) and "recursive" in request.query:
            scopes = ["https://www.googleapis.com/auth/cloud-platform"]
            return Answer(200, {"aliases": ["default"], "email": self.machine["email"], "scopes": scopes}, headers)
        return Answer(404, None, headers)

    def exchange(self, request):
        told = request.form if "json" not in (request.header("Content-Type") or "") else request.json
        names = {
            "grantType": "grant_type",
            "subjectToken": "subject_token",
            "subjectTokenType": "subject_token_type",
            "requestedTokenType": "requested_token_type",
        }
        told = {names.get(name, name): value for name, value in told.items()}
        pool = next((pool for pool in self.pools if pool["audience"] == told.get("audience")), None)
        whole = told.get("grant_type") == EXCHANGE and told.get("requested_token_type") == ACCESS_TOKEN
        if not whole or not told.get("scope") or not told.get("subject_token_type"):
            return Answer(400, {"error": "invalid_request", "error_description": "Invalid request."})
        if not pool or told.get("subject_token") != pool["subject-token"]:
            return Answer(400, {"error": "invalid_grant", "error_description": "The subject token is not valid."})
        token = self.issue("google", f"principal:{pool['audience']}")
        return Answer(
            200, {"access_token": token, "issued_token_type": ACCESS_TOKEN, "token_type": "Bearer", "expires_in": 3599}
        )

    def impersonate(self, request, email):
        caller = self.principal(request, "google")
        allowed = email in self.actors.get(caller, []) or any(
            pool.get("email") == email and caller == f"principal:{pool['audience']}" for pool in self.pools
        )
        if not allowed or not (request.json or {}).get("scope"):
            return Answer(
                403,
                {
                    "error": {
                        "code": 403,
                        "message": "Permission 'iam.serviceAccounts.getAccessToken' denied",
                        "status": "PERMISSION_DENIED",
                    }
                },
            )
        ends = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 3599))
        return Answer(200, {"accessToken": self.issue("google", email), "expireTime": ends})

    # Signed tokens

    def parts(self, token):
        """Header and claims; `None` where it is no signed token."""
        try:
            header, claims, _ = token.split(".")
            return json.loads(decoded(header)), json.loads(decoded(claims))
        except ValueError:
            return None

    def is_signed(self, token, algorithm, key):
        if algorithm not in ("RS256", "PS256"):
            return False
        signed, _, signature = token.rpartition(".")
        options = ["-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:32"] if algorithm == "PS256" else []
        with tempfile.TemporaryDirectory(dir=self.folder) as folder:
            for name, data in (("key", key.encode()), ("signature", decoded(signature))):
                with open(f"{folder}/{name}", "wb") as file:
                    file.write(data)
            command = [
                "openssl",
                "dgst",
                "-sha256",
                *options,
                "-verify",
                f"{folder}/key",
                "-signature",
                f"{folder}/signature",
            ]
            return subprocess.run(command, input=signed.encode(), capture_output=True).returncode == 0
