import Foundation
import HoldfastCore
import HoldfastJSON
import Testing

/// Public recordings of the three clouds; `HOLDFAST_TEST_DATA` names the folder that holds them. What is expected is
/// counted by another parser from the fields that say it.
@Suite("Decoding recorded events", .enabled(if: TestData.isThere, "HOLDFAST_TEST_DATA names no folder"))
struct DecodeRealDataTests {
    typealias Object = [String: Any]

    /// Folder, ending of the files, and whether each line is a text of its own.
    static let sources: [(folder: String, ending: String, lines: Bool)] = [
        ("aws-cloudtrail-cribl", ".jsonl", true), ("aws-cloudtrail-cribl", ".json", false),
        ("aws-cloudtrail-invictus", ".jsonl", true), ("aws-cloudtrail-invictus", ".json", false),
        ("aws-cloudtrail-stratus", ".json", false), ("aws-eventbridge-manageiq", ".json", false),
        ("c7n-aws-events", ".json", false), ("c7n-gcp-events", ".json", false),
        ("gcp-cloudevents-audit", ".json", false),
        ("azure-eventhub-dynatrace", "records.jsonl", true), ("azure-eventhub-dynatrace", "envelope.json", false),
        ("azure-eventhub-dynatrace", "events.json", false), ("azure-rest-manageiq", ".json", false),
        ("azure-rest-xplat-cli", ".json", false), ("plaso-3cloud-jsonl", ".jsonl", true),
    ]

    static func texts(_ source: (folder: String, ending: String, lines: Bool)) throws -> [[UInt8]] {
        let files = try TestData.files(source.folder, source.ending)
        try #require(!files.isEmpty, "no \(source.ending) in \(source.folder)")
        return files.flatMap { source.lines ? TestData.lines($0.bytes) : [$0.bytes] }
    }

    /// The records of a text, whatever envelope they are in; one that holds a CloudTrail event gives that.
    static func records(_ tree: Any) throws -> [Object] {
        if let list = tree as? [Any] { return try list.flatMap(records) }
        let object = try #require(tree as? Object)
        for name in ["Records", "records", "value"] {
            if let list = object[name] as? [Any] { return try list.flatMap(records) }
        }
        for name in ["_raw", "CloudTrailEvent", "Message"] {
            if let text = object[name] as? String { return try records(TestData.foreignTree(Array(text.utf8))) }
        }
        let detail = object["detail"] as? Object
        return [detail?["eventName"] == nil ? object : detail ?? object]
    }

    @Test("Every record gives one item, none is lost and none is doubled", arguments: sources.indices)
    func counts(source: Int) throws {
        for text in try Self.texts(Self.sources[source]) {
            let expected = try Self.records(TestData.foreignTree(text)).count
            let found = words(decode(text))
            #expect(found.count == expected, "\(found)")
        }
    }

    @Test("Intake and a full decode agree on every record", arguments: sources.indices)
    func lanes(source: Int) throws {
        var decoder = EventDecoder()
        for text in try Self.texts(Self.sources[source]) {
            let full = decoder.decode(text.span, detail: .full)
            let intake = decoder.decode(text.span, detail: .intake)
            #expect(full.map(intakeView) == intake.map(intakeView))
        }
    }

    @Test(
        "CloudTrail's failures are dropped with their code, its reads as reads, and its writes kept", arguments: 0..<7)
    func cloudTrail(source: Int) throws {
        for text in try Self.texts(Self.sources[source]) {
            let records = try Self.records(TestData.foreignTree(text))
            for (record, item) in zip(records, decode(text)) where record["eventName"] != nil {
                let name = record["eventName"] as? String ?? ""
                guard record["eventTime"] != nil else {
                    #expect(words([item])[0].contains("has no time"))
                    continue
                }
                let event = try #require(item.event, "\(words([item]))")
                #expect(event.action == "\(record["eventSource"] ?? "")/\(name)")
                #expect(event.id == record["eventID"] as? String)
                #expect(event.region == record["awsRegion"] as? String)
                #expect(event.sourceIP == record["sourceIPAddress"] as? String ?? "")
                if let code = record["errorCode"] as? String {
                    #expect(words([item]) == ["dropped failed: \(code)"])
                } else if case .session = item {
                    #expect(["AssumeRole", "ConsoleLogin"].contains(name))
                } else if let readOnly = record["readOnly"] as? Bool {
                    #expect(words([item]) == [readOnly ? "dropped read-only" : "event \(event.action)"])
                }
            }
        }
    }

    @Test("The counts of each folder of CloudTrail are those of its fields")
    func totals() throws {
        for (folder, ending, lines) in Self.sources[0..<5] {
            let texts = try Self.texts((folder, ending, lines))
            let records = try texts.flatMap { try Self.records(TestData.foreignTree($0)) }
            let found = texts.flatMap { words(decode($0)) }
            let failed = records.count { $0["errorCode"] != nil }
            let sessions = records.count { record in
                record["errorCode"] == nil && ["AssumeRole", "ConsoleLogin"].contains(record["eventName"] as? String)
            }
            let reads = records.count { record in
                record["errorCode"] == nil && record["readOnly"] as? Bool == true
                    && record["eventName"] as? String != "AssumeRole"
            }
            #expect(found.count { $0.hasPrefix("dropped failed") } == failed, "\(folder)")
            #expect(found.count { $0.hasPrefix("session") } == sessions, "\(folder)")
            #expect(found.count { $0 == "dropped read-only" } == reads, "\(folder)")
            #expect(found.count { $0.hasPrefix("event") } == records.count - failed - sessions - reads, "\(folder)")
        }
    }

    @Test("Notifications that hold no CloudTrail event are passed over by name")
    func notifications() throws {
        for text in try Self.texts(Self.sources[5]) {
            let outer = try #require(try TestData.foreignTree(text) as? Object)
            let message = try TestData.foreignTree(Array(try #require(outer["Message"] as? String).utf8))
            let inner = try #require(message as? Object)
            let type = inner["detail-type"] as? String ?? "AWS Config \(inner["messageType"] ?? "")"
            let isForeign = words(decode(text)) == ["dropped not-an-audit-event: \(type)"]
            #expect(isForeign != type.hasSuffix("via CloudTrail"), "\(words(decode(text)))")
        }
    }

    @Test(
        "Google's entries are read by log, verb, operation and status",
        arguments: ["c7n-gcp-events", "gcp-cloudevents-audit"])
    func google(folder: String) throws {
        for text in try Self.texts((folder, ".json", false)) {
            let entry = try #require(try TestData.foreignTree(text) as? Object)
            let payload = try #require(entry["protoPayload"] as? Object)
            let method = payload["methodName"] as? String ?? ""
            let event = try #require(decode(text).first?.event)
            #expect(event.action == "\(payload["serviceName"] ?? "")/\(method)")
            let labels = (entry["resource"] as? Object)?["labels"] as? Object
            #expect(event.account == labels?["project_id"] as? String)
            let operation = entry["operation"] as? Object
            let isRead = method.hasSuffix(".get") || method.contains(".Get")
            let isFirst = operation?["first"] as? Bool == true && operation?["last"] as? Bool != true
            let word =
                method.hasPrefix("io.k8s")
                ? "dropped not-an-audit-event: Kubernetes audit record"
                : isRead ? "dropped read-only" : isFirst ? "dropped operation-not-finished" : "event \(event.action)"
            #expect(words(decode(text)) == [word])
        }
    }

    @Test("Azure's rows are read by phase and status", arguments: ["azure-rest-manageiq", "azure-rest-xplat-cli"])
    func azure(folder: String) throws {
        for text in try Self.texts((folder, ".json", false)) {
            let records = try Self.records(TestData.foreignTree(text))
            for (record, item) in zip(records, decode(text)) {
                let event = try #require(item.event)
                let authorization = try #require(record["authorization"] as? Object)
                let operation = (record["operationName"] as? Object)?["value"] as? String
                #expect(event.action == (operation ?? authorization["action"] as? String)?.lowercased())
                #expect((record["id"] as? String)?.contains("/events/\(event.id)/") == true)
                let phase = (record["eventName"] as? Object)?["value"] as? String
                let status = (record["status"] as? Object)?["value"] as? String
                #expect(
                    event.isStart
                        == ["Started", "Accepted"].contains(status ?? (phase == "BeginRequest" ? "Started" : "")))
                if !event.readOnly, event.outcome.isSuccess {
                    #expect(words([item]) == [event.isStart ? "dropped start-row" : "event \(event.action)"])
                }
            }
        }
    }

    @Test("Event Hub rows give what the recording's own expectations say")
    func eventHub() throws {
        let rows = try Self.texts(("azure-eventhub-dynatrace", "records.jsonl", true)).map { decode($0)[0] }
        let expected = try #require(
            try TestData.foreignTree(try TestData.files("azure-eventhub-dynatrace", "expected.json")[0].bytes)
                as? [String: Object])
        let names = ["alert", "administrative", "policy", "resource_health"].map { "\($0)_expected_output" }
        for (name, row) in zip(names, rows) {
            let wanted = try #require(expected[name])
            let event = try #require(row.event)
            #expect(event.account == (wanted["SUBSCRIPTION_ATTRIBUTE"] as? String)?.lowercased())
            if let action = wanted["audit.action"] as? String { #expect(event.action == action.lowercased()) }
            if let identity = wanted["audit.identity"] as? String { #expect(event.actor.name == identity) }
        }
        #expect(words(rows)[1] == "dropped failed: ResourceGroupNotFound")
    }

    @Test(
        "Events in a rule corpus, many made by hand, each give an item",
        arguments: ["aws_cloudtrail", "azure_activity", "gcp_audit"])
    func corpus(name: String) throws {
        for line in try Self.texts(("panther-rules", "tests-\(name)_rules.dev.jsonl", true)) {
            let row = try #require(try TestData.foreignTree(line) as? Object)
            let event = try JSONSerialization.data(withJSONObject: row["event"] ?? NSNull(), options: .fragmentsAllowed)
            let full = decode(Array(event))
            #expect(full.count == 1)
            #expect(full.map(intakeView) == decode(Array(event), detail: .intake).map(intakeView))
        }
    }
}
