"""Compute Engine: firewall rules, and operations of all services."""

from cloudsim.google_words import Operation, now, page, patched, refuse
from cloudsim.server import Answer


class Firewalls:
    def new_firewall(self, project, body):
        self.number += 1
        direction = body.get("direction", "INGRESS")
        link = f"https://www.googleapis.com/compute/v1/projects/{project}/global"
        out = {
            "kind": "compute#firewall",
            "id": str(self.number),
            "creationTimestamp": now(),
            "description": "",
            "network": f"{link}/networks/default",
            "priority": 1000,
            "direction": direction,
            "disabled": False,
            "logConfig": {"enable": False},
            "selfLink": f"{link}/firewalls/{body['name']}",
        }
        if direction == "EGRESS":
            out["destinationRanges"] = ["0.0.0.0/0"]
        elif "sourceTags" not in body and "sourceServiceAccounts" not in body:
            out["sourceRanges"] = ["0.0.0.0/0"]
        return patched(out, body)

    def firewall(self, project, name):
        if (project, name) not in self.firewalls:
            refuse(404, "notFound", f"The resource 'projects/{project}/global/firewalls/{name}' was not found")
        return self.firewalls[project, name]

    def list_firewalls(self, request, project):
        own = [body for (owner, _), body in sorted(self.firewalls.items()) if owner == project]
        link = f"https://www.googleapis.com/compute/v1/projects/{project}/global/firewalls"
        head = {"kind": "compute#firewallList", "id": f"projects/{project}/global/firewalls", "selfLink": link}
        return Answer(200, {**head, **page(own, request, self.page_size)})

    def get_firewall(self, request, project, name):
        return Answer(200, self.firewall(project, name))

    def insert_firewall(self, request, project):
        body = request.json
        if (project, body["name"]) in self.firewalls:
            refuse(
                409,
                "alreadyExists",
                f"The resource 'projects/{project}/global/firewalls/{body['name']}' already exists",
            )
        new = self.new_firewall(project, body)
        return self.begin_compute(
            request, project, "insert", new, lambda: self.firewalls.update({(project, body["name"]): new})
        )

    def patch_firewall(self, request, project, name):
        new = patched(self.firewall(project, name), request.json)
        if "allowed" in new and "denied" in new:
            refuse(400, "invalid", "Invalid value for field 'resource': only one of allowed and denied may be given")
        return self.begin_compute(request, project, "patch", new, lambda: self.firewalls.update({(project, name): new}))

    def delete_firewall(self, request, project, name):
        old = self.firewall(project, name)
        return self.begin_compute(request, project, "delete", old, lambda: self.firewalls.pop((project, name), None))

    def begin_compute(self, request, project, verb, target, finish):
        self.number += 1
        name = f"operation-{self.number}"
        link = f"https://www.googleapis.com/compute/v1/projects/{project}/global/operations/{name}"
        operation = self.operations[name] = Operation(finish)
        operation.body = {
            "kind": "compute#operation",
            "id": str(self.number),
            "name": name,
            "operationType": verb,
            "targetLink": target["selfLink"],
            "targetId": target["id"],
            "status": "RUNNING",
            "user": request.principal,
            "progress": 0,
            "insertTime": now(),
            "startTime": now(),
            "selfLink": link,
        }
        return Answer(200, dict(operation.body))

    def found_operation(self, name):
        if name not in self.operations:
            refuse(404, "notFound", f"The operation '{name}' was not found")
        return self.operations[name]

    def get_operation(self, request, project, name):
        operation = self.found_operation(name)
        operation.polls += 1
        if operation.polls > 1:
            operation.settle()
        if operation.is_done:
            operation.body.update(status="DONE", endTime=now())
            if "progress" in operation.body:
                operation.body["progress"] = 100
        return Answer(200, dict(operation.body))

    def wait_operation(self, request, project, name):
        self.found_operation(name).settle()
        return self.get_operation(request, project, name)
