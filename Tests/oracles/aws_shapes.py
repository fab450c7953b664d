"""Makes parameters and answers of AWS operations from botocore's shapes, by a seed."""
import base64
import datetime
import io
import random

TEXTS = ["a", "web-1", "a b", "x/y", "q&a=1", "50%", "é+ü", "日本", "<&>\"'", "arn:aws:iam::111122223333:role/a", "*",
         "0.0.0.0/0", "line\nbreak", "~._-", "{\"a\": [1]}", "🦊"]
PLAIN = ["a", "web-1", "x.y", "A_b", "k=v", "true", "012345670123"]


class Maker:
    def __init__(self, seed, answers=False):
        self.random = random.Random(seed)
        self.answers = answers

    def text(self, shape):
        if shape.enum and self.random.random() < 0.8:
            return self.random.choice(shape.enum)
        plain = shape.serialization.get("location") in ("header", "headers", "uri")
        text = self.random.choice(PLAIN if plain else TEXTS)
        if shape.name in ("BucketName", "Bucket") or shape.serialization.get("name") == "Bucket":
            text = self.random.choice(["my-bucket", "my.bucket.example", "abc", "b" * 63])
        if shape.serialization.get("hostLabel"):
            text = self.random.choice(["111122223333", "012345670123"])
        if shape.serialization.get("location") == "uri" and shape.serialization.get("name") != "Bucket":
            text = self.random.choice(["a b", "fn:1", "é", "x%y", "arn:aws:lambda:eu-west-1:111122223333:function:a"])
        while len(text) < shape.metadata.get("min", 0):
            text += "x"
        return text

    def value(self, shape, depth=0):
        kind = shape.type_name
        if kind == "structure":
            return self.structure(shape, depth)
        if kind == "list":
            low = shape.metadata.get("min", 0)
            count = max(low, self.random.choice([0, 1, 1, 2, 3]) if depth < 6 else 0)
            return [self.value(shape.member, depth + 1) for _ in range(count)]
        if kind == "map":
            count = self.random.choice([0, 1, 2])
            return {f"k{n}{self.random.choice(['', ' ', 'é'])}": self.value(shape.value, depth + 1)
                    for n in range(count)}
        if kind == "boolean":
            return self.random.random() < 0.5
        if kind in ("integer", "long"):
            low = shape.metadata.get("min", -5)
            return max(int(low), self.random.choice([-1, 0, 1, 22, 443, 65535, 2147483647]))
        if kind in ("float", "double"):
            return self.random.choice([0.0, 1.5, -2.25, 1e3])
        if kind == "timestamp":
            seconds = self.random.choice([0, 1, 951782400, 1767225599, 4102444800])
            return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc)
        if kind == "blob":
            return self.random.choice([b"", b"a", bytes(range(7)), "é".encode()])
        return self.text(shape)

    def structure(self, shape, depth=0):
        names = sorted(shape.members)
        if shape.is_tagged_union:
            name = self.random.choice(names)
            return {name: self.value(shape.members[name], depth + 1)}
        share = 0.5 if depth < 4 else 0.15
        out = {}
        for name in names:
            if name in shape.required_members or (depth < 8 and self.random.random() < share):
                out[name] = self.value(shape.members[name], depth + 1)
        return out


def plain(value):
    """The value as JSON has it: times by RFC 3339 with as many digits as they have, bytes in base64."""
    if isinstance(value, dict):
        return {name: plain(inner) for name, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(inner) for inner in value]
    if isinstance(value, datetime.datetime):
        text = value.astimezone(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S")
        return text + (f".{value.microsecond:06d}".rstrip("0") if value.microsecond else "") + "Z"
    if isinstance(value, io.BytesIO):  # botocore puts it in the place of a body
        value = value.getvalue()
    if isinstance(value, (bytes, bytearray)):
        return base64.b64encode(value).decode()
    return value
