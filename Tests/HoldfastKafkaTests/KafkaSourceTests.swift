import HoldfastEngine
import Testing

@testable import HoldfastKafka

@Suite("Events from Kafka, on librdkafka's mock cluster", .timeLimit(.minutes(30)))
struct KafkaSourceTests {
    private let cluster: MockKafkaCluster
    init() throws { cluster = try MockKafkaCluster() }

    @Test("Every message of every partition comes once, in its partition's order, with its place")
    func everyMessage() async throws {
        cluster.createTopic("events", partitions: 4)
        cluster.createTopic("more", partitions: 1)
        try send(0..<1200, partitions: 4, at: cluster.brokers)
        try send(1200..<1205, to: "more", at: cluster.brokers)
        let source = KafkaSource(configuration(cluster.brokers, topics: ["events", "more"]))
        #expect(source.name == "kafka:holdfast")
        try await source.resume(from: [])
        let offsets = Offsets()
        let received = try await source.receive(1205, into: offsets)
        #expect(received.texts.sorted() == (0..<1205).map(text).sorted())
        #expect(received.batches.allSatisfy { (1...500).contains($0) })
        let third = zip(received.texts, received.places).filter { $1.hasPrefix("events/3@") }
        #expect(third.map { $0.0 } == stride(from: 3, to: 1200, by: 4).map(text))
        #expect(third.map { $0.1 } == (0..<300).map { "events/3@\($0)" })
        #expect(
            await offsets.all.map { "\($0.source) \($0.partition) \($0.next)" } == [
                "kafka:holdfast events/0 300", "kafka:holdfast events/1 300", "kafka:holdfast events/2 300",
                "kafka:holdfast events/3 300", "kafka:holdfast more/0 5",
            ])
        #expect(
            await source.lag().map { "\($0.partition) \($0.next ?? -1) \($0.end ?? -1)" } == [
                "events/0 300 300", "events/1 300 300", "events/2 300 300", "events/3 300 300", "more/0 5 5",
            ])
        await source.close()
        #expect(try await source.nextBatch() == nil)
    }

    @Test("After a crash what was not committed comes again, and nothing else")
    func crash() async throws {
        cluster.createTopic("events", partitions: 2)
        try send(0..<600, partitions: 2, at: cluster.brokers)
        let offsets = Offsets()
        var first: KafkaSource? = KafkaSource(configuration(cluster.brokers))
        try await first?.resume(from: [])
        var received = try await first?.receive(400, into: offsets) ?? Received()
        try send(600..<700, partitions: 2, at: cluster.brokers)
        let lost = try await places(first?.nextBatch())
        first = nil
        let second = KafkaSource(configuration(cluster.brokers))
        try await second.resume(from: await offsets.all)
        let rest = try await second.receive(700 - received.texts.count, into: offsets)
        received.texts += rest.texts
        #expect(received.texts.sorted() == (0..<700).map(text).sorted())
        #expect(!lost.isEmpty)
        #expect(lost.allSatisfy(rest.places.contains))
        await second.close()
    }

    private func places(_ batch: RecordBatch?) -> [String] {
        guard let batch else { return [] }
        return (0..<batch.records.count).map(batch.records.place)
    }

    @Test("A batch outlives the source that it came from")
    func outlives() async throws {
        cluster.createTopic("events", partitions: 1)
        try send(0..<3, at: cluster.brokers)
        var source: KafkaSource? = KafkaSource(configuration(cluster.brokers))
        try await source?.resume(from: [])
        let batch = try #require(try await source?.nextBatch())
        await source?.close()
        source = nil
        var received = Received()
        received.add(batch)
        #expect(received.texts == (0..<received.texts.count).map(text))
        #expect(received.places.first == "events/0@0")
    }

    @Test("The journal's position counts, not the group's")
    func journalCounts() async throws {
        cluster.createTopic("events", partitions: 1)
        try send(0..<10, at: cluster.brokers)
        let offsets = Offsets()
        let first = KafkaSource(configuration(cluster.brokers))
        try await first.resume(from: [])
        _ = try await first.receive(10, into: offsets)
        await first.close()
        let second = KafkaSource(configuration(cluster.brokers))
        try await second.resume(from: [SourcePosition(source: second.name, partition: "events/0", next: 7)])
        #expect(try await second.receive(3, into: offsets).texts == (7..<10).map(text))
        await second.close()
    }

    @Test(
        "Two instances share the partitions, and each message comes once to one of them",
        arguments: ["range", "cooperative-sticky"])
    func rebalance(strategy: String) async throws {
        cluster.createTopic("events", partitions: 4)
        let brokers = cluster.brokers
        let offsets = Offsets()
        let sources = (0..<2).map { _ -> KafkaSource in
            var shared = configuration(brokers, options: ["partition.assignment.strategy": strategy])
            shared.libraryVersion = 0x0204_0000
            return KafkaSource(shared, takeOver: { await offsets.take($0) })
        }
        try send(0..<100, partitions: 4, at: brokers)
        try await sources[0].resume(from: [])
        var texts = try await sources[0].receive(100, into: offsets).texts
        #expect(await offsets.taken.sorted() == ["events/0", "events/1", "events/2", "events/3"])
        try await sources[1].resume(from: [])
        let (shared, signal) = AsyncStream.makeStream(of: Void.self)
        let readers = sources.map { source in
            Task {
                var received = Received()
                while let batch = try await source.nextBatch() {
                    received.add(batch)
                    await offsets.commit(batch)
                    signal.yield()
                }
                return received
            }
        }
        // Until both hold partitions, and what was sent since has come.
        while true {
            let held = await [sources[0].lag().count, sources[1].lag().count]
            if held == [2, 2] { break }
        }
        try send(100..<300, partitions: 4, at: brokers)
        for await _ in shared where await offsets.all.reduce(0, { $0 + $1.next }) == 300 { break }
        await sources[0].close()
        try send(300..<400, partitions: 4, at: brokers)
        for await _ in shared where await offsets.all.reduce(0, { $0 + $1.next }) == 400 { break }
        #expect(await sources[1].lag().count == 4)
        await sources[1].close()
        let received = try await [readers[0].value, readers[1].value]
        #expect(received.allSatisfy { $0.count > 0 })
        texts += received.flatMap(\.texts)
        #expect(texts.sorted() == (0..<400).map(text).sorted())
    }

    @Test("A message of 900 KB and an empty one pass, and a tombstone is told of")
    func payloads() async throws {
        cluster.createTopic("events", partitions: 1)
        let producer = try KafkaProducer(brokers: cluster.brokers)
        let great = [UInt8](repeating: UInt8(ascii: "x"), count: 900_000)
        try producer.send(great, to: "events")
        try producer.send(nil, to: "events")
        try producer.send([], to: "events")
        try producer.flush()
        let source = KafkaSource(configuration(cluster.brokers))
        try await source.resume(from: [])
        let offsets = Offsets()
        let received = try await source.receive(3, into: offsets)
        #expect(received.texts.map(\.utf8.count) == [900_000, 0])
        #expect(received.places == ["events/0@0", "events/0@2"])
        #expect(received.unreadable.map(\.place) == ["events/0@1"])
        #expect(received.unreadable.first?.reason.contains("tombstone") == true)
        #expect(await offsets.all.first?.next == 3)
        await source.close()
    }

    @Test("A source that waits ends with a clear word when its task is cancelled")
    func cancelled() async throws {
        cluster.createTopic("events", partitions: 1)
        let source = KafkaSource(configuration(cluster.brokers))
        try await source.resume(from: [])
        let task = Task { try await source.nextBatch() }
        task.cancel()
        let error = await #expect(throws: SourceError.self) { try await task.value }
        #expect(error?.code == "cancelled")
        await source.close()
    }
}
