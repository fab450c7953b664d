#!/usr/bin/env python3
"""Keys, certificates and their signatures by the Python package `cryptography`.

usage: keys.py make           prints keys and a certificate in PEM, with thumbprints and an RS256 signature
       keys.py verify FILE    FILE holds {algorithm, pem, message, signature} lines; prints {valid} lines
"""
import base64
import datetime
import json
import sys

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, utils
from cryptography.x509.oid import NameOID

MESSAGE = b"the same bytes for all"


def encode(data):
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def pem(key, form, secret=None):
    locked = serialization.BestAvailableEncryption(secret) if secret else serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, form, locked).decode()


def make():
    rsa_key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    p256 = ec.generate_private_key(ec.SECP256R1())
    p384 = ec.generate_private_key(ec.SECP384R1())
    edwards = ed25519.Ed25519PrivateKey.generate()
    pkcs8, old = serialization.PrivateFormat.PKCS8, serialization.PrivateFormat.TraditionalOpenSSL
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "holdfast")])
    day = datetime.datetime(2026, 1, 1)
    certificate = (x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(rsa_key.public_key())
                   .serial_number(7).not_valid_before(day).not_valid_after(day + datetime.timedelta(days=3650))
                   .sign(rsa_key, hashes.SHA256()))
    print(json.dumps(dict(
        rsa=pem(rsa_key, pkcs8), rsa_old=pem(rsa_key, old), rsa_locked=pem(rsa_key, pkcs8, b"pass"),
        rsa_old_locked=pem(rsa_key, old, b"pass"), p256=pem(p256, pkcs8), p256_old=pem(p256, old),
        p384=pem(p384, pkcs8), ed25519=pem(edwards, pkcs8), certificate=certificate.public_bytes(serialization.Encoding.PEM).decode(),
        sha1=encode(certificate.fingerprint(hashes.SHA1())), sha256=encode(certificate.fingerprint(hashes.SHA256())),
        message=MESSAGE.decode(), rs256=encode(rsa_key.sign(MESSAGE, padding.PKCS1v15(), hashes.SHA256())))))


def verify(line):
    key = serialization.load_pem_private_key(line["pem"].encode(), None).public_key()
    signature = base64.urlsafe_b64decode(line["signature"] + "==")
    message = line["message"].encode()
    try:
        if line["algorithm"] == "ES256":
            halves = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
            key.verify(utils.encode_dss_signature(*halves), message, ec.ECDSA(hashes.SHA256()))
        elif line["algorithm"] == "EdDSA":
            key.verify(signature, message)
        elif line["algorithm"] == "PS256":
            key.verify(signature, message, padding.PSS(padding.MGF1(hashes.SHA256()), 32), hashes.SHA256())
        else:
            key.verify(signature, message, padding.PKCS1v15(), hashes.SHA256())
        return len(signature) == (64 if line["algorithm"] in ("ES256", "EdDSA") else 256)
    except InvalidSignature:
        return False


if sys.argv[1] == "make":
    make()
else:
    with open(sys.argv[2], encoding="utf-8") as file:
        for text in file:
            print(json.dumps({"valid": verify(json.loads(text))}))
