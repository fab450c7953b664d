"""Cloud Storage: buckets, their access lists and IAM policies."""

import copy
import datetime

from cloudsim.google_words import Policy, check_conditions, etag_of, now, page, patched, refuse
from cloudsim.server import Answer


class Buckets:
    def new_bucket(self, project, body):
        number = self.projects.get(project, {}).get("projectNumber", "0")
        name = body["name"]
        uniform = {"enabled": False}
        return patched(
            {
                "kind": "storage#bucket",
                "id": name,
                "projectNumber": number,
                "location": "EU",
                "locationType": "multi-region",
                "storageClass": "STANDARD",
                "metageneration": "1",
                "generation": "1",
                "etag": etag_of(1),
                "selfLink": f"https://www.googleapis.com/storage/v1/b/{name}",
                "timeCreated": now(),
                "updated": now(),
                "iamConfiguration": {
                    "bucketPolicyOnly": uniform,
                    "uniformBucketLevelAccess": uniform,
                    "publicAccessPrevention": "inherited",
                },
                "acl": [
                    {
                        "kind": "storage#bucketAccessControl",
                        "entity": f"project-owners-{number}",
                        "role": "OWNER",
                        "bucket": name,
                        "etag": etag_of(1),
                    }
                ],
                "defaultObjectAcl": [
                    {
                        "kind": "storage#objectAccessControl",
                        "entity": f"project-owners-{number}",
                        "role": "OWNER",
                        "etag": etag_of(1),
                    }
                ],
            },
            body,
        )

    def bucket(self, name):
        if name not in self.buckets:
            refuse(404, "notFound", "The specified bucket does not exist.")
        return self.buckets[name]

    def shown_bucket(self, body, request):
        body = copy.deepcopy(body)
        uniform = body["iamConfiguration"]["uniformBucketLevelAccess"]["enabled"]
        if request.query.get("projection") != "full" or uniform:
            body.pop("acl", None)
            body.pop("defaultObjectAcl", None)
        return body

    def list_buckets(self, request):
        project = request.query.get("project")
        if not project:
            refuse(400, "required", "Required parameter: project")
        number = self.projects.get(project, {}).get("projectNumber", "0")
        own = [
            self.shown_bucket(body, request)
            for _, body in sorted(self.buckets.items())
            if body["projectNumber"] == number
        ]
        return Answer(200, {"kind": "storage#buckets", **page(own, request, self.page_size)})

    def insert_bucket(self, request):
        body = request.json
        if body["name"] in self.buckets:
            refuse(
                409, "conflict", "Your previous request to create the named bucket succeeded and you already own it."
            )
        self.buckets[body["name"]] = self.new_bucket(request.query["project"], body)
        self.bucket_policies[body["name"]] = Policy()
        return Answer(200, self.shown_bucket(self.buckets[body["name"]], request))

    def check_generation(self, request, bucket):
        wanted = request.query.get("ifMetagenerationMatch")
        if wanted is not None and wanted != bucket["metageneration"]:
            refuse(412, "conditionNotMet", "At least one of the pre-conditions you specified did not hold.")

    def get_bucket(self, request, name):
        bucket = self.bucket(name)
        self.check_generation(request, bucket)
        return Answer(200, self.shown_bucket(bucket, request), {"ETag": bucket["etag"]})

    def patch_bucket(self, request, name):
        bucket = self.bucket(name)
        self.check_generation(request, bucket)
        changed = patched(bucket, request.json)
        number = int(bucket["metageneration"]) + 1
        changed.update(metageneration=str(number), etag=etag_of(number), updated=now())
        access = changed["iamConfiguration"]
        access["bucketPolicyOnly"] = copy.deepcopy(access["uniformBucketLevelAccess"])
        if access["uniformBucketLevelAccess"]["enabled"]:
            locked = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=90)
            for part in ("uniformBucketLevelAccess", "bucketPolicyOnly"):
                access[part].setdefault("lockedTime", locked.strftime("%Y-%m-%dT%H:%M:%S.000Z"))
        else:
            for part in ("uniformBucketLevelAccess", "bucketPolicyOnly"):
                access[part].pop("lockedTime", None)
        self.buckets[name] = changed
        return Answer(200, self.shown_bucket(changed, request))

    def delete_bucket(self, request, name):
        self.check_generation(request, self.bucket(name))
        del self.buckets[name], self.bucket_policies[name]
        return Answer(204)

    def bucket_policy(self, name, version):
        shown = self.bucket_policies[name].shown(version)
        return {"kind": "storage#policy", "resourceId": f"projects/_/buckets/{name}", **shown}

    def get_bucket_policy(self, request, name):
        self.bucket(name)
        return Answer(200, self.bucket_policy(name, int(request.query.get("optionsRequestedPolicyVersion", 1))))

    def set_bucket_policy(self, request, name):
        bucket, told, policy = self.bucket(name), request.json, self.bucket_policies[name]
        if "etag" in told and told["etag"] != policy.etag:
            refuse(412, "conditionNotMet", "At least one of the pre-conditions you specified did not hold.")
        members = {member for binding in told.get("bindings", []) for member in binding["members"]}
        is_prevented = bucket["iamConfiguration"]["publicAccessPrevention"] == "enforced"
        if is_prevented and members & {"allUsers", "allAuthenticatedUsers"}:
            refuse(
                412,
                "conditionNotMet",
                "The member bindings allUsers and allAuthenticatedUsers are not allowed since "
                "public access prevention is enforced.",
            )
        check_conditions(told, lambda text: refuse(400, "invalid", text))
        policy.change(told, ["bindings"])
        return Answer(200, self.bucket_policy(name, 3))
