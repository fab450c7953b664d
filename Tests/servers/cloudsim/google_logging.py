"""Cloud Logging: the sinks of projects."""

from cloudsim.google_words import now, page, patched, refuse
from cloudsim.server import Answer

OPTIONS = {"destination", "filter", "description", "disabled", "exclusions", "bigqueryOptions", "includeChildren"}


class Sinks:
    def new_sink(self, project, body):
        writer = f"serviceAccount:service-{self.projects.get(project, {}).get('projectNumber', '0')}@gcp-sa-logging"
        head = {"writerIdentity": f"{writer}.iam.gserviceaccount.com", "createTime": now(), "updateTime": now()}
        return patched({**head, "resourceName": f"projects/{project}/sinks/{body['name']}"}, body)

    def sink(self, project, name):
        if (project, name) not in self.sinks:
            refuse(404, None, f"Sink {name} does not exist", "NOT_FOUND")
        return self.sinks[project, name]

    def list_sinks(self, request, project):
        own = [body for (owner, _), body in sorted(self.sinks.items()) if owner == project]
        return Answer(200, page(own, request, self.page_size, name="sinks", limit="pageSize"))

    def get_sink(self, request, project, name):
        return Answer(200, self.sink(project, name))

    def create_sink(self, request, project):
        body = request.json
        if (project, body["name"]) in self.sinks:
            refuse(409, None, f"Sink {body['name']} already exists", "ALREADY_EXISTS")
        self.sinks[project, body["name"]] = self.new_sink(project, body)
        return Answer(200, self.sinks[project, body["name"]])

    def patch_sink(self, request, project, name):
        """Only what the mask names changes; what it names and the body has not goes back to its default."""
        old, told = self.sink(project, name), request.json
        mask = request.query.get("updateMask", "destination,filter,includeChildren").split(",")
        if unknown := set(mask) - OPTIONS:
            refuse(400, None, f"updateMask names {', '.join(sorted(unknown))}", "INVALID_ARGUMENT")
        new = {key: value for key, value in old.items() if key not in mask}
        new.update({key: told[key] for key in mask if told.get(key) not in (None, False)})
        self.sinks[project, name] = {**new, "updateTime": now()}
        return Answer(200, self.sinks[project, name])

    def delete_sink(self, request, project, name):
        self.sink(project, name)
        del self.sinks[project, name]
        return Answer(200, {})
