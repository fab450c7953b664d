internal import HoldfastCore
internal import HoldfastEngine
internal import HoldfastJSON

/// A log of records in partitions, as Kafka keeps it: what was produced stays, and each reader has its own place.
actor FakeBroker {
    static let partitions = 2
    private var log: [[[UInt8]]] = Array(repeating: [], count: partitions)

    func produce(_ record: [UInt8], partition: Int) { log[partition].append(record) }

    func records(_ partition: Int, from offset: Int64, limit: Int) -> [[UInt8]] {
        let start = min(Int(offset), log[partition].count)
        return Array(log[partition][start...].prefix(limit))
    }

    func end(_ partition: Int) -> Int64 { Int64(log[partition].count) }
}

/// Reads the broker from where the journal stands.
actor FakeSource<C: HoldfastClock>: EventSource {
    nonisolated let name = "broker"
    private let broker: FakeBroker
    private let clock: C
    private let faults: FaultPlan
    private var next: [Int64] = Array(repeating: 0, count: FakeBroker.partitions)

    init(broker: FakeBroker, clock: C, faults: FaultPlan) {
        self.broker = broker
        self.clock = clock
        self.faults = faults
    }

    func resume(from positions: [SourcePosition]) async throws(SourceError) {
        next = Array(repeating: 0, count: FakeBroker.partitions)
        for position in positions {
            if let partition = Int(position.partition) { next[partition] = position.next }
        }
    }

    func nextBatch() async throws(SourceError) -> RecordBatch? {
        while !Task.isCancelled {
            for partition in 0..<FakeBroker.partitions {
                let from = next[partition]
                let records = await broker.records(partition, from: from, limit: faults.number(1...5))
                guard !records.isEmpty else { continue }
                next[partition] = from + Int64(records.count)
                let position = SourcePosition(source: name, partition: "\(partition)", next: next[partition])
                return RecordBatch(
                    records: FakeRecords(records: records, partition: partition, first: from), positions: [position])
            }
            guard (try? await clock.sleep(for: .milliseconds(200))) != nil else { break }
        }
        throw SourceError(code: SourceError.cancelled, message: "cancelled")
    }

    func committed(_ positions: [SourcePosition]) async {}
    func close() async {}
}

private struct FakeRecords: RecordStorage {
    var records: [[UInt8]]
    var partition: Int
    var first: Int64

    var count: Int { records.count }
    func withBytes<R>(at index: Int, _ body: (Swift.Span<UInt8>) -> R) -> R {
        let record = records[index]
        return body(record.span)
    }
    func place(at index: Int) -> String { "\(partition)@\(first + Int64(index))" }
}

/// Reads the fake cloud, and sometimes does not.
struct FakeReader: StateLister {
    let cloud: FakeCloud
    let clock: VirtualClock
    let faults: FaultPlan
    let courier: Courier
    let ledger: Ledger

    func list(_ type: String, at place: ResourceContext) async throws(ReadError) -> [ListedResource] {
        cloud.with { state, _ in
            state.truth.keys.filter { $0.type == type && state.accounts[$0] == place.account }.sorted()
                .map { ListedResource(resource: $0, context: place, element: .null) }
        }
    }

    func describe(_ listed: ListedResource) async throws(ReadError) -> Description {
        try await describe(listed.resource, context: listed.context)
    }

    func describe(_ resource: ResourceID, context: ResourceContext) async throws(ReadError) -> Description {
        if faults.fires(.describeThrottled) {
            throw ReadError(code: "throttled", message: "too many requests", retry: .after(Span(seconds: 1)))
        }
        if faults.fires(.describeDenied) {
            throw ReadError(code: "denied", message: "not allowed", retry: .after(Span(seconds: 5)))
        }
        let started = clock.cloudTime()
        // A stale read answers with what was before the last moments, and takes its time to come back.
        let early = faults.fires(.describeStale) ? cloud.with { state, _ in state.read(resource) } : nil
        if faults.fires(.meddler), let change = cloud.meddle(resource) { courier.take(change) }
        try? await clock.sleep(for: .milliseconds(faults.number(10...900)))
        let read = early ?? cloud.with { state, _ in state.read(resource) }
        ledger.read(resource, started: started)
        var description = Description(result: read.result, started: started, id: "read-\(ledger.nextRead())")
        description.answers = read.answers
        return description
    }
}
