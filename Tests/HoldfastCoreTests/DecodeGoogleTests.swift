import HoldfastCore
import HoldfastJSON
import Testing

/// An audit log entry; members of its payload are replaced, and where null taken away.
func googleEntry(payload changes: JSON = [:], _ outer: JSON = [:]) -> String {
    var payload: JSON = [
        "@type": "type.googleapis.com/google.cloud.audit.AuditLog", "serviceName": "compute.googleapis.com",
        "methodName": "v1.compute.firewalls.patch", "resourceName": "projects/p-1/global/firewalls/f",
        "authenticationInfo": ["principalEmail": "ann@example.com"],
        "requestMetadata": ["callerIp": "198.51.100.7", "callerSuppliedUserAgent": "google-cloud-sdk gcloud/450"],
    ]
    payload = (try? JSON.parse(edited(payload, changes))) ?? .null
    let entry: JSON = [
        "insertId": "i-1", "logName": "projects/p-1/logs/cloudaudit.googleapis.com%2Factivity", "protoPayload": payload,
        "resource": ["type": "gce_firewall_rule", "labels": ["project_id": "p-1", "location": "global"]],
        "timestamp": "2026-01-02T03:04:05.123456789Z", "receiveTimestamp": "2026-01-02T03:04:06Z", "severity": "NOTICE",
    ]
    return edited(entry, outer)
}

@Suite("Decoding Google Cloud audit logs")
struct DecodeGoogleTests {
    private let patch = "event compute.googleapis.com/v1.compute.firewalls.patch"

    @Test("An entry gives every field of the event")
    func fields() throws {
        let event = try onlyEvent(googleEntry())
        #expect(event.id == "projects/p-1/logs/cloudaudit.googleapis.com%2Factivity|2026-01-02T03:04:05.123456789Z|i-1")
        #expect(event.cloud == .gcp)
        #expect(event.time == Timestamp("2026-01-02T03:04:05.123456789Z"))
        #expect(event.account == "p-1")
        #expect(event.region == "global")
        #expect(event.actor == Principal(name: "ann@example.com", type: "User"))
        #expect(event.sourceIP == "198.51.100.7")
        #expect(event.action == "compute.googleapis.com/v1.compute.firewalls.patch")
        #expect(event.via == .cli)
        #expect(event.outcome == .success)
    }

    @Test("Every way in which entries arrive leads to the same event")
    func shapes() {
        let entry = googleEntry()
        let push =
            #"{"message":{"data":"\#(base64(entry))","publishTime":"2026-01-02T03:04:07Z"},"subscription":"s"}"#
        let urlSafe = base64(entry).replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
        let shapes = [
            entry, "[\(entry)]", #"{"entries":[\#(entry)],"nextPageToken":"x"}"#, push,
            #"{"message":{"data":"\#(urlSafe)"},"subscription":"s"}"#,
            #"{"receivedMessages":[{"ackId":"a","message":{"data":"\#(base64(entry))","messageId":"1"}}]}"#,
            #"{"data":"\#(base64(entry))","messageId":"1","attributes":{}}"#,
            #"{"specversion":"1.0","type":"google.cloud.audit.log.v1.written","id":"1","data":\#(entry)}"#,
            #"{"specversion":"1.0","type":"google.cloud.pubsub.topic.v1.messagePublished","data":\#(push)}"#,
        ]
        for shape in shapes {
            for detail in [DecodeDetail.full, .intake] {
                #expect(words(decode(shape, detail: detail)) == [patch], "\(shape)")
            }
        }
    }

    @Test("Of the two rows of a long operation the last one acts, and a single row acts")
    func operations() throws {
        func word(_ operation: JSON) -> [String] { words(decode(googleEntry(["operation": operation]))) }
        #expect(word(["id": "o", "first": true]) == ["dropped operation-not-finished"])
        #expect(word(["id": "o", "last": true]) == [patch])
        #expect(word(["id": "o", "first": true, "last": true]) == [patch])
        #expect(word(["id": "o", "producer": "x"]) == [patch])
        #expect(try onlyEvent(googleEntry(["operation": ["id": "o", "first": true]])).correlation == "o")
        #expect(try onlyEvent(googleEntry(["operation": ["id": "o", "first": true]])).isStart)
    }

    @Test("A status with a code is a failure by its name")
    func status() {
        func word(_ status: JSON) -> [String] { words(decode(googleEntry(payload: ["status": status]))) }
        #expect(word([:]) == [patch])
        #expect(word(["code": 0]) == [patch])
        #expect(word(["code": 7, "message": "denied"]) == ["dropped failed: PERMISSION_DENIED"])
        #expect(word(["code": "5"]) == ["dropped failed: NOT_FOUND"])
        #expect(word(["code": 99]) == ["dropped failed: 99"])
    }

    @Test(
        "Reads are told by what was authorised, or by the method's verb",
        arguments: [
            ("v1.compute.firewalls.get", true), ("v1.compute.instances.aggregatedList", true),
            ("google.iam.admin.v1.GetRole", true), ("storage.objects.list", true), ("GetIamPolicy", true),
            ("iam.testIamPermissions", true), ("google.logging.v2.ConfigServiceV2.ListSinks", true),
            ("SetIamPolicy", false), ("storage.buckets.update", false), ("jobservice.jobcompleted", false),
            ("google.pubsub.v1.Publisher.CreateTopic", false), ("v1.compute.projects.setCommonInstanceMetadata", false),
        ])
    func reads(method: String, isRead: Bool) throws {
        #expect(try onlyEvent(googleEntry(payload: ["methodName": .string(method)])).readOnly == isRead)
        for (kind, isReadKind) in [
            ("ADMIN_READ", true), ("DATA_READ", true), ("ADMIN_WRITE", false), ("DATA_WRITE", false),
        ] {
            let info: JSON = [["permissionType": .string(kind)]]
            let text = googleEntry(payload: ["methodName": .string(method), "authorizationInfo": info])
            #expect(try onlyEvent(text).readOnly == isReadKind)
        }
    }

    @Test("Who acted through a service account is named, the nearest first")
    func delegation() throws {
        let event = try onlyEvent(
            googleEntry(payload: [
                "authenticationInfo": [
                    "principalEmail": "sa@p-1.iam.gserviceaccount.com", "serviceAccountKeyName": "//iam/keys/1",
                    "serviceAccountDelegationInfo": [
                        ["firstPartyPrincipal": ["principalEmail": "ann@example.com"]],
                        ["principalSubject": "serviceAccount:mid@p-1.iam.gserviceaccount.com"],
                    ],
                ]
            ]))
        #expect(
            event.actor
                == Principal(name: "sa@p-1.iam.gserviceaccount.com", type: "ServiceAccount", sessionKey: "//iam/keys/1")
        )
        #expect(event.callers.map(\.name) == ["serviceAccount:mid@p-1.iam.gserviceaccount.com", "ann@example.com"])
        let workload = "principal://iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/x/subject/s"
        let subject = try onlyEvent(
            googleEntry(payload: ["authenticationInfo": ["principalSubject": .string(workload)]]))
        #expect(subject.actor == Principal(name: workload, type: "FederatedIdentity"))
    }

    @Test("The project is found in labels, resource or log; above projects the log's own parent")
    func accounts() throws {
        #expect(try onlyEvent(googleEntry(["resource": ["labels": ["project_id": "other"]]])).account == "other")
        #expect(try onlyEvent(googleEntry(["resource": .null])).account == "p-1")
        let bucket = googleEntry(
            payload: ["resourceName": "projects/_/buckets/b"], ["resource": .null, "logName": "projects/p-9/logs/a"])
        #expect(try onlyEvent(bucket).account == "p-9")
        let organisation = googleEntry(
            payload: ["resourceName": "organizations/7"], ["resource": .null, "logName": "organizations/7/logs/a"])
        #expect(try onlyEvent(organisation).account == "organizations/7")
    }

    @Test("Place, time and id fall back in the order that they are given")
    func fallbacks() throws {
        #expect(try onlyEvent(googleEntry(["resource": ["labels": ["zone": "z-a", "region": "r"]]])).region == "z-a")
        let located = googleEntry(
            payload: ["resourceLocation": ["currentLocations": ["europe-west1"]]], ["resource": .null])
        #expect(try onlyEvent(located).region == "europe-west1")
        #expect(try onlyEvent(googleEntry(["timestamp": .null])).time == Timestamp("2026-01-02T03:04:06Z"))
        #expect(try onlyEvent(googleEntry(["insertId": .null])).id.hasPrefix("sha256:"))
    }

    @Test(
        "Kubernetes' own audit records and other payloads are passed over, and an entry without method is a dead letter"
    )
    func foreign() {
        let node = googleEntry(payload: ["methodName": "io.k8s.core.v1.nodes.create", "serviceName": "k8s.io"])
        #expect(words(decode(node)) == ["dropped not-an-audit-event: Kubernetes audit record"])
        let request = googleEntry(payload: ["@type": "type.googleapis.com/google.appengine.logging.v1.RequestLog"])
        #expect(words(decode(request)) == ["dropped not-an-audit-event: Google Cloud RequestLog entry"])
        #expect(
            words(decode(googleEntry(payload: ["methodName": .null]))) == [
                "undecodable : has no operation: it lacks protoPayload.methodName"
            ])
    }

    @Test("Base64 in both alphabets is read, and what is none is refused")
    func alphabets() {
        for text in ["a", "ab", "abc", "abcd", "\u{FF}\u{3FF}?>~"] {
            #expect(
                words(decode(#"{"data":"\#(base64(text))","messageId":"1"}"#))[0].hasPrefix(
                    "undecodable data: the JSON"))
        }
        for text in ["A", "AA=A", "A===", "A*AA"] {
            #expect(words(decode(#"{"data":"\#(text)","messageId":"1"}"#))[0].hasPrefix("undecodable data"))
        }
    }
}
