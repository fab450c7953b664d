"""Cloud SQL: instances."""

import uuid

from cloudsim.google_words import Operation, now, page, patched, refuse
from cloudsim.server import Answer


class Instances:
    def new_instance(self, project, body):
        name = body["name"]
        return patched(
            {
                "kind": "sql#instance",
                "project": project,
                "state": "RUNNABLE",
                "databaseVersion": "POSTGRES_16",
                "region": "europe-west1",
                "gceZone": "europe-west1-b",
                "backendType": "SECOND_GEN",
                "instanceType": "CLOUD_SQL_INSTANCE",
                "connectionName": f"{project}:europe-west1:{name}",
                "etag": "sim",
                "selfLink": f"https://sqladmin.googleapis.com/v1/projects/{project}/instances/{name}",
                "createTime": now(),
                "serviceAccountEmailAddress": f"p-{project}@gcp-sa-cloud-sql.iam.gserviceaccount.com",
                "ipAddresses": [{"type": "PRIMARY", "ipAddress": "203.0.113.7"}],
                "settings": {
                    "kind": "sql#settings",
                    "settingsVersion": "1",
                    "tier": "db-custom-1-3840",
                    "activationPolicy": "ALWAYS",
                    "availabilityType": "ZONAL",
                    "pricingPlan": "PER_USE",
                    "dataDiskType": "PD_SSD",
                    "dataDiskSizeGb": "10",
                    "storageAutoResize": True,
                    "deletionProtectionEnabled": False,
                    "backupConfiguration": {"kind": "sql#backupConfiguration", "enabled": False, "startTime": "01:00"},
                    "ipConfiguration": {
                        "ipv4Enabled": True,
                        "requireSsl": False,
                        "authorizedNetworks": [],
                        "sslMode": "ALLOW_UNENCRYPTED_AND_ENCRYPTED",
                    },
                },
            },
            body,
        )

    def instance(self, project, name):
        if (project, name) not in self.instances:
            refuse(404, "instanceDoesNotExist", "The Cloud SQL instance does not exist.")
        return self.instances[project, name]

    def list_instances(self, request, project):
        own = [body for (owner, _), body in sorted(self.instances.items()) if owner == project]
        found = page(own, request, self.page_size)
        # As the service answers where there are none.
        return Answer(200, found)

    def get_instance(self, request, project, name):
        return Answer(200, self.instance(project, name))

    def insert_instance(self, request, project):
        body = request.json
        new = self.new_instance(project, {key: value for key, value in body.items() if key != "rootPassword"})
        finish = lambda: self.instances.update({(project, body["name"]): new})  # noqa: E731
        return self.begin_sql(request, project, body["name"], "CREATE", finish)

    def patch_instance(self, request, project, name):
        old, told = self.instance(project, name), request.json
        wanted = told.get("settings", {}).get("settingsVersion")
        if wanted is not None and wanted != old["settings"]["settingsVersion"]:
            refuse(412, "staleData", "Condition does not match.")
        busy = any(
            not operation.is_done and operation.body.get("targetId") == name for operation in self.operations.values()
        )
        if busy:
            refuse(409, "operationInProgress", "Operation failed because another operation was already in progress.")
        new = patched(old, told)
        new["settings"]["settingsVersion"] = str(int(old["settings"]["settingsVersion"]) + 1)
        finish = lambda: self.instances.update({(project, name): new})  # noqa: E731
        return self.begin_sql(request, project, name, "UPDATE", finish)

    def begin_sql(self, request, project, target, verb, finish):
        name = str(uuid.uuid4())
        base = f"https://sqladmin.googleapis.com/v1/projects/{project}"
        operation = self.operations[name] = Operation(finish)
        operation.body = {
            "kind": "sql#operation",
            "name": name,
            "operationType": verb,
            "status": "PENDING",
            "user": request.principal,
            "insertTime": now(),
            "targetId": target,
            "targetProject": project,
            "targetLink": f"{base}/instances/{target}",
            "selfLink": f"{base}/operations/{name}",
        }
        return Answer(200, dict(operation.body))
