"""Resources of Google Cloud, by its API client."""

import functools

from drift.cases import Planted, at, but, case


@functools.cache
def service(api, version, url, authorities, credentials):
    import google_auth_httplib2
    import httplib2
    from google.oauth2 import service_account
    from googleapiclient.discovery import build

    keys = service_account.Credentials.from_service_account_file(
        credentials, scopes=["https://www.googleapis.com/auth/cloud-platform"])
    http = google_auth_httplib2.AuthorizedHttp(keys, http=httplib2.Http(ca_certs=authorities))
    return build(api, version, http=http, static_discovery=True, client_options={"api_endpoint": url})


PLACES = {"storage": "/storage/v1/", "compute": "/compute/v1/"}


def of(clients, api, version="v1"):
    told = clients.clouds
    return service(
        api, version, told["url"] + PLACES.get(api, ""), told["authorities"], told["credentials"])


def planted(clients, kind, name, show, promised, **more):
    return Planted(kind, name, show, promised, region="", account=clients.clouds["project"], **more)


def finish(clients, api, operation):
    """Asks until an operation is over."""
    operations = of(clients, api)
    project = clients.clouds["project"]
    operations = operations.globalOperations() if api == "compute" else operations.operations()
    while operation["status"] != "DONE":
        operation = operations.get(project=project, operation=operation["name"]).execute()


# Buckets


def bucket(clients, **settings):
    buckets, name = of(clients, "storage").buckets(), f"drift-{clients.number()}"
    buckets.insert(project=clients.clouds["project"], body={"name": name, "location": "EU", **settings}).execute()

    def show():
        found = buckets.get(bucket=name, projection="full").execute()
        access = found["iamConfiguration"]
        for part in ("uniformBucketLevelAccess", "bucketPolicyOnly"):
            access[part].pop("lockedTime", None)
        policy = buckets.getIamPolicy(bucket=name, optionsRequestedPolicyVersion=3).execute()
        return {"access": access, "labels": found.get("labels"), "bindings": policy.get("bindings", [])}

    return buckets, name, show


@case("gcp-bucket-prevent-public-access")
def unprevented(clients):
    _, name, show = bucket(clients, labels={"team": "a"})
    return planted(
        clients, "storage.googleapis.com/Bucket", name, show,
        lambda before: at(before, ["access", "publicAccessPrevention"], "enforced"))


@case("gcp-bucket-uniform-access")
def by_lists(clients):
    _, name, show = bucket(clients)

    def promised(before):
        after = at(before, ["access", "uniformBucketLevelAccess", "enabled"], True)
        return at(after, ["access", "bucketPolicyOnly", "enabled"], True)

    return planted(clients, "storage.googleapis.com/Bucket", name, show, promised)


@case("gcp-bucket-remove-public-members")
def public_bucket(clients):
    buckets, name, show = bucket(clients)
    condition = {"title": "until", "expression": "request.time < timestamp('2030-01-01T00:00:00Z')"}
    policy = buckets.getIamPolicy(bucket=name, optionsRequestedPolicyVersion=3).execute()
    policy.update(version=3, bindings=[
        {"role": "roles/storage.admin", "members": ["group:admins@example.org"], "condition": condition},
        {"role": "roles/storage.objectViewer", "members": ["group:a@example.org", "allUsers"]},
        {"role": "roles/storage.legacyBucketReader", "members": ["allAuthenticatedUsers"]}])
    buckets.setIamPolicy(bucket=name, body=policy).execute()

    def promised(before):
        first, second = before["bindings"][0], {**before["bindings"][1], "members": ["group:a@example.org"]}
        return but(before, bindings=[first, second])

    return planted(clients, "storage.googleapis.com/Bucket", name, show, promised)


# Firewall rules


@case("gcp-firewall-disable")
def open_firewall(clients):
    firewalls, name, project = of(clients, "compute").firewalls(), f"drift-{clients.number()}", clients.clouds["project"]
    body = {"name": name, "sourceRanges": ["0.0.0.0/0"], "allowed": [{"IPProtocol": "tcp", "ports": ["22"]}]}
    finish(clients, "compute", firewalls.insert(project=project, body=body).execute())

    def show():
        return firewalls.get(project=project, firewall=name).execute()

    return planted(
        clients, "compute.googleapis.com/Firewall", name, show, lambda before: but(before, disabled=True))


# Cloud SQL


def instance(clients, **access):
    instances, name = of(clients, "sqladmin").instances(), f"drift-{clients.number()}"
    project = clients.clouds["project"]
    networks = [{"name": "office", "value": "192.0.2.0/24"}]
    settings = {"tier": "db-custom-1-3840", "ipConfiguration": {"ipv4Enabled": True, "authorizedNetworks": networks,
                                                                **access}}
    made = instances.insert(project=project, body={"name": name, "settings": settings}).execute()
    finish(clients, "sqladmin", made)

    def show():
        found = instances.get(project=project, instance=name).execute()["settings"]
        return {name: value for name, value in found.items() if name != "settingsVersion"}

    return name, show


@case("gcp-sql-close-networks")
def open_networks(clients):
    networks = [{"name": "office", "value": "192.0.2.0/24"}, {"name": "all", "value": "0.0.0.0/0"}]
    name, show = instance(clients, authorizedNetworks=networks)

    def promised(before):
        return at(before, ["ipConfiguration", "authorizedNetworks"], networks[:1])

    return planted(clients, "sqladmin.googleapis.com/Instance", name, show, promised)


@case("gcp-sql-require-tls")
def plain_connections(clients):
    name, show = instance(clients)
    return planted(
        clients, "sqladmin.googleapis.com/Instance", name, show,
        lambda before: at(before, ["ipConfiguration", "sslMode"], "ENCRYPTED_ONLY"))


# Projects


def project_policy(clients, *bindings):
    projects, project = of(clients, "cloudresourcemanager").projects(), clients.clouds["project"]
    asked = {"options": {"requestedPolicyVersion": 3}}
    policy = projects.getIamPolicy(resource=project, body=asked).execute()
    policy.update(version=3, bindings=list(bindings))
    projects.setIamPolicy(resource=project, body={"policy": policy, "updateMask": "bindings,etag"}).execute()

    def show():
        found = projects.getIamPolicy(resource=project, body=asked).execute()
        return {name: value for name, value in found.items() if name != "etag"}

    return show


@case("gcp-project-remove-public-members")
def public_project(clients):
    show = project_policy(
        clients, {"role": "roles/viewer", "members": ["allUsers", "group:a@example.org"]},
        {"role": "roles/browser", "members": ["allAuthenticatedUsers"]})

    def promised(before):
        return but(before, bindings=[{"role": "roles/viewer", "members": ["group:a@example.org"]}])

    def meddle():
        members = ["group:a@example.org", "group:new@example.org"]
        project_policy(clients, {"role": "roles/editor", "members": ["group:b@example.org"]},
                       {"role": "roles/viewer", "members": members})

    def kept(before):
        viewers = {"role": "roles/viewer", "members": ["allUsers", "group:a@example.org", "group:new@example.org"]}
        editors = {"role": "roles/editor", "members": ["group:b@example.org"]}
        return but(before, bindings=[editors, before["bindings"][1], viewers])

    return planted(
        clients, "cloudresourcemanager.googleapis.com/Project", None, show, promised, meddle=meddle, kept=kept)


@case("gcp-project-remove-personal-accounts")
def personal_accounts(clients):
    condition = {"title": "until", "expression": "request.time < timestamp('2030-01-01T00:00:00Z')"}
    show = project_policy(
        clients, {"role": "roles/viewer", "members": ["group:a@example.org"]},
        {"role": "roles/editor", "members": ["user:someone@gmail.com", "user:b@example.org"], "condition": condition})

    def promised(before):
        return at(before, ["bindings", 1, "members"], ["user:b@example.org"])

    return planted(clients, "cloudresourcemanager.googleapis.com/Project", None, show, promised)


# Log sinks


@case("gcp-sink-switch-on")
def idle_sink(clients):
    sinks, name = of(clients, "logging", "v2").projects().sinks(), f"drift-{clients.number()}"
    parent = f"projects/{clients.clouds['project']}"
    body = {"name": name, "destination": "storage.googleapis.com/audit-bucket", "filter": "severity>=ERROR",
            "disabled": True, "exclusions": [{"name": "noise", "filter": "severity<INFO"}]}
    sinks.create(parent=parent, body=body).execute()

    def show():
        found = sinks.get(sinkName=f"{parent}/sinks/{name}").execute()
        return {key: value for key, value in found.items() if key != "updateTime"}

    def promised(before):
        return {key: value for key, value in before.items() if key != "disabled"}

    return planted(clients, "logging.googleapis.com/LogSink", name, show, promised)


@case("gcp-sql-protect-from-deletion")
def unprotected_instance(clients):
    name, show = instance(clients)
    return planted(
        clients, "sqladmin.googleapis.com/Instance", name, show,
        lambda before: but(before, deletionProtectionEnabled=True))


@case("gcp-bucket-keep-versions")
def overwritten(clients):
    buckets, name, _ = bucket(clients)

    def show():
        return {"versioning": buckets.get(bucket=name).execute().get("versioning")}

    return planted(
        clients, "storage.googleapis.com/Bucket", name, show, lambda before: {"versioning": {"enabled": True}})
