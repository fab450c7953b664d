internal import CRdKafka
package import HoldfastCore
package import HoldfastEngine

/// What of a topic lay in a window, and what was read of it.
package struct KafkaCoverage: Sendable, Hashable {
    /// `cloudtrail/3`
    package var partition: String
    /// The first offset of the window, and the one behind its last.
    package var first: Int64
    package var end: Int64
    package var read: Int64
    /// Offsets between these at which there was nothing: transactions' marks, or what compaction took.
    package var skipped: Int64
    /// The log begins later than the window: what came before was deleted. The time of its first message.
    package var beginsLate: Timestamp?
}

/// The messages of a window of time, read once from beginning to end: for replays. It takes no part in a group and
/// commits nothing, so the offsets of whoever reads the topics stay where they are.
package actor KafkaWindowSource: EventSource {
    package nonisolated let name: String
    private let configuration: KafkaConfiguration
    private let from: Timestamp
    private let until: Timestamp?
    private let log: @Sendable (KafkaLogLine) -> Void
    private nonisolated let thread: KafkaThread
    private var consumer: KafkaConsumer?
    private var parts: [Partition: Part] = [:]
    private var isClosed = false

    private struct Part {
        var first: Int64
        var end: Int64
        var next: Int64
        var read: Int64 = 0
        var beginsLate: Timestamp?
        var isLogStart: Bool

        mutating func rewind(to offset: Int64) {
            next = offset
            read = 0
        }
    }

    package nonisolated var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }

    private static let batchRecords = 500
    /// One question to the brokers.
    private static let answerMilliseconds: Int32 = 10_000

    /// - Parameters:
    ///   - from: messages with a time before it are left out.
    ///   - until: the first message of a partition at or behind it is not read, nor what follows; `nil`: to the end
    ///     that the logs have when reading begins.
    package init(
        _ configuration: KafkaConfiguration, name: String, from: Timestamp, until: Timestamp?,
        log: @escaping @Sendable (KafkaLogLine) -> Void = { _ in }
    ) {
        self.configuration = configuration
        self.name = name
        self.from = from
        self.until = until
        self.log = log
        thread = KafkaThread(name: "kafka-window")
    }

    /// Looks where the window lies in each partition; called again, it reads the same messages once more. Positions do
    /// not count: a window is read whole.
    ///
    /// - Throws: `bad-option`, `broker-down`, `no-such-topic`.
    package func resume(from positions: [SourcePosition]) throws(SourceError) {
        // A partition's end is told, for marks of transactions at the end of a window are never given.
        let settings = try configuration.settings().map { setting in
            setting.name == "enable.partition.eof" ? (name: setting.name, value: "true") : setting
        }
        do throws(KafkaError) {
            let consumer = try KafkaConsumer(settings: settings, log: log)
            self.consumer = consumer
            isClosed = false
            if parts.isEmpty {
                for topic in configuration.topics {
                    for number in 0..<(try consumer.partitions(of: topic, within: Self.answerMilliseconds)) {
                        let partition = Partition(topic: topic, number: Int32(number))
                        parts[partition] = try part(partition, consumer)
                    }
                }
            }
            for (partition, part) in parts { parts[partition]?.rewind(to: part.first) }
            let wanted = parts.filter { $0.value.first < $0.value.end }.keys.sorted()
            try consumer.assign(wanted.map { ($0, parts[$0]?.first ?? 0) })
        } catch {
            throw failure(error)
        }
    }

    private func part(_ partition: Partition, _ consumer: KafkaConsumer) throws(KafkaError) -> Part {
        let whole = try consumer.log(of: partition, within: Self.answerMilliseconds)
        func offset(_ time: Timestamp) throws(KafkaError) -> Int64? {
            try consumer.offset(of: partition, at: time.nanoseconds / 1_000_000, within: Self.answerMilliseconds)
        }
        let first = max(try offset(from) ?? whole.next, whole.first)
        var end = whole.next
        if let until, let behind = try offset(until) { end = min(end, behind) }
        // A log that begins at 0 has lost nothing; one that begins later may have lost some of the window.
        return Part(
            first: first, end: max(first, end), next: first, isLogStart: whole.first > 0 && first == whole.first)
    }

    package func nextBatch() async throws(SourceError) -> RecordBatch? {
        guard let consumer else {
            throw SourceError(code: "not-resumed", message: "\(name) was not told where to begin; resume it first")
        }
        var silence = ContinuousClock.now
        while !isClosed, parts.values.contains(where: { $0.next < $0.end }) {
            if Task.isCancelled { throw SourceError(code: "cancelled", message: "\(name) was asked to stop") }
            if let batch = try collect(consumer) { return batch }
            if ContinuousClock.now - silence > configuration.patience {
                silence = ContinuousClock.now
                guard consumer.answers(within: 5000) else {
                    throw SourceError(
                        code: "broker-down",
                        message:
                            "\(name): no broker at \(configuration.brokers) answers; not all of the window was read")
                }
            }
            await Task.yield()
        }
        return nil
    }

    private func collect(_ consumer: KafkaConsumer) throws(SourceError) -> RecordBatch? {
        var records: [UnsafeMutablePointer<rd_kafka_message_t>] = []
        var unreadable: [UnreadableRecord] = []
        var wait: Int32 = 100
        while records.count + unreadable.count < Self.batchRecords, let message = consumer.poll(milliseconds: wait) {
            wait = 0
            let code = message.pointee.err
            guard code == RD_KAFKA_RESP_ERR_NO_ERROR else {
                let text = rd_kafka_message_errstr(message).map(String.init(cString:))
                let (partition, offset) = (message.partition, message.pointee.offset)
                rd_kafka_message_destroy(message)
                if code == RD_KAFKA_RESP_ERR__PARTITION_EOF {
                    let next = parts[partition]?.next ?? 0
                    parts[partition]?.next = max(next, offset)
                    continue
                }
                throw failure(KafkaError(code, text))
            }
            guard take(message) else {
                rd_kafka_message_destroy(message)
                continue
            }
            if message.pointee.payload == nil {
                unreadable.append(
                    UnreadableRecord(place: message.place, reason: "the message has no payload: a tombstone"))
                rd_kafka_message_destroy(message)
            } else {
                records.append(message)
            }
        }
        guard !records.isEmpty || !unreadable.isEmpty else { return nil }
        return RecordBatch(
            records: KafkaMessages(records, of: consumer), unreadable: unreadable, positions: [])
    }

    /// Whether a message lies in the window.
    private func take(_ message: UnsafeMutablePointer<rd_kafka_message_t>) -> Bool {
        let partition = message.partition
        guard var part = parts[partition] else { return false }
        let offset = message.pointee.offset
        defer { parts[partition] = part }
        part.next = max(part.next, offset + 1)
        guard offset >= part.first, offset < part.end else { return false }
        if part.read == 0, part.isLogStart {
            var kind = RD_KAFKA_TIMESTAMP_NOT_AVAILABLE
            let time = rd_kafka_message_timestamp(message, &kind)
            if time > 0 { part.beginsLate = Timestamp(nanoseconds: time &* 1_000_000) }
        }
        part.read += 1
        return true
    }

    package func committed(_ positions: [SourcePosition]) {}

    package func close() {
        isClosed = true
        consumer = nil
    }

    /// What was read, in the order of the partitions' names.
    package func coverage() -> [KafkaCoverage] {
        parts.sorted { $0.key < $1.key }.map { partition, part in
            KafkaCoverage(
                partition: partition.description, first: part.first, end: part.end, read: part.read,
                skipped: part.end - part.first - part.read, beginsLate: part.beginsLate)
        }
    }

    private func failure(_ error: KafkaError) -> SourceError {
        let code = error.code == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART ? "no-such-topic" : "kafka-failed"
        return SourceError(
            code: code,
            message: "\(name) at \(configuration.brokers): \(error.text); are address, topics and rights right?")
    }
}
