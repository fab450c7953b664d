"""Bodies held against the schemas of Google's discovery documents, as google-api-python-client brings them."""

import importlib.util
import json
import os
import re


class Documents:
    def __init__(self, folder):
        self.folder = folder
        self.read = {}

    @classmethod
    def installed(cls):
        """`None` where google-api-python-client is not installed."""
        found = importlib.util.find_spec("googleapiclient")
        folder = found and os.path.join(os.path.dirname(found.origin), "discovery_cache", "documents")
        return cls(folder) if folder and os.path.isdir(folder) else None

    def document(self, api):
        if api not in self.read:
            with open(os.path.join(self.folder, f"{api}.json")) as file:
                self.read[api] = json.load(file)
        return self.read[api]

    def problems(self, api, schema, body):
        """What in a body the schema does not have, or has of another type."""
        document = self.document(api)
        return list(self.of_schema(document["schemas"], document["schemas"][schema], body, schema))

    def method(self, api, name):
        part = self.document(api)
        *resources, last = name.split(".")
        for resource in resources:
            part = part["resources"][resource]
        return part["methods"][last]

    def unknown_parameters(self, api, name, query):
        known = {**self.document(api).get("parameters", {}), **self.method(api, name).get("parameters", {})}
        return [f"query parameter {key}" for key in query if key not in known]

    def of_schema(self, schemas, schema, value, place):
        if value is None:
            return
        if "$ref" in schema:
            schema = schemas[schema["$ref"]]
        kind = schema.get("type", "any")
        if kind == "object":
            if not isinstance(value, dict):
                yield f"{place} is {type(value).__name__}, and not a map"
                return
            for key, inner in value.items():
                known = schema.get("properties", {}).get(key) or schema.get("additionalProperties")
                if known is None:
                    yield f"{place}.{key} is not in the document"
                else:
                    yield from self.of_schema(schemas, known, inner, f"{place}.{key}")
        elif kind == "array":
            if not isinstance(value, list):
                yield f"{place} is {type(value).__name__}, and not a list"
                return
            for index, element in enumerate(value):
                yield from self.of_schema(schemas, schema["items"], element, f"{place}[{index}]")
        else:
            yield from self.of_scalar(schema, kind, value, place)

    def of_scalar(self, schema, kind, value, place):
        wanted = {"string": str, "boolean": bool, "integer": int, "number": (int, float)}.get(kind)
        if wanted and (not isinstance(value, wanted) or kind != "boolean" and isinstance(value, bool)):
            yield f"{place} is {value!r}, and not a {kind}"
            return
        if schema.get("format") in ("int64", "uint64") and not re.fullmatch(r"-?\d+", str(value)):
            yield f"{place} is {value!r}, and not a whole number"
        if "enum" in schema and value not in schema["enum"]:
            yield f"{place} is {value!r}, and not one of {', '.join(schema['enum'])}"
