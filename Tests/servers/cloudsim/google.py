"""Google's APIs, one class for each, behind one door: whose token it is, and whether bodies are as documented."""

import copy
import re
import time

from cloudsim.google_compute import Firewalls
from cloudsim.google_logging import Sinks
from cloudsim.google_projects import Projects
from cloudsim.google_sql import Instances
from cloudsim.google_storage import Buckets
from cloudsim.google_words import Policy, refuse


class Google(Buckets, Firewalls, Instances, Projects, Sinks):
    def __init__(self, tokens, documents):
        self.tokens = tokens
        self.documents = documents
        self.projects, self.policies, self.folders = {}, {}, {}
        self.buckets, self.bucket_policies = {}, {}
        self.firewalls, self.instances, self.sinks = {}, {}, {}
        self.operations = {}
        self.disabled = set()
        self.page_size = 100
        self.number = 4853772226933023804

    def seed(self, told):
        # `folders/1` -> {"displayName", "parent"}; a project's parent is its own member.
        self.folders.update(told.get("folders", {}))
        for name, body in told.get("projects", {}).items():
            body = copy.deepcopy(body)
            self.policies[name] = Policy(body.pop("iamPolicy", None))
            self.projects[name] = {
                "projectId": name,
                "projectNumber": str(100000000000 + len(self.projects)),
                "name": name,
                "lifecycleState": "ACTIVE",
                "createTime": "2024-01-01T00:00:00.000Z",
                **body,
            }
        for project, bodies in told.get("buckets", {}).items():
            for body in copy.deepcopy(bodies):
                self.bucket_policies[body["name"]] = Policy(body.pop("iamPolicy", None))
                self.buckets[body["name"]] = self.new_bucket(project, body)
        for project, bodies in told.get("firewalls", {}).items():
            for body in bodies:
                self.firewalls[project, body["name"]] = self.new_firewall(project, copy.deepcopy(body))
        for project, bodies in told.get("instances", {}).items():
            for body in bodies:
                self.instances[project, body["name"]] = self.new_instance(project, copy.deepcopy(body))
        for project, bodies in told.get("sinks", {}).items():
            for body in bodies:
                self.sinks[project, body["name"]] = self.new_sink(project, copy.deepcopy(body))
        # Projects in which these APIs are off: [[project, "sqladmin"]].
        self.disabled |= {tuple(pair) for pair in told.get("disabled", [])}

    def state(self):
        return {
            "projects": self.projects,
            "buckets": self.buckets,
            "policies": {name: policy.shown(3) for name, policy in self.policies.items()},
            "bucketPolicies": {name: policy.shown(3) for name, policy in self.bucket_policies.items()},
            "firewalls": {"/".join(key): body for key, body in self.firewalls.items()},
            "sinks": {"/".join(key): body for key, body in self.sinks.items()},
            "instances": {"/".join(key): body for key, body in self.instances.items()},
        }

    ROUTES = [
        ("GET", r"/storage/v1/b", "list_buckets", "storage.v1", "buckets.list"),
        ("POST", r"/storage/v1/b", "insert_bucket", "storage.v1", "buckets.insert"),
        ("GET", r"/storage/v1/b/([^/]+)", "get_bucket", "storage.v1", "buckets.get"),
        ("PATCH", r"/storage/v1/b/([^/]+)", "patch_bucket", "storage.v1", "buckets.patch"),
        ("DELETE", r"/storage/v1/b/([^/]+)", "delete_bucket", "storage.v1", "buckets.delete"),
        ("GET", r"/storage/v1/b/([^/]+)/iam", "get_bucket_policy", "storage.v1", "buckets.getIamPolicy"),
        ("PUT", r"/storage/v1/b/([^/]+)/iam", "set_bucket_policy", "storage.v1", "buckets.setIamPolicy"),
        ("GET", r"/compute/v1/projects/([^/]+)/global/firewalls", "list_firewalls", "compute.v1", "firewalls.list"),
        ("POST", r"/compute/v1/projects/([^/]+)/global/firewalls", "insert_firewall", "compute.v1", "firewalls.insert"),
        (
            "GET",
            r"/compute/v1/projects/([^/]+)/global/firewalls/([^/]+)",
            "get_firewall",
            "compute.v1",
            "firewalls.get",
        ),
        (
            "PATCH",
            r"/compute/v1/projects/([^/]+)/global/firewalls/([^/]+)",
            "patch_firewall",
            "compute.v1",
            "firewalls.patch",
        ),
        (
            "DELETE",
            r"/compute/v1/projects/([^/]+)/global/firewalls/([^/]+)",
            "delete_firewall",
            "compute.v1",
            "firewalls.delete",
        ),
        (
            "GET",
            r"/compute/v1/projects/([^/]+)/global/operations/([^/]+)",
            "get_operation",
            "compute.v1",
            "globalOperations.get",
        ),
        (
            "POST",
            r"/compute/v1/projects/([^/]+)/global/operations/([^/]+)/wait",
            "wait_operation",
            "compute.v1",
            "globalOperations.wait",
        ),
        ("GET", r"/v1/projects/([^/]+)/instances", "list_instances", "sqladmin.v1", "instances.list"),
        ("POST", r"/v1/projects/([^/]+)/instances", "insert_instance", "sqladmin.v1", "instances.insert"),
        ("GET", r"/v1/projects/([^/]+)/instances/([^/]+)", "get_instance", "sqladmin.v1", "instances.get"),
        ("PATCH", r"/v1/projects/([^/]+)/instances/([^/]+)", "patch_instance", "sqladmin.v1", "instances.patch"),
        ("GET", r"/v1/projects/([^/]+)/operations/([^/]+)", "get_operation", "sqladmin.v1", "operations.get"),
        ("GET", r"/v2/projects/([^/]+)/sinks", "list_sinks", "logging.v2", "projects.sinks.list"),
        ("POST", r"/v2/projects/([^/]+)/sinks", "create_sink", "logging.v2", "projects.sinks.create"),
        ("GET", r"/v2/projects/([^/]+)/sinks/([^/]+)", "get_sink", "logging.v2", "projects.sinks.get"),
        ("PATCH", r"/v2/projects/([^/]+)/sinks/([^/]+)", "patch_sink", "logging.v2", "projects.sinks.patch"),
        ("DELETE", r"/v2/projects/([^/]+)/sinks/([^/]+)", "delete_sink", "logging.v2", "projects.sinks.delete"),
        ("GET", r"/v3/folders", "list_folders", "cloudresourcemanager.v3", "folders.list"),
        ("GET", r"/v3/projects", "list_below", "cloudresourcemanager.v3", "projects.list"),
        ("GET", r"/v1/projects", "list_projects", "cloudresourcemanager.v1", "projects.list"),
        ("GET", r"/v1/projects/([^/:]+)", "get_project", "cloudresourcemanager.v1", "projects.get"),
        (
            "POST",
            r"/v1/projects/([^/:]+):getIamPolicy",
            "get_policy",
            "cloudresourcemanager.v1",
            "projects.getIamPolicy",
        ),
        (
            "POST",
            r"/v1/projects/([^/:]+):setIamPolicy",
            "set_policy",
            "cloudresourcemanager.v1",
            "projects.setIamPolicy",
        ),
    ]

    def answer(self, request):
        for verb, form, handler, api, method in Google.ROUTES:
            match = re.fullmatch(form, request.path)
            if verb == request.method and match:
                return self.handle(request, handler, api, method, match.groups())
        return None

    def handle(self, request, handler, api, method, names):
        if not self.tokens.principal(request, "google"):
            refuse(401, "authError", "Request had invalid authentication credentials.", "UNAUTHENTICATED")
        for operation in self.operations.values():
            if time.monotonic() - operation.started > 1:
                operation.settle()
        project = names[0] if api != "storage.v1" and names else request.query.get("project")
        if (project, api.split(".")[0]) in self.disabled:
            refuse(
                403,
                "accessNotConfigured",
                f"{api.split('.')[0]} has not been used in project {project} before or it is disabled.",
                "PERMISSION_DENIED",
            )
        self.check_request(request, api, method)
        answer = getattr(self, handler)(request, *names)
        self.check_answer(answer, api, method)
        return answer

    def check_request(self, request, api, method):
        if not self.documents:
            return
        wrong = self.documents.unknown_parameters(api, method, request.query)
        schema = self.documents.method(api, method).get("request", {}).get("$ref")
        if schema and request.raw:
            wrong += self.documents.problems(api, schema, request.json)
        elif request.raw:
            wrong.append("a body")
        if wrong:
            refuse(
                400,
                "badRequest",
                "Invalid JSON payload received. Unknown name: " + "; ".join(wrong),
                "INVALID_ARGUMENT",
            )

    def check_answer(self, answer, api, method):
        if not self.documents or answer.body is None:
            return
        schema = self.documents.method(api, method)["response"]["$ref"]
        if wrong := self.documents.problems(api, schema, answer.body):
            raise ValueError("; ".join(wrong))
