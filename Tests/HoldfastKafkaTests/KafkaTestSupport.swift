import HoldfastEngine
import HoldfastKafka

/// What a journal is to a source: positions, kept only by commits. Shared by the instances of one group.
actor Offsets {
    private(set) var positions: [String: SourcePosition] = [:]
    private(set) var taken: [String] = []

    init(_ positions: [SourcePosition] = []) {
        for position in positions { self.positions[position.partition] = position }
    }

    var all: [SourcePosition] { positions.values.sorted { $0.partition < $1.partition } }
    func commit(_ batch: RecordBatch) { for position in batch.positions { positions[position.partition] = position } }
    func take(_ partitions: [String]) -> [SourcePosition] {
        taken += partitions
        return partitions.compactMap { positions[$0] }
    }
}

/// Records by text and place, and dead letters, as they came.
struct Received {
    var texts: [String] = []
    var places: [String] = []
    var unreadable: [UnreadableRecord] = []
    var batches: [Int] = []
    var errors: [SourceError] = []
    var count: Int { texts.count + unreadable.count }

    mutating func add(_ batch: RecordBatch) {
        batches.append(batch.records.count)
        for index in 0..<batch.records.count {
            texts.append(
                batch.records.withBytes(at: index) { span in
                    span.withUnsafeBufferPointer { String(decoding: $0, as: UTF8.self) }
                })
            places.append(batch.records.place(at: index))
        }
        unreadable += batch.unreadable
    }
}

extension KafkaSource {
    /// Reads until so many records have come, each batch committed before the next; goes on after errors, as long as
    /// the source says that this makes sense, and resumes from the journal first where that is asked for.
    nonisolated func receive(
        _ count: Int, into offsets: Offsets, resumesAfterErrors: Bool = false
    ) async throws -> Received {
        var received = Received()
        while received.count < count {
            do {
                guard let batch = try await nextBatch() else { break }
                received.add(batch)
                await offsets.commit(batch)
                await committed(batch.positions)
            } catch {
                guard case .after = error.retry else { throw error }
                received.errors.append(error)
                if resumesAfterErrors { try await resumeAtLast(from: await offsets.all) }
            }
        }
        return received
    }
}

extension KafkaSource {
    /// Resumes, however often it takes with little patience.
    nonisolated func resumeAtLast(from positions: [SourcePosition]) async throws(SourceError) {
        while true {
            do {
                return try await resume(from: positions)
            } catch {
                guard error.code == "broker-down" else { throw error }
            }
        }
    }
}

/// Settings that make groups notice within a second or two what takes others most of a minute.
let quick = ["session.timeout.ms": "6000", "heartbeat.interval.ms": "200", "reconnect.backoff.max.ms": "500"]

/// - Parameter patience: short only where it must run out: a machine that runs all tests at once is slow.
func configuration(
    _ brokers: String, topics: [String] = ["events"], group: String = "holdfast", options: [String: String] = [:],
    patience: Duration = .seconds(300)
) -> KafkaConfiguration {
    var configuration = KafkaConfiguration(
        brokers: brokers, topics: topics, group: group, options: quick.merging(options) { $1 })
    configuration.patience = patience
    return configuration
}

/// Sends numbered messages over all partitions in turn.
func send(
    _ numbers: Range<Int>, to topic: String = "events", partitions: Int = 1, at brokers: String
) throws(SourceError) {
    let producer = try KafkaProducer(brokers: brokers)
    for number in numbers { try producer.send(message(number), to: topic, partition: Int32(number % partitions)) }
    try producer.flush()
}

func message(_ number: Int) -> [UInt8] { Array(text(number).utf8) }
func text(_ number: Int) -> String { "{\"n\":\(number)}" }
