"""Azure Resource Manager: resources by their ids in lower case, lists with pages, etags, long operations."""

import copy
import re
import time
import uuid

from cloudsim import models
from cloudsim.arm_groups import ManagementGroups
from cloudsim.arm_types import KINDS, READ_ONLY, REFUSALS, SECRET, WITHOUT, security_rule
from cloudsim.server import Answer, Refused


def refuse(status, code, message, headers=None):
    raise Refused(Answer(status, {"error": {"code": code, "message": message}}, headers))


def merged(base, patch):
    """RFC 7396 for the body and its properties; what stands below is replaced."""
    out = copy.deepcopy(base)
    for key, value in patch.items():
        if key == "properties" and isinstance(value, dict):
            out[key] = {**out.get(key, {}), **copy.deepcopy(value)}
            out[key] = {name: inner for name, inner in out[key].items() if inner is not None}
        elif value is None:
            out.pop(key, None)
        else:
            out[key] = copy.deepcopy(value)
    return out


def filled(body, defaults):
    """The body with what it does not say."""
    out = dict(body)
    for key, value in defaults.items():
        if key not in out or out[key] is None:
            out[key] = copy.deepcopy(value)
        elif isinstance(value, dict) and isinstance(out[key], dict):
            out[key] = filled(out[key], value) if key in ("properties", "sku") else out[key]
    return out


class Place:
    """An id, or the path of a list, taken apart."""

    def __init__(self, path):
        self.path = path.rstrip("/")
        parts = self.path.split("/")[1:]
        self.subscription = parts[1] if len(parts) > 1 else None
        rest = parts[2:]
        self.group = None
        if rest and rest[0].lower() == "resourcegroups":
            self.group = rest[1] if len(rest) > 1 else ""
            rest = rest[2:]
        self.namespace, self.types, self.names = None, [], []
        if rest and rest[0].lower() == "providers":
            self.namespace = rest[1] if len(rest) > 1 else ""
            self.types, self.names = rest[2::2], rest[3::2]
        self.is_list = len(self.types) > len(self.names)
        self.type = "/".join([self.namespace or "", *self.types]).lower()

    @property
    def key(self):
        return self.path.lower()

    @property
    def parent(self):
        """The path of the resource that this is a child of; `None` for others."""
        return "/".join(self.path.split("/")[:-2]) if len(self.types) > 1 else None


class Operation:
    def __init__(self, finish, result):
        self.finish, self.result = finish, result
        self.polls, self.started, self.is_done = 0, time.monotonic(), False

    def settle(self):
        if not self.is_done:
            self.is_done = True
            self.finish()

    def poll(self):
        self.polls += 1
        if self.polls > 1:
            self.settle()


class ResourceManager(ManagementGroups):
    def __init__(self, tokens):
        self.tokens = tokens
        self.management_groups, self.placed, self.tags = {}, {}, {}
        self.subscriptions = {}
        self.groups = {}
        self.resources = {}
        self.operations = {}
        self.page_size = 100

    def seed(self, told):
        self.seed_groups(told)
        if "subscription" in told:
            subscription = told["subscription"]
            self.subscriptions[subscription.lower()] = told.get("name", "a subscription")
            for group in told.get("groups", []):
                self.groups[f"/subscriptions/{subscription}/resourcegroups/{group}".lower()] = group
        for path, body in told.get("resources", {}).items():
            place = Place(path)
            self.store(place, KINDS[place.type], copy.deepcopy(body))

    def state(self):
        return {"resources": self.resources, "groups": self.groups}

    def answer(self, request):
        if not request.path.lower().startswith(("/subscriptions", "/providers/microsoft.management")):
            return None
        if not self.tokens.principal(request, "azure"):
            error = {
                "code": "InvalidAuthenticationToken",
                "message": "The access token is missing, invalid or expired.",
            }
            return Answer(401, {"error": error}, {"WWW-Authenticate": 'Bearer error="invalid_token"'})
        if "api-version" not in request.query:
            refuse(400, "MissingApiVersionParameter", "The api-version query parameter (?api-version=) is required.")
        for operation in self.operations.values():
            if time.monotonic() - operation.started > 1:
                operation.settle()
        if match := re.fullmatch("(?i)/providers/microsoft.management/managementGroups/([^/]+)", request.path):
            return self.management_group(request, match[1])
        place = Place(request.path)
        if place.subscription is None:
            return Answer(200, {"value": [self.subscription(name) for name in self.subscriptions]})
        if place.subscription.lower() not in self.subscriptions:
            refuse(404, "SubscriptionNotFound", f"The subscription '{place.subscription}' could not be found.")
        if place.namespace is None:
            return self.group(request, place)
        if match := re.fullmatch(r".*/operations/([^/]+)/(status|result)", request.path):
            return self.operation(request, match[1], match[2])
        if place.type == "microsoft.insights/eventtypes/values":
            return Answer(200, {"value": []})
        return self.resource(request, place)

    def subscription(self, name):
        return {
            "id": f"/subscriptions/{name}",
            "subscriptionId": name,
            "displayName": self.subscriptions[name],
            "state": "Enabled",
            **({"tags": self.tags[name]} if self.tags.get(name) else {}),
        }

    def group(self, request, place):
        if place.group is None:
            return Answer(200, self.subscription(place.subscription.lower()))
        name = self.groups.get(place.key)
        if request.method == "PUT":
            name = self.groups[place.key] = place.group
        if not name:
            refuse(404, "ResourceGroupNotFound", f"Resource group '{place.group}' could not be found.")
        return Answer(
            200,
            {
                "id": place.path,
                "name": name,
                "type": "Microsoft.Resources/resourceGroups",
                "location": "westeurope",
                "properties": {"provisioningState": "Succeeded"},
            },
        )

    # Resources

    def resource(self, request, place):
        kind = KINDS.get(place.type)
        if not kind:
            refuse(404, "InvalidResourceType", f"The resource type could not be found in '{place.namespace}'.")
        group = f"/subscriptions/{place.subscription}/resourcegroups/{place.group}".lower()
        if place.group is not None and group not in self.groups:
            refuse(404, "ResourceGroupNotFound", f"Resource group '{place.group}' could not be found.")
        self.check_parent(request, place, kind)
        if place.is_list:
            return self.list(request, place, kind)
        if request.method == "GET":
            return Answer(200, self.shown(self.found(place, kind), kind, request.query))
        if request.method == "DELETE":
            return self.delete(request, place, kind)
        return self.write(request, place, kind)

    def check_parent(self, request, place, kind):
        if len(place.types) < 2:
            return
        top = Place("/".join(place.path.split("/")[:9]))
        if top.key not in self.resources:
            if request.method == "GET":
                self.missing(top, KINDS[top.type])
            refuse(
                404,
                "ParentResourceNotFound",
                "Failed to perform 'write' on resource(s) of type "
                f"'{'/'.join(place.types)}', because the parent resource '{top.path}' could not be found.",
            )
        account = self.resources[top.key].get("kind")
        if kind.refuses in WITHOUT.get(account, ()):
            refuse(400, "FeatureNotSupportedForAccount", f"{kind.refuses} is not supported for the account.")

    def missing(self, place, kind):
        if len(place.types) == 1:
            name = f"{place.namespace}/{place.types[0]}/{place.names[0]}"
            refuse(
                404,
                "ResourceNotFound",
                f"The Resource '{name}' under resource group '{place.group}' was not found. "
                "For more details please go to https://aka.ms/ARMResourceNotFoundFix",
            )
        refuse(
            404,
            kind.none or "ResourceNotFound",
            f"The requested resource of type '{kind.name}' with name '{place.names[-1]}' was not found.",
        )

    def found(self, place, kind):
        if kind.embedded:
            rules = self.resources[Place(place.parent).key]["properties"][kind.embedded]
            body = next((rule for rule in rules if rule["name"].lower() == place.names[-1].lower()), None)
        else:
            body = self.resources.get(place.key)
        if body is None and kind.one is not None:
            return {"id": place.path, "name": place.names[-1], "type": kind.name, "properties": kind.one}
        return body if body is not None else self.missing(place, kind)

    def exists(self, place, kind):
        try:
            self.found(place, kind)
            return True
        except Refused:
            return False

    def shown(self, body, kind, query=None):
        body = copy.deepcopy(body)
        properties = body.get("properties", {})
        for name in SECRET:
            properties.pop(name, None)
        if kind.name == "Microsoft.Sql/servers" and "administrators" not in (query or {}).get("$expand", ""):
            properties.pop("administrators", None)
        package, model, _, _ = kind.models
        if faults := models.problems(package, model, body):
            raise ValueError("; ".join(faults))
        return body

    def list(self, request, place, kind):
        if place.group is None or len(place.types) == 1:
            prefix = place.path.lower().split("/providers/")[0] + "/"
            chosen = [
                body
                for key, body in sorted(self.resources.items())
                if key.startswith(prefix) and Place(key).type == place.type
            ]
        elif kind.embedded:
            chosen = self.resources[place.key.rsplit("/", 1)[0]]["properties"][kind.embedded]
        else:
            chosen = [
                body for key, body in sorted(self.resources.items()) if Place(key).path.rsplit("/", 1)[0] == place.key
            ]
        start = int(request.query.get("$skiptoken", 0))
        page = {"value": [self.shown(body, kind, request.query) for body in chosen[start : start + self.page_size]]}
        if start + self.page_size < len(chosen):
            version = request.query["api-version"]
            page["nextLink"] = f"{request.base}{place.path}?api-version={version}&%24skiptoken={start + self.page_size}"
        return Answer(200, page)

    # Writes

    def check_match(self, request, place, kind):
        wanted = request.header("If-Match")
        if not wanted or wanted == "*" or not kind.if_match:
            return
        if not self.exists(place, kind) or self.found(place, kind).get("etag") != wanted:
            refuse(
                412,
                "PreconditionFailed",
                f"Precondition failed. ETag provided in if-match header {wanted} does not "
                f"match etag of resource {place.path}.",
            )

    def write(self, request, place, kind):
        body = request.json
        if not isinstance(body, dict):
            refuse(400, "InvalidRequestContent", "The request content was invalid and could not be deserialized.")
        package, _, put, patch = kind.models
        if faults := models.problems(package, put if request.method == "PUT" else patch, body):
            refuse(400, "InvalidRequestContent", "; ".join(faults))
        if kind.models[1] in REFUSALS and (reason := REFUSALS[kind.models[1]](body)):
            refuse(400, "BadRequest", reason)
        self.check_match(request, place, kind)
        is_new = not self.exists(place, kind)
        if request.method == "PATCH" and is_new:
            self.missing(place, kind)
        if request.method == "PATCH" or kind.one is not None:
            body = merged(self.found(place, kind), {key: value for key, value in body.items() if key not in READ_ONLY})
        mode = kind.put if request.method == "PUT" else kind.patch
        if mode in ("accepted", "located") and (request.method == "PATCH" or is_new):
            return self.begin(
                request,
                place,
                mode,
                lambda: self.store(place, kind, body),
                lambda: self.shown(self.found(place, kind), kind),
            )
        self.store(place, kind, body)
        stored = self.found(place, kind)
        if mode != "created":
            return Answer(201 if is_new and request.method == "PUT" else 200, self.shown(stored, kind))
        stored["properties"]["provisioningState"] = "Updating"
        answer = self.begin(request, place, mode, lambda: self.succeed(place, kind), None)
        answer.status, answer.body = (201 if is_new else 200), self.shown(stored, kind)
        return answer

    def succeed(self, place, kind):
        if self.exists(place, kind):
            self.found(place, kind)["properties"]["provisioningState"] = "Succeeded"

    def store(self, place, kind, body):
        old = self.found(place, kind) if self.exists(place, kind) else {}
        named = {"id": old.get("id", place.path), "name": old.get("name", place.names[-1]), "type": kind.name}
        body = {**filled(body, kind.defaults(body, place.names[-1])), **named}
        if kind.if_match:
            tag = f'W/"{uuid.uuid4()}"'
            body["etag"] = tag
            if kind.embedded:
                self.resources[Place(place.parent).key]["etag"] = tag
            for rule in body["properties"].get("securityRules", []):
                defaults = {
                    "id": f"{place.path}/securityRules/{rule['name']}",
                    "etag": tag,
                    "type": f"{kind.name}/securityRules",
                    **security_rule(rule, rule["name"]),
                }
                rule.update(filled(rule, defaults), etag=tag)
        if not kind.embedded:
            self.resources[place.key] = body
            return
        rules = self.resources[Place(place.parent).key]["properties"][kind.embedded]
        at = next(
            (index for index, rule in enumerate(rules) if rule["name"].lower() == body["name"].lower()), len(rules)
        )
        rules[at : at + 1] = [body]

    def delete(self, request, place, kind):
        self.check_match(request, place, kind)
        if not self.exists(place, kind):
            return Answer(204)
        if kind.delete == "sync":
            self.remove(place, kind)
            return Answer(200)
        return self.begin(request, place, kind.delete, lambda: self.remove(place, kind), None)

    def remove(self, place, kind):
        if kind.embedded:
            properties = self.resources[Place(place.parent).key]["properties"]
            properties[kind.embedded] = [
                r for r in properties[kind.embedded] if r["name"].lower() != place.names[-1].lower()
            ]
        for key in [key for key in self.resources if key == place.key or key.startswith(place.key + "/")]:
            del self.resources[key]

    # Long operations

    def begin(self, request, place, mode, finish, result):
        name = str(uuid.uuid4())
        self.operations[name] = Operation(finish, result)
        base = (
            f"{request.base}/subscriptions/{place.subscription}/providers/{place.namespace}/locations/westeurope"
            f"/operations/{name}"
        )
        version = request.query["api-version"]
        links = {
            "Azure-AsyncOperation": f"{base}/status?api-version={version}",
            "Location": f"{base}/result?api-version={version}",
            "Retry-After": 0,
        }
        if mode == "created":
            del links["Location"]
        if mode == "located":
            del links["Azure-AsyncOperation"]
        return Answer(202, None, links)

    def operation(self, request, name, what):
        operation = self.operations.get(name)
        if not operation:
            refuse(404, "OperationNotFound", "The operation was not found.")
        operation.poll()
        if what == "status":
            return Answer(
                200, {"name": name, "status": "Succeeded" if operation.is_done else "InProgress"}, {"Retry-After": 0}
            )
        if not operation.is_done:
            return Answer(
                202,
                None,
                {
                    "Location": f"{request.base}{request.path}?api-version={request.query['api-version']}",
                    "Retry-After": 0,
                },
            )
        return Answer(200, operation.result()) if operation.result else Answer(204)
