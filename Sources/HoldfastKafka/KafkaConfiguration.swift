internal import CRdKafka
internal import HoldfastCore
internal import HoldfastEngine

/// Which events to read from which Kafka.
package struct KafkaConfiguration: Sendable {
    /// `host:port`, several parted by commas.
    package var brokers: String
    package var topics: [String]
    /// The consumer group: instances of one group share the partitions.
    package var group: String
    /// librdkafka's own settings for connections, security and fetching; ``optionNames`` has those that are passed on.
    package var options: [String: String]
    /// How long a broker may stay away before that is an error.
    package var patience: Duration = .seconds(10)
    /// Decides what is offered; tests set it.
    var libraryVersion = rd_kafka_version()

    package init(brokers: String, topics: [String], group: String, options: [String: String] = [:]) {
        self.brokers = brokers
        self.topics = topics
        self.group = group
        self.options = options
    }

    /// The settings that a configuration may pass on, in the order of their names.
    package static let optionNames = allowed.sorted()

    /// Everything that librdkafka is told.
    ///
    /// - Throws: `bad-option`, with all that is wrong; it never holds the value of a secret.
    func settings() throws(SourceError) -> [(name: String, value: String)] {
        var problems: [String] = []
        if brokers.isEmpty { problems.append("brokers is empty; give host:port") }
        if group.isEmpty { problems.append("group is empty; give this installation a name of its own") }
        if topics.isEmpty || topics.contains("") { problems.append("topics has no name, or an empty one") }
        for name in options.keys.sorted() {
            if let reason = Self.owned[name] {
                problems.append("the option \"\(name)\" cannot be set: \(reason)")
            } else if !Self.allowed.contains(name) {
                let nearest = suggestion(for: name, among: Self.optionNames)
                problems.append("\"\(name)\" is no option that is passed on to Kafka\(nearest)")
            }
        }
        if let strategy = options["partition.assignment.strategy"], strategy.contains("cooperative"),
            libraryVersion < Self.cooperativeSince
        {
            problems.append(
                "partition.assignment.strategy \"\(strategy)\" needs librdkafka 2.4 or newer, and this is "
                    + "\(String(cString: rd_kafka_version_str())), whose cooperative rebalance loses "
                    + "partitions; use range"
            )
        }
        guard problems.isEmpty else { throw Self.badOption(problems.joined(separator: "; ")) }
        let settings = Self.defaults.merging(options) { $1 }.merging(fixed) { $1 }
        return settings.sorted { $0.key < $1.key }.map { (name: $0.key, value: $0.value) }
    }

    static func badOption(_ message: String) -> SourceError {
        SourceError(code: "bad-option", message: "the Kafka source cannot be set up: \(message)")
    }

    static func isSecret(_ name: String) -> Bool { secrets.contains(name) }

    /// 2.4.0. Faults of the cooperative rebalance before it are in the changelogs of 2.1 to 2.4.
    static let cooperativeSince: Int32 = 0x0204_0000

    private static let defaults = [
        "client.id": "holdfast", "partition.assignment.strategy": "range", "queued.max.messages.kbytes": "65536",
    ]

    /// Offsets are ours: they are kept with what the records led to.
    private var fixed: [String: String] {
        [
            "bootstrap.servers": brokers, "group.id": group, "enable.auto.commit": "false",
            "enable.auto.offset.store": "false", "auto.offset.reset": "error", "enable.partition.eof": "false",
            "allow.auto.create.topics": "false",
        ]
    }

    private static let owned: [String: String] = [
        "bootstrap.servers": "it is the source's brokers", "metadata.broker.list": "it is the source's brokers",
        "group.id": "it is the source's group",
        "enable.auto.commit": "offsets are kept with what the events led to, and nowhere else counts",
        "enable.auto.offset.store": "offsets are kept with what the events led to, and nowhere else counts",
        "auto.commit.interval.ms": "offsets are kept with what the events led to, and nowhere else counts",
        "auto.offset.reset": "an offset outside the log is told of, and never passed over in silence",
        "enable.partition.eof": "the source waits for more at a partition's end",
        "allow.auto.create.topics": "a topic that is not there is an error, and is not made",
        "group.protocol": "only the classic protocol was tried",
    ]

    private static let secrets: Set<String> = [
        "sasl.password", "ssl.key.password", "ssl.key.pem", "ssl.keystore.password", "sasl.oauthbearer.client.secret",
        "sasl.oauthbearer.config",
    ]

    private static let allowed: Set<String> = [
        "api.version.fallback.ms", "api.version.request", "api.version.request.timeout.ms", "broker.address.family",
        "broker.address.ttl", "broker.version.fallback", "check.crcs", "client.dns.lookup", "client.id", "client.rack",
        "connections.max.idle.ms", "debug", "enable.ssl.certificate.verification", "fetch.error.backoff.ms",
        "fetch.max.bytes", "fetch.message.max.bytes", "fetch.min.bytes", "fetch.wait.max.ms", "group.instance.id",
        "heartbeat.interval.ms", "isolation.level", "log.connection.close", "log_level", "max.in.flight",
        "max.partition.fetch.bytes", "max.poll.interval.ms", "message.max.bytes", "metadata.max.age.ms",
        "partition.assignment.strategy", "queued.max.messages.kbytes", "queued.min.messages",
        "receive.message.max.bytes", "reconnect.backoff.max.ms", "reconnect.backoff.ms", "sasl.kerberos.keytab",
        "sasl.kerberos.kinit.cmd", "sasl.kerberos.min.time.before.relogin", "sasl.kerberos.principal",
        "sasl.kerberos.service.name", "sasl.mechanism", "sasl.mechanisms", "sasl.oauthbearer.client.id",
        "sasl.oauthbearer.client.secret", "sasl.oauthbearer.config", "sasl.oauthbearer.extensions",
        "sasl.oauthbearer.method", "sasl.oauthbearer.scope", "sasl.oauthbearer.token.endpoint.url", "sasl.password",
        "sasl.username", "security.protocol", "session.timeout.ms", "socket.connection.setup.timeout.ms",
        "socket.keepalive.enable", "socket.max.fails", "socket.nagle.disable", "socket.receive.buffer.bytes",
        "socket.send.buffer.bytes", "socket.timeout.ms", "ssl.ca.location", "ssl.ca.pem", "ssl.certificate.location",
        "ssl.certificate.pem", "ssl.cipher.suites", "ssl.crl.location", "ssl.curves.list",
        "ssl.endpoint.identification.algorithm", "ssl.key.location", "ssl.key.password", "ssl.key.pem",
        "ssl.keystore.location", "ssl.keystore.password", "ssl.sigalgs.list", "topic.metadata.propagation.max.ms",
        "topic.metadata.refresh.interval.ms", "topic.metadata.refresh.sparse",
    ]
}
