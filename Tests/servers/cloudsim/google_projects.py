"""Projects and their IAM policies."""

import re

from cloudsim.google_words import check_conditions, page, refuse
from cloudsim.server import Answer


class Projects:
    def project(self, name):
        if name not in self.projects:
            refuse(403, None, "The caller does not have permission", "PERMISSION_DENIED")
        return self.projects[name]

    def list_projects(self, request):
        wanted = request.query.get("filter", "")
        state = re.search(r"lifecycleState[:=](\w+)", wanted)
        own = [body for _, body in sorted(self.projects.items()) if not state or body["lifecycleState"] == state[1]]
        return Answer(200, page(own, request, self.page_size, name="projects", limit="pageSize"))

    def check_parent(self, request):
        parent = request.query.get("parent", "")
        if not re.fullmatch(r"(folders|organizations)/\d+", parent):
            refuse(400, None, "parent is not organizations/NUMBER or folders/NUMBER", "INVALID_ARGUMENT")
        if parent.startswith("folders/") and parent not in self.folders:
            refuse(403, None, "The caller does not have permission", "PERMISSION_DENIED")
        return parent

    def list_folders(self, request):
        parent = self.check_parent(request)
        own = [
            {"name": name, "state": "ACTIVE", **body}
            for name, body in sorted(self.folders.items())
            if body["parent"] == parent
        ]
        return Answer(200, page(own, request, self.page_size, name="folders", limit="pageSize"))

    def list_below(self, request):
        parent = self.check_parent(request)
        kind, number = parent.split("/")
        own = [
            {
                "name": f"projects/{body['projectNumber']}",
                "projectId": id,
                "displayName": body["name"],
                "state": body["lifecycleState"],
                "parent": parent,
                **({"labels": body["labels"]} if body.get("labels") else {}),
            }
            for id, body in sorted(self.projects.items())
            if body.get("parent") == {"type": kind.removesuffix("s"), "id": number} and body["lifecycleState"] == "ACTIVE"
        ]
        return Answer(200, page(own, request, self.page_size, name="projects", limit="pageSize"))

    def get_project(self, request, name):
        return Answer(200, self.project(name))

    def get_policy(self, request, name):
        self.project(name)
        version = ((request.json or {}).get("options") or {}).get("requestedPolicyVersion", 1)
        return Answer(200, self.policies[name].shown(version))

    def set_policy(self, request, name):
        self.project(name)
        told, policy = request.json.get("policy", {}), self.policies[name]
        if "etag" in told and told["etag"] != policy.etag:
            refuse(
                409,
                None,
                "There were concurrent policy changes. Please retry the whole read-modify-write with "
                "exponential backoff.",
                "ABORTED",
            )
        check_conditions(told, lambda text: refuse(400, None, text, "INVALID_ARGUMENT"))
        mask = request.json.get("updateMask", "bindings,etag").replace(" ", "").split(",")
        policy.change(told, [part for part in mask if part != "etag"])
        return Answer(200, policy.shown(3))
