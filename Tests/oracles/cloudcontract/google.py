"""Google's clients: everything that the catalog's calls do, done and read back."""

import json

from cloudcontract.words import PROJECT, equal, refused


class Google:
    def buckets(self):
        from google.api_core.exceptions import NotFound, PreconditionFailed
        from google.cloud import storage

        client = storage.Client(
            project=PROJECT, credentials=self.google, client_options={"api_endpoint": self.server.url}
        )
        for name in ("one-bucket", "two-bucket", "three-bucket"):
            client.create_bucket(name, location="EU")
        equal(sorted(bucket.name for bucket in client.list_buckets()), ["one-bucket", "three-bucket", "two-bucket"])
        bucket = client.get_bucket("one-bucket")
        equal(bucket.metageneration, 1)
        bucket.iam_configuration.uniform_bucket_level_access_enabled = True
        bucket.iam_configuration.public_access_prevention = "enforced"
        bucket.patch(if_metageneration_match=1)
        bucket = client.get_bucket("one-bucket")
        equal((bucket.metageneration, bucket.iam_configuration.public_access_prevention), (2, "enforced"))
        bucket.labels = {"a": "b"}
        refused(lambda: bucket.patch(if_metageneration_match=1), PreconditionFailed)
        bucket.patch()
        equal(client.get_bucket("one-bucket").labels, {"a": "b"})
        policy = bucket.get_iam_policy(requested_policy_version=3)
        policy.version = 3
        condition = {"title": "until", "expression": "request.time < timestamp('2030-01-01T00:00:00Z')"}
        policy.bindings.append(
            {"role": "roles/storage.objectViewer", "members": {"group:a@example.org"}, "condition": condition}
        )
        bucket.set_iam_policy(policy)
        found = bucket.get_iam_policy(requested_policy_version=3)
        equal((found.version, found.bindings[0]["condition"]), (3, condition))
        assert "_withcond_" in bucket.get_iam_policy(requested_policy_version=1).bindings[0]["role"]
        refused(lambda: bucket.set_iam_policy(policy), PreconditionFailed)
        found.bindings.append({"role": "roles/storage.objectViewer", "members": {"allUsers"}})
        refused(lambda: bucket.set_iam_policy(found), PreconditionFailed)
        refused(lambda: client.get_bucket("none-bucket"), NotFound)
        client.get_bucket("two-bucket").delete()
        equal(len(list(client.list_buckets())), 2)

    def firewalls(self):
        from google.api_core.exceptions import Conflict, NotFound
        from google.cloud import compute_v1 as compute

        options = {"credentials": self.google, "transport": "rest", "client_options": {"api_endpoint": self.server.url}}
        client, operations = compute.FirewallsClient(**options), compute.GlobalOperationsClient(**options)

        def done(operation):
            # The client's own waiting goes to Google's host, whatever its endpoint.
            assert operations.get(project=PROJECT, operation=operation.name).status.name == "RUNNING"
            assert operations.wait(project=PROJECT, operation=operation.name).status.name == "DONE"

        ssh = compute.Firewall(
            name="ssh",
            network="global/networks/default",
            source_ranges=["0.0.0.0/0"],
            allowed=[compute.Allowed(I_p_protocol="tcp", ports=["22"])],
        )
        done(client.insert_unary(project=PROJECT, firewall_resource=ssh))
        refused(lambda: client.insert_unary(project=PROJECT, firewall_resource=ssh), Conflict)
        for name in ("a", "b"):
            done(
                client.insert_unary(
                    project=PROJECT,
                    firewall_resource=compute.Firewall(name=name, allowed=[compute.Allowed(I_p_protocol="icmp")]),
                )
            )
        equal([rule.name for rule in client.list(project=PROJECT)], ["a", "b", "ssh"])
        done(client.patch_unary(project=PROJECT, firewall="ssh", firewall_resource=compute.Firewall(disabled=True)))
        found = client.get(project=PROJECT, firewall="ssh")
        equal((found.disabled, found.priority, list(found.source_ranges)), (True, 1000, ["0.0.0.0/0"]))
        done(client.delete_unary(project=PROJECT, firewall="a"))
        refused(lambda: client.get(project=PROJECT, firewall="a"), NotFound)

    def build(self, api, version):
        import google_auth_httplib2
        import httplib2
        from googleapiclient.discovery import build

        http = google_auth_httplib2.AuthorizedHttp(self.google, httplib2.Http(ca_certs=self.server.authorities))
        return build(api, version, http=http, static_discovery=True, client_options={"api_endpoint": self.server.url})

    def databases(self):
        from googleapiclient.errors import HttpError

        client = self.build("sqladmin", "v1")
        instances = client.instances()

        def done(operation):
            for _ in range(5):
                operation = client.operations().get(project=PROJECT, operation=operation["name"]).execute()
            equal(operation["status"], "DONE")

        equal(instances.list(project=PROJECT).execute(), {})
        for name in ("db", "da", "dc"):
            done(
                instances.insert(
                    project=PROJECT, body={"name": name, "rootPassword": "secret", "settings": {"tier": "db-f1-micro"}}
                ).execute()
            )
        first = instances.list(project=PROJECT).execute()
        equal([item["name"] for item in first["items"]], ["da", "db"])
        rest = instances.list(project=PROJECT, pageToken=first["nextPageToken"]).execute()
        equal([item["name"] for item in rest["items"]], ["dc"])
        found = instances.get(project=PROJECT, instance="db").execute()
        assert "rootPassword" not in found
        networks = [{"kind": "sql#aclEntry", "name": "all", "value": "0.0.0.0/0"}]
        change = {"settings": {"settingsVersion": "1", "ipConfiguration": {"authorizedNetworks": networks}}}
        operation = instances.patch(project=PROJECT, instance="db", body=change).execute()
        busy = refused(
            lambda: instances.patch(project=PROJECT, instance="db", body={"settings": {}}).execute(), HttpError
        )
        equal((busy.status_code, busy.error_details[0]["reason"]), (409, "operationInProgress"))
        done(operation)
        found = instances.get(project=PROJECT, instance="db").execute()["settings"]
        equal((found["settingsVersion"], found["ipConfiguration"]["authorizedNetworks"]), ("2", networks))
        equal(found["ipConfiguration"]["ipv4Enabled"], True)
        stale = refused(lambda: instances.patch(project=PROJECT, instance="db", body=change).execute(), HttpError)
        equal((stale.status_code, stale.error_details[0]["reason"]), (412, "staleData"))
        none = refused(lambda: instances.get(project=PROJECT, instance="none").execute(), HttpError)
        equal(none.status_code, 404)
        odd = refused(
            lambda: instances.patch(project=PROJECT, instance="db", body={"settings": {"teir": "a"}}).execute(),
            HttpError,
        )
        assert odd.status_code == 400 and "settings.teir" in str(odd), odd

    def projects(self):
        from googleapiclient.errors import HttpError

        projects = self.build("cloudresourcemanager", "v1").projects()
        equal(projects.get(projectId=PROJECT).execute()["labels"], {"team": "a"})
        equal([p["projectId"] for p in projects.list().execute()["projects"]], ["my-project", "other"])
        equal(refused(lambda: projects.get(projectId="none").execute(), HttpError).status_code, 403)
        asked = {"options": {"requestedPolicyVersion": 3}}
        policy = projects.getIamPolicy(resource=PROJECT, body=asked).execute()
        bindings = [
            {
                "role": "roles/viewer",
                "members": ["user:a@example.org"],
                "condition": {"title": "t", "expression": "true"},
            }
        ]
        audited = [{"service": "allServices", "auditLogConfigs": [{"logType": "DATA_READ"}]}]
        old = {**policy, "bindings": bindings, "version": 1}
        refused_version = refused(
            lambda: projects.setIamPolicy(resource=PROJECT, body={"policy": old}).execute(), HttpError
        )
        equal(refused_version.status_code, 400)
        new = {**policy, "version": 3, "bindings": bindings, "auditConfigs": audited}
        projects.setIamPolicy(
            resource=PROJECT, body={"policy": new, "updateMask": "bindings,etag,auditConfigs"}
        ).execute()
        found = projects.getIamPolicy(resource=PROJECT, body=asked).execute()
        equal((found["version"], found["bindings"], found["auditConfigs"]), (3, bindings, audited))
        stale = refused(lambda: projects.setIamPolicy(resource=PROJECT, body={"policy": new}).execute(), HttpError)
        equal(stale.status_code, 409)
        equal(json.loads(stale.content)["error"]["status"], "ABORTED")
        bare = {"version": 3, "bindings": [], "etag": found["etag"]}
        projects.setIamPolicy(resource=PROJECT, body={"policy": bare, "updateMask": "bindings,etag"}).execute()
        equal(projects.getIamPolicy(resource=PROJECT, body=asked).execute()["auditConfigs"], audited)

    def folders(self):
        from googleapiclient.errors import HttpError

        self.server.control(
            "google",
            {
                "folders": {
                    "folders/1": {"displayName": "Dev", "parent": "organizations/9"},
                    "folders/2": {"displayName": "Team", "parent": "folders/1"},
                    "folders/3": {"displayName": "Production", "parent": "organizations/9"},
                },
                "projects": {
                    "shop-dev": {"name": "Shop", "parent": {"type": "folder", "id": "2"}, "labels": {"team": "a"}},
                    "old": {"parent": {"type": "folder", "id": "2"}, "lifecycleState": "DELETE_REQUESTED"},
                    "top": {"parent": {"type": "organization", "id": "9"}},
                },
            },
        )
        api = self.build("cloudresourcemanager", "v3")
        self.server.control("page-size", {"size": 1})
        names, request = [], api.folders().list(parent="organizations/9")
        while request:
            answer = request.execute()
            names += [(folder["name"], folder["displayName"], folder["state"]) for folder in answer["folders"]]
            request = api.folders().list_next(request, answer)
        self.server.control("page-size", {"size": 100})
        equal(names, [("folders/1", "Dev", "ACTIVE"), ("folders/3", "Production", "ACTIVE")])
        equal(api.folders().list(parent="folders/2").execute(), {})
        below = api.projects().list(parent="folders/2").execute()["projects"]
        equal([(p["projectId"], p["displayName"], p["labels"], p["parent"]) for p in below], [
            ("shop-dev", "Shop", {"team": "a"}, "folders/2")])
        equal([p["projectId"] for p in api.projects().list(parent="organizations/9").execute()["projects"]], ["top"])
        equal(refused(lambda: api.folders().list(parent="folders/7").execute(), HttpError).status_code, 403)
        equal(refused(lambda: api.projects().list(parent="9").execute(), HttpError).status_code, 400)
