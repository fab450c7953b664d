package import HoldfastEngine

/// Checkpoints as messages of a topic, each kept by all replicas that are in step before it counts as taken.
package actor KafkaAnchor: Anchor {
    package nonisolated let name: String
    private let topic: String
    private let producer: KafkaProducer
    private let thread = KafkaThread(name: "holdfast-anchor")

    package nonisolated var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }

    /// - Parameter options: librdkafka's, over those that are needed here.
    /// - Throws: what librdkafka says of a setting.
    package init(brokers: String, topic: String, options: [String: String] = [:]) throws(SourceError) {
        name = "kafka \(topic)"
        self.topic = topic
        // What is not taken within the deadline is not sent later: the next attempt has a newer one.
        let milliseconds = AnchorError.deadline.components.seconds * 1000 - 1000
        let needed = ["acks": "all", "message.timeout.ms": "\(milliseconds)"]
        producer = try KafkaProducer(brokers: brokers, options: needed.merging(options) { $1 })
    }

    package func put(_ checkpoint: AuditCheckpoint) async throws(AnchorError) {
        do throws(SourceError) {
            try producer.send(checkpoint.line, to: topic)
            try producer.flush(within: AnchorError.deadline)
        } catch {
            throw AnchorError("\(error.message); are the brokers there, and may this user write to the topic \(topic)?")
        }
    }
}
