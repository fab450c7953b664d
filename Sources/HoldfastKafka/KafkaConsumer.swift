internal import CRdKafka

/// A consumer: what the source asks of librdkafka. Messages keep it until they are freed.
final class KafkaConsumer: Sendable {
    private let handle: KafkaHandle
    var events: KafkaEvents { handle.events }

    init(
        settings: [(name: String, value: String)], log: @escaping @Sendable (KafkaLogLine) -> Void
    ) throws(KafkaError) {
        handle = try KafkaHandle(RD_KAFKA_CONSUMER, settings: settings, events: KafkaEvents(log: log))
        rd_kafka_poll_set_consumer(handle.pointer)
    }

    // MARK: - Topics

    /// What the cluster says of a topic; its partitions, or an error.
    func partitions(of topic: String, within milliseconds: Int32) throws(KafkaError) -> Int {
        guard let object = rd_kafka_topic_new(handle.pointer, topic, nil) else {
            throw KafkaError(rd_kafka_last_error())
        }
        defer { rd_kafka_topic_destroy(object) }
        var metadata: UnsafePointer<rd_kafka_metadata>?
        let code = rd_kafka_metadata(handle.pointer, 0, object, &metadata, milliseconds)
        defer { if let metadata { rd_kafka_metadata_destroy(metadata) } }
        guard code == RD_KAFKA_RESP_ERR_NO_ERROR, let metadata, metadata.pointee.topic_cnt == 1 else {
            throw KafkaError(code == RD_KAFKA_RESP_ERR_NO_ERROR ? RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC : code)
        }
        let found = metadata.pointee.topics[0]
        guard found.err == RD_KAFKA_RESP_ERR_NO_ERROR else { throw KafkaError(found.err) }
        return Int(found.partition_cnt)
    }

    /// The names of all topics that the cluster shows, for messages; empty where it does not answer.
    func topicNames(within milliseconds: Int32) -> [String] {
        var metadata: UnsafePointer<rd_kafka_metadata>?
        guard rd_kafka_metadata(handle.pointer, 1, nil, &metadata, milliseconds) == RD_KAFKA_RESP_ERR_NO_ERROR,
            let metadata
        else { return [] }
        defer { rd_kafka_metadata_destroy(metadata) }
        let names = (0..<Int(metadata.pointee.topic_cnt)).map { String(cString: metadata.pointee.topics[$0].topic) }
        return names.filter { !$0.hasPrefix("__") }.sorted()
    }

    /// Whether some broker answers.
    func answers(within milliseconds: Int32) -> Bool {
        var metadata: UnsafePointer<rd_kafka_metadata>?
        let code = rd_kafka_metadata(handle.pointer, 0, nil, &metadata, milliseconds)
        if let metadata { rd_kafka_metadata_destroy(metadata) }
        return code == RD_KAFKA_RESP_ERR_NO_ERROR
    }

    // MARK: - Partitions

    func subscribe(to topics: [String]) throws(KafkaError) {
        let list = PartitionList(topics.map { (Partition(topic: $0, number: -1), 0) })
        try check(rd_kafka_subscribe(handle.pointer, list.pointer))
    }

    var isCooperative: Bool {
        rd_kafka_rebalance_protocol(handle.pointer).map { String(cString: $0) } == "COOPERATIVE"
    }

    /// Reads these partitions from these offsets: these alone, or also these where the rebalance is cooperative.
    func assign(_ partitions: [(partition: Partition, offset: Int64)]) throws(KafkaError) {
        let list = PartitionList(partitions)
        guard isCooperative else { return try check(rd_kafka_assign(handle.pointer, list.pointer)) }
        try check(rd_kafka_incremental_assign(handle.pointer, list.pointer))
    }

    /// Lets these go, where the rebalance is cooperative.
    func unassign(_ partitions: [Partition]) throws(KafkaError) {
        let list = PartitionList(partitions.map { ($0, PartitionList.beginning) })
        try check(rd_kafka_incremental_unassign(handle.pointer, list.pointer))
    }

    /// What the log of a partition holds: the first offset, and the one that the next record will get.
    func log(of partition: Partition, within milliseconds: Int32) throws(KafkaError) -> (first: Int64, next: Int64) {
        var first: Int64 = 0, next: Int64 = 0
        try check(
            rd_kafka_query_watermark_offsets(
                handle.pointer, partition.topic, partition.number, &first, &next, milliseconds))
        return (first, next)
    }

    /// The first offset at or behind a moment, by the times that messages carry; `nil` where all are earlier.
    ///
    /// - Parameter milliseconds: since 1970.
    func offset(
        of partition: Partition, at milliseconds: Int64, within limit: Int32
    ) throws(KafkaError) -> Int64? {
        let list = PartitionList([(partition, milliseconds)])
        try check(rd_kafka_offsets_for_times(handle.pointer, list.pointer, limit))
        let found = list.pointer.pointee.elems[0]
        try check(found.err)
        return found.offset >= 0 ? found.offset : nil
    }

    /// The end of a partition's log as the last fetch told it; `nil` before the first.
    func knownEnd(of partition: Partition) -> Int64? {
        var first: Int64 = 0, next: Int64 = 0
        let code = rd_kafka_get_watermark_offsets(handle.pointer, partition.topic, partition.number, &first, &next)
        return code == RD_KAFKA_RESP_ERR_NO_ERROR && next >= 0 ? next : nil
    }

    /// Tells the group where it stands. Nothing here depends on it.
    func commit(_ offsets: [(partition: Partition, offset: Int64)]) {
        let list = PartitionList(offsets)
        rd_kafka_commit(handle.pointer, list.pointer, 1)
    }

    // MARK: - Messages

    /// The next message or error; `nil` where none comes in this time. The caller frees it.
    func poll(milliseconds: Int32) -> UnsafeMutablePointer<rd_kafka_message_t>? {
        rd_kafka_consumer_poll(handle.pointer, milliseconds)
    }

    /// What has ended the consumer for good.
    var fatalError: KafkaError { KafkaHandle.fatalError(handle.pointer) }

    /// Leaves the group. False where that took longer than it may; then the group notices by itself.
    func close(within limit: Duration) -> Bool {
        events.isClosing = true
        let deadline = ContinuousClock.now + limit
        guard let queue = rd_kafka_queue_new(handle.pointer) else { return false }
        defer { rd_kafka_queue_destroy(queue) }
        rd_kafka_error_destroy(rd_kafka_consumer_close_queue(handle.pointer, queue))
        while rd_kafka_consumer_closed(handle.pointer) == 0 {
            if ContinuousClock.now >= deadline { return false }
            // As events, for a message that still comes would end the process were it served as a callback.
            guard let event = rd_kafka_queue_poll(queue, 50) else { continue }
            if rd_kafka_event_type(event) == RD_KAFKA_EVENT_REBALANCE {
                KafkaHandle.rebalance(
                    handle.pointer, rd_kafka_event_error(event), rd_kafka_event_topic_partition_list(event), events)
            }
            rd_kafka_event_destroy(event)
        }
        return true
    }

    private func check(_ code: rd_kafka_resp_err_t) throws(KafkaError) {
        if code != RD_KAFKA_RESP_ERR_NO_ERROR { throw KafkaError(code) }
    }

    private func check(_ error: OpaquePointer?) throws(KafkaError) {
        guard let error else { return }
        defer { rd_kafka_error_destroy(error) }
        throw KafkaError(rd_kafka_error_code(error), String(cString: rd_kafka_error_string(error)))
    }
}
