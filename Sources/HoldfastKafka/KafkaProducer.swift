internal import CRdKafka
package import HoldfastEngine

/// Writes messages to Kafka, and waits for the brokers' word that they have them.
package struct KafkaProducer: ~Copyable {
    private let handle: KafkaHandle
    private static let copies: Int32 = 2  // RD_KAFKA_MSG_F_COPY

    /// - Throws: what librdkafka says of a setting.
    package init(brokers: String, options: [String: String] = [:]) throws(SourceError) {
        let settings = options.merging(["bootstrap.servers": brokers]) { $1 }.sorted { $0.key < $1.key }
        do {
            handle = try KafkaHandle(
                RD_KAFKA_PRODUCER, settings: settings.map { (name: $0.key, value: $0.value) },
                events: KafkaEvents { _ in })
        } catch {
            throw KafkaConfiguration.badOption(error.text)
        }
    }

    /// Makes a topic; one that is there already is not an error.
    package func createTopic(_ name: String, partitions: Int) throws(SourceError) {
        var text = [CChar](repeating: 0, count: 256)
        guard let queue = rd_kafka_queue_new(handle.pointer),
            let topic = rd_kafka_NewTopic_new(name, Int32(partitions), 1, &text, text.count)
        else { throw failed("the topic \(name) cannot be made") }
        defer {
            rd_kafka_NewTopic_destroy(topic)
            rd_kafka_queue_destroy(queue)
        }
        var topics: [OpaquePointer?] = [topic]
        rd_kafka_CreateTopics(handle.pointer, &topics, 1, nil, queue)
        guard let event = rd_kafka_queue_poll(queue, 10_000) else {
            throw failed("no answer to making \(name) in 10 s")
        }
        defer { rd_kafka_event_destroy(event) }
        var count = 0
        let results = rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event), &count)
        let code = count == 1 ? rd_kafka_topic_result_error(results?[0]) : rd_kafka_event_error(event)
        guard code == RD_KAFKA_RESP_ERR_NO_ERROR || code == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS else {
            throw failed("\(name) was not made: \(KafkaError(code).text)")
        }
    }

    /// Hands a message over for sending.
    ///
    /// - Parameters:
    ///   - partition: where to; the partitioner's choice where none is given.
    ///   - payload: `nil` writes a tombstone.
    package func send(_ payload: [UInt8]?, to topic: String, partition: Int32 = -1) throws(SourceError) {
        guard let object = rd_kafka_topic_new(handle.pointer, topic, nil) else { throw failed("no topic \(topic)") }
        defer { rd_kafka_topic_destroy(object) }
        var bytes = payload ?? []
        let result = bytes.withUnsafeMutableBytes { buffer in
            let start = payload == nil ? nil : buffer.baseAddress ?? UnsafeMutableRawPointer(bitPattern: 1)
            return rd_kafka_produce(object, partition, Self.copies, start, buffer.count, "k", 1, nil)
        }
        guard result == 0 else { throw failed("not sent to \(topic): \(KafkaError(rd_kafka_last_error()).text)") }
    }

    /// Waits until the brokers have everything.
    ///
    /// - Throws: also where a message that was sent since the last flush did not reach them.
    package func flush(within limit: Duration = .seconds(20)) throws(SourceError) {
        let code = rd_kafka_flush(handle.pointer, Int32(clamping: limit.components.seconds * 1000))
        guard code == RD_KAFKA_RESP_ERR_NO_ERROR else {
            throw failed("not everything was sent: \(KafkaError(code).text)")
        }
        defer { handle.events.undelivered = nil }
        if let error = handle.events.undelivered { throw failed("a message was not taken: \(error.text)") }
    }

    private func failed(_ message: String) -> SourceError { SourceError(code: "kafka-failed", message: message) }
}
