/// How the audit log is kept, and where its checkpoints go.
package struct AuditSettings: Sendable, Hashable {
    package enum Anchor: Sendable, Hashable {
        /// From the configuration's folder.
        case file(String)
        /// A unix socket's path, from the configuration's folder.
        case syslogSocket(String)
        case syslogUDP(host: String, port: Int)
        case kafka(brokers: String, topic: String, options: [String: String])
        case s3(ObjectLockSettings)
    }

    /// A bucket with Object Lock.
    package struct ObjectLockSettings: Sendable, Hashable {
        package var bucket: String
        /// Before the objects' names; empty or with a slash at its end.
        package var prefix: String
        package var region: String
        /// An ARN; `nil`: this machine's own credentials.
        package var role: String?
        package var externalID: String?
        /// How long nobody can delete or change an object.
        package var retain: Span
    }

    package var anchors: [Anchor] = []
    /// `env:NAME` or `file:PATH` of the private key that signs checkpoints; `nil`: they are not signed.
    package var key: String?
    /// How long batches of evidence are kept; `nil`: for good.
    package var evidence: Span?
    /// Nothing is deleted, whatever its age.
    package var isOnLegalHold = false

    /// After how long evidence is deleted; `nil`: never.
    package var evidenceRetention: Span? { isOnLegalHold ? nil : evidence }
}

extension Configuration {
    static let auditFields: [Shape.Field] = [
        .init(
            "audit",
            .record(
                .init("anchor", .list(anchor), "where checkpoints go, each minute in which something was logged")),
            "the audit log"),
        .init(
            "retention",
            .record(
                .init(
                    "evidence", .duration,
                    "batches of events as they were received are deleted after this; a record in the audit log stands "
                        + "for them. Default: they are kept"),
                .init("legal-hold", .bool, "true: nothing is deleted, whatever its age. Default false")),
            "how long what was received is kept"),
    ]

    private static let anchor: Shape = .record(
        .init("file", .text, "appended to, never rewritten"),
        .init("syslog", .text, "RFC 5424: unix:PATH, such as unix:/dev/log, or udp:HOST:PORT"),
        .init(
            "kafka",
            .record(
                .init("brokers", .text, required: true, "host:port, several with commas"),
                .init("topic", .text, required: true, "a topic that nothing is deleted from"),
                .init(
                    "options", .map(keys: "a librdkafka setting", .text),
                    "passed to librdkafka; a value env:NAME is read from the environment")), "a Kafka topic"),
        .init(
            "s3",
            .record(
                .init("bucket", .text, required: true, "a bucket with Object Lock"),
                .init("region", .text, required: true, "the bucket's"),
                .init("retain", .duration, required: true, "for so long nobody can delete or change an object"),
                .init("prefix", .text, "before the objects' names. Default holdfast/"),
                .init("role", .text, "an AWS role's ARN. Default: this machine's own credentials"),
                .init("external-id", .text, "what the role's trust policy asks for")),
            "objects in S3, locked in mode COMPLIANCE"))
}

/// Reads what the configuration says of the audit log, and says what is wrong with it.
struct AuditReader {
    private(set) var problems: [Problem] = []

    mutating func settings(_ node: Node) -> AuditSettings {
        var settings = AuditSettings()
        settings.anchors = (node["audit"]?["anchor"]?.list ?? []).compactMap { anchor($0) }
        settings.key = node["keys"]?["audit"]?.text
        settings.evidence = node["retention"]?["evidence"]?.text.flatMap { Span($0) }
        settings.isOnLegalHold = node["retention"]?["legal-hold"]?.text == "true"
        return settings
    }

    private mutating func anchor(_ node: Node) -> AuditSettings.Anchor? {
        guard let entries = node.entries, entries.count == 1, let entry = entries.first else {
            problems.append(
                Problem("an anchor is one of file, syslog, kafka, s3; write each as its own list item", at: node.place))
            return nil
        }
        let value = entry.value
        switch entry.key {
        case "file": return .file(value.text ?? "")
        case "syslog": return syslog(value)
        case "kafka":
            let options = value["options"]?.entries?.map { ($0.key, $0.value.text ?? "") } ?? []
            return .kafka(
                brokers: value["brokers"]?.text ?? "", topic: value["topic"]?.text ?? "",
                options: Dictionary(options, uniquingKeysWith: { $1 }))
        default: return objectLock(value)
        }
    }

    private mutating func syslog(_ node: Node) -> AuditSettings.Anchor? {
        let text = node.text ?? ""
        if text.hasPrefix("unix:"), text.count > 5 { return .syslogSocket(String(text.dropFirst(5))) }
        if text.hasPrefix("udp:"), let colon = text.lastIndex(of: ":"), let port = Int(text[colon...].dropFirst()),
            (1...65_535).contains(port), text[..<colon].count > 4
        {
            return .syslogUDP(host: String(text[..<colon].dropFirst(4)), port: port)
        }
        problems.append(
            Problem("\"\(text)\" is no place for syslog: unix:PATH or udp:HOST:PORT", at: node.place))
        return nil
    }

    private mutating func objectLock(_ node: Node) -> AuditSettings.Anchor? {
        let prefix = node["prefix"]?.text ?? "holdfast/"
        problems += [node["region"].flatMap(PolledSourceReader.problem)].compactMap { $0 }
        return .s3(
            AuditSettings.ObjectLockSettings(
                bucket: node["bucket"]?.text ?? "",
                prefix: prefix.isEmpty || prefix.hasSuffix("/") ? prefix : prefix + "/",
                region: node["region"]?.text ?? "", role: node["role"]?.text, externalID: node["external-id"]?.text,
                retain: node["retain"]?.text.flatMap { Span($0) } ?? Span(seconds: 0)))
    }
}
