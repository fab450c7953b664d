internal import CRdKafka
internal import HoldfastCore
package import HoldfastEngine

/// Looks whether a source could read, and joins no group: whoever reads as that group keeps all of its partitions.
package actor KafkaProbe {
    private nonisolated let thread = KafkaThread(name: "kafka-probe")
    package nonisolated var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }

    package init() {}

    /// How many partitions each topic has, in their order.
    ///
    /// - Throws: as ``KafkaSource/resume(from:)``.
    package func look(
        _ configuration: KafkaConfiguration, name: String
    ) throws(SourceError) -> [(topic: String, partitions: Int)] {
        let reader = try KafkaReader(configuration, source: name, known: [:], joins: false, log: { _ in })
        return configuration.topics.map { ($0, reader.partitions(of: $0) ?? 0) }
    }
}

/// The librdkafka that this process runs with.
package enum KafkaLibrary {
    /// `2.0.2`
    package static var version: String { String(cString: rd_kafka_version_str()) }

    /// What this library cannot do, a sentence each.
    package static var ruledOut: [String] { ruledOut(version: rd_kafka_version(), features: features) }

    static func ruledOut(version: Int32, features: Set<String>) -> [String] {
        var found: [String] = []
        if version < 0x0202_0000 {
            found.append(
                "brokers that answer with tagged fields: it fails with \"Read underflow\" (mended in 2.2.0)"
            )
        }
        if version < KafkaConfiguration.cooperativeSince {
            found.append(
                "partition.assignment.strategy cooperative-sticky: its rebalance loses partitions before 2.4.0")
        }
        for (feature, means) in wanted where !features.contains(feature) {
            found.append("\(means): this library was built without \(feature)")
        }
        return found + ["signing in at Amazon MSK by IAM: that needs a callback that Holdfast has not; use SASL/SCRAM"]
    }

    private static let wanted = [
        ("ssl", "TLS"), ("sasl_plain", "SASL/PLAIN"), ("sasl_scram", "SASL/SCRAM"),
        ("sasl_oauthbearer", "SASL/OAUTHBEARER"), ("gzip", "records packed by gzip"), ("lz4", "records packed by lz4"),
        ("snappy", "records packed by snappy"), ("zstd", "records packed by zstd"),
    ]

    private static var features: Set<String> {
        guard let conf = rd_kafka_conf_new() else { return [] }
        defer { rd_kafka_conf_destroy(conf) }
        var text = [CChar](repeating: 0, count: 512)
        var size = text.count
        guard rd_kafka_conf_get(conf, "builtin.features", &text, &size) == RD_KAFKA_CONF_OK else { return [] }
        let names = String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
        return Set(names.split(separator: ",").map(String.init))
    }
}
