"""Azure's management groups: what is below each, groups and subscriptions."""

from cloudsim import models
from cloudsim.server import Answer, Refused

PREFIX = "/providers/Microsoft.Management/managementGroups"


class ManagementGroups:
    def seed_groups(self, told):
        """`management-groups`: id -> {"name", "in"}; of a subscription `in` and `tags`."""
        self.management_groups.update(told.get("management-groups", {}))
        if "subscription" in told:
            name = told["subscription"].lower()
            self.placed[name], self.tags[name] = told.get("in"), told.get("tags", {})

    def management_group(self, request, name):
        group = self.management_groups.get(name)
        if group is None:
            # To whoever may not see it, and where it is not there, the answer is the same.
            error = {"code": "AuthorizationFailed", "message": f"no authorization over scope '{PREFIX}/{name}'"}
            raise Refused(Answer(403, {"error": error}))
        properties = {"displayName": group["name"], "details": {"version": 1}}
        if request.query.get("$expand") == "children":
            properties["children"] = self.children(name) or None
        body = {"id": f"{PREFIX}/{name}", "type": "Microsoft.Management/managementGroups", "name": name,
                "properties": properties}
        if faults := models.problems("azure.mgmt.managementgroups", "ManagementGroup", body):
            raise ValueError("; ".join(faults))
        return Answer(200, body)

    def children(self, name):
        groups = [
            {"type": "Microsoft.Management/managementGroups", "id": f"{PREFIX}/{id}", "name": id, "displayName": inner["name"]}
            for id, inner in sorted(self.management_groups.items())
            if inner.get("in") == name
        ]
        subscriptions = [
            {"type": "/subscriptions", "id": f"/subscriptions/{id}", "name": id, "displayName": self.subscriptions[id]}
            for id, inside in sorted(self.placed.items())
            if inside == name
        ]
        return groups + subscriptions
