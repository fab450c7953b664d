internal import CRdKafka
internal import HoldfastCore
internal import HoldfastEngine

/// What a source does on its thread: polls, keeps the table of its partitions, and turns what goes wrong into errors.
final class KafkaReader {
    private let configuration: KafkaConfiguration
    private let source: String
    private let consumer: KafkaConsumer
    private var table = PartitionTable()
    /// What the journal had at the start, and what was read since: for sources that take nothing over.
    private var known: [Partition: Int64]
    /// Given by the group and not yet taken up; empty is something to take up, too.
    private var given: [Partition]?
    /// Partitions whose next offset is not in their logs.
    private var gaps: [Partition] = []
    /// Gaps that were told: the offset that was missing, and the one that is read in its place.
    private var told: [Partition: (wanted: Int64, first: Int64)] = [:]
    /// Whether librdkafka has given this consumer up.
    private(set) var hasEnded = false
    private var faults: [SourceError] = []
    /// When a broker was last known to be there, and since when none is.
    private var lastSign = ContinuousClock.now
    private var downSince: ContinuousClock.Instant?

    /// Records in a batch, and the bytes after which it takes no further one.
    private static let batchRecords = 500
    private static let batchBytes = 8 << 20
    /// How long a batch that has begun waits for more.
    private static let batchTime = Duration.milliseconds(5)
    /// How long one call waits for a message: so long does a close or a cancellation wait at most.
    private static let pollMilliseconds: Int32 = 100

    /// Connects, looks for the topics, and subscribes.
    ///
    /// - Parameter joins: false: no group is joined, and nothing can be read.
    init(
        _ configuration: KafkaConfiguration, source: String, known: [Partition: Int64], joins: Bool = true,
        log: @escaping @Sendable (KafkaLogLine) -> Void
    ) throws(SourceError) {
        self.configuration = configuration
        self.source = source
        self.known = known
        let settings = try configuration.settings()
        do { consumer = try KafkaConsumer(settings: settings, log: log) } catch {
            throw KafkaConfiguration.badOption(error.text)
        }
        try checkTopics()
        guard joins else { return }
        do { try consumer.subscribe(to: configuration.topics) } catch { throw sourceError(error) }
    }

    /// The oldest error that was not told yet.
    func takeFault() -> SourceError? {
        faults += consumer.events.errors.map { sourceError($0) }
        if consumer.events.errors.contains(where: \.isFatal) { hasEnded = true }
        consumer.events.errors = []
        return faults.isEmpty ? nil : faults.removeFirst()
    }

    // MARK: - Batches

    /// Takes what is there, for 5 ms from the first message on; `nil` where nothing comes.
    func collect() -> RecordBatch? {
        var messages: [UnsafeMutablePointer<rd_kafka_message_t>] = []
        var bytes = 0
        var deadline: ContinuousClock.Instant?
        var wait = Self.pollMilliseconds
        while consumer.events.changes.isEmpty, faults.isEmpty, gaps.isEmpty {
            if let message = consumer.poll(milliseconds: wait) {
                if deadline == nil { deadline = ContinuousClock.now + Self.batchTime }
                wait = 0
                guard isNew(message) else {
                    rd_kafka_message_destroy(message)
                    continue
                }
                bytes += message.pointee.len
                messages.append(message)
                if messages.count >= Self.batchRecords || bytes >= Self.batchBytes { break }
            } else {
                guard let deadline, case let rest = deadline - ContinuousClock.now, rest > .zero else { break }
                wait = Int32(clamping: rest.components.attoseconds / 1_000_000_000_000_000 + 1)
            }
        }
        return batch(of: messages)
    }

    /// Whether a message is a record of ours that was not given yet. What is wrong is told by the next call.
    private func isNew(_ message: UnsafeMutablePointer<rd_kafka_message_t>) -> Bool {
        guard message.pointee.err == RD_KAFKA_RESP_ERR_NO_ERROR else {
            fail(message)
            return false
        }
        let key = PartitionTable.Key(topic: message.pointee.rkt, number: message.pointee.partition)
        return table.take(key, offset: message.pointee.offset) { message.partition }
    }

    /// What was taken of partitions that were taken away meanwhile is left to their new owner.
    private func batch(of taken: [UnsafeMutablePointer<rd_kafka_message_t>]) -> RecordBatch? {
        var records: [UnsafeMutablePointer<rd_kafka_message_t>] = []
        var unreadable: [UnreadableRecord] = []
        let isUnchanged = consumer.events.changes.isEmpty
        for message in taken {
            if !isUnchanged, isLost(message.partition) {
                rd_kafka_message_destroy(message)
            } else if message.pointee.payload == nil {
                let reason = "the message has no payload: a tombstone, which says that its key is gone"
                unreadable.append(UnreadableRecord(place: message.place, reason: reason))
                rd_kafka_message_destroy(message)
            } else {
                records.append(message)
            }
        }
        let positions = table.takePositions().filter { isUnchanged || !isLost($0.partition) }
        guard !records.isEmpty || !unreadable.isEmpty else { return nil }
        for position in positions { known[position.partition] = position.next }
        noteSign()
        return RecordBatch(
            records: KafkaMessages(records, of: consumer), unreadable: unreadable,
            positions: positions.map { SourcePosition(source: source, partition: "\($0.partition)", next: $0.next) })
    }

    private func isLost(_ partition: Partition) -> Bool {
        consumer.events.changes.contains { change in
            switch change {
            case .assigned: false
            case .revoked(let partitions): partitions.contains(partition)
            case .revokedAll: true
            }
        }
    }

    // MARK: - Assignment

    /// Takes in what the group has changed.
    ///
    /// - Returns: the partitions to take up with ``assign(_:from:)``; empty is an answer that the group waits for, too.
    func takeChanges() -> [Partition]? {
        let changes = consumer.events.changes
        consumer.events.changes = []
        for change in changes {
            switch change {
            case .assigned(let partitions): given = (given ?? []) + partitions
            case .revoked(let partitions):
                table.remove(partitions)
                given?.removeAll(where: partitions.contains)
            case .revokedAll:
                table = PartitionTable()
                given = nil
            }
        }
        gaps.removeAll { !table.contains($0) }
        return given
    }

    /// Reads partitions from where the journal has got to, or from their beginning.
    ///
    /// - Parameter positions: what the journal says now; without it, what it said at the start and what was read since.
    func assign(_ partitions: [Partition], from positions: [SourcePosition]?) {
        if let positions {
            for partition in partitions { known[partition] = nil }
            for position in positions where position.source == source {
                if let partition = Partition(position.partition) { known[partition] = position.next }
            }
        }
        given = nil
        for partition in partitions { table.add(partition, next: beginning(of: partition)) }
        do {
            try consumer.assign(consumer.isCooperative ? table.assignment(of: partitions) : table.assignment)
        } catch { faults.append(sourceError(error)) }
    }

    /// Where a partition is read from: where the journal has got to, unless that was told to be gone.
    private func beginning(of partition: Partition) -> Int64? {
        guard let gap = told[partition], gap.wanted == known[partition] else { return known[partition] }
        return gap.first
    }

    /// Reads what is held from these positions.
    func restart(from known: [Partition: Int64]) {
        self.known = known
        gaps = []
        faults = []
        reread(table.assignment.map(\.partition), from: beginning)
    }

    /// Reads partitions that are held from other offsets.
    private func reread(_ partitions: [Partition], from next: (Partition) -> Int64?) {
        for partition in partitions { table.add(partition, next: next(partition)) }
        guard !partitions.isEmpty else { return }
        do {
            if consumer.isCooperative { try consumer.unassign(partitions) }
            try consumer.assign(consumer.isCooperative ? table.assignment(of: partitions) : table.assignment)
        } catch { faults.append(sourceError(error)) }
    }

    /// What is to be done between two polls that brought nothing.
    func settle() {
        for partition in gaps { settleGap(partition) }
        if faults.isEmpty { watchOutage() }
    }

    /// A partition's log does not have what comes next: tells it, and goes on at the log's beginning. Records that were
    /// seen before change nothing when they are seen again; records that are passed over would be lost.
    private func settleGap(_ partition: Partition) {
        do {
            let log = try consumer.log(of: partition, within: 5000)
            let wanted = table.next(of: partition) ?? 0
            told[partition] = (wanted, log.first)
            known[partition] = log.first
            reread([partition]) { _ in log.first }
            gaps.removeAll { $0 == partition }
            let cause =
                wanted < log.first
                ? "\(log.first - wanted) records were deleted before they were read"
                : "the topic was made anew, or its last records were lost"
            let message =
                "\(source): offset \(wanted) of \(partition) is not in the log, which goes from \(log.first) to "
                + "\(log.next): "
                + "\(cause); it is read on from \(log.first). Look in the cloud's own log for what is missing, and let "
                + "the topic keep its records for longer"
            faults.append(SourceError(code: "offset-out-of-range", message: message, retry: .after(Span(seconds: 0))))
        } catch {
            faults.append(sourceError(error))
        }
    }

    /// Tells that no broker answers only after a while: one that was idle or is restarted comes back by itself.
    /// librdkafka's own word for it does not always come, so a source that gets nothing asks now and then.
    private func watchOutage() {
        let now = ContinuousClock.now
        guard consumer.events.isDisturbed || now - lastSign >= configuration.patience else { return }
        if consumer.answers(within: 1000) { return noteSign() }
        consumer.events.isDisturbed = true
        guard let since = downSince else { return downSince = now }
        guard now - since >= configuration.patience else { return }
        downSince = now
        faults.append(brokerDown())
    }

    private func noteSign() {
        lastSign = ContinuousClock.now
        downSince = nil
        consumer.events.isDisturbed = false
    }

    // MARK: - The rest of the port

    func commit(_ positions: [SourcePosition]) {
        let mine = positions.filter { $0.source == source }.compactMap { position in
            Partition(position.partition).map { (partition: $0, offset: position.next) }
        }
        let held = mine.filter { table.contains($0.partition) }
        if !held.isEmpty { consumer.commit(held) }
    }

    func lag() -> [KafkaLag] {
        table.assignment.map { entry in
            KafkaLag(
                partition: "\(entry.partition)", next: table.next(of: entry.partition),
                end: consumer.knownEnd(of: entry.partition))
        }
    }

    func close(within limit: Duration) -> Bool { consumer.close(within: limit) }

    /// How many partitions a topic has; `nil` where no broker says so within a second.
    func partitions(of topic: String) -> Int? { try? consumer.partitions(of: topic, within: 1000) }

    // MARK: - Errors

    private func checkTopics() throws(SourceError) {
        let deadline = ContinuousClock.now + configuration.patience
        var missing: [String] = []
        for topic in configuration.topics where try !exists(topic, until: deadline) { missing.append(topic) }
        guard let first = missing.first else { return }
        let names = missing.map { "\"\($0)\"" }.joined(separator: ", ")
        let others = consumer.topicNames(within: 2000).filter { !missing.contains($0) }
        let hint = suggestion(for: first, among: others)
        let message = "\(source): no topic \(names) at \(configuration.brokers)\(hint)"
        throw SourceError(code: "no-such-topic", message: message, retry: .after(Span(seconds: 30)))
    }

    private func exists(_ topic: String, until deadline: ContinuousClock.Instant) throws(SourceError) -> Bool {
        while true {
            do throws(KafkaError) {
                if try consumer.partitions(of: topic, within: 1000) > 0 { return true }
            } catch {
                // Callbacks are called by polls only; there is no subscription yet, so no message comes.
                if let message = consumer.poll(milliseconds: 0) { rd_kafka_message_destroy(message) }
                if let told = consumer.events.errors.first { throw sourceError(told) }
                switch error.code {
                case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC: return false
                case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED: throw sourceError(error, at: topic)
                default: break
                }
            }
            if ContinuousClock.now >= deadline { throw brokerDown() }
        }
    }

    private func brokerDown() -> SourceError {
        let seconds = configuration.patience.components.seconds
        let reason = consumer.events.lastFault.map { " (\($0))" } ?? ""
        let message =
            "\(source): no broker at \(configuration.brokers) has answered for \(seconds) s\(reason); it is "
            + "tried again. "
            + "Is the address right, and may this machine reach it?"
        return SourceError(code: "broker-down", message: message, retry: .after(Span(seconds: 5)))
    }

    private func fail(_ message: UnsafeMutablePointer<rd_kafka_message_t>) {
        let text = rd_kafka_message_errstr(message).map(String.init(cString:))
        switch message.pointee.err {
        case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET:
            let partition = message.partition
            if table.contains(partition), !gaps.contains(partition) { gaps.append(partition) }
        // The group has given our partitions to others because we were slow; the next poll joins it again.
        case RD_KAFKA_RESP_ERR__MAX_POLL_EXCEEDED, RD_KAFKA_RESP_ERR__PARTITION_EOF: break
        case RD_KAFKA_RESP_ERR__FATAL:
            hasEnded = true
            faults.append(sourceError(consumer.fatalError))
        default: faults.append(sourceError(KafkaError(message.pointee.err, text), at: message.partition.description))
        }
    }

    private func sourceError(_ error: KafkaError, at place: String? = nil) -> SourceError {
        let what = "\(source)\(place.map { " at \($0)" } ?? ""): \(error.text)"
        switch error.code {
        case RD_KAFKA_RESP_ERR__AUTHENTICATION, RD_KAFKA_RESP_ERR__SSL, RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED:
            return SourceError(
                code: "authentication-failed",
                message: "\(what); look at the options security.protocol, sasl.* and ssl.*",
                retry: .after(Span(seconds: 30)))
        case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED,
            RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
            return SourceError(
                code: "not-allowed",
                message: "\(what); let this user read the topics and the group \(configuration.group)",
                retry: .after(Span(seconds: 30)))
        case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC,
            RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
            return SourceError(
                code: "no-such-topic", message: "\(what); was the topic deleted?", retry: .after(Span(seconds: 30)))
        case RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID:
            return SourceError(
                code: "fenced",
                message: "\(what); another process uses this group.instance.id, which must be each one's own")
        default:
            let retry: SourceError.Retry = error.isFatal ? .never : .after(Span(seconds: 5))
            return SourceError(code: "kafka-failed", message: what, retry: retry)
        }
    }
}
