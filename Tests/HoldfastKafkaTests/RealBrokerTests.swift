import Foundation
import HoldfastEngine
import HoldfastKafka
import Testing

private let broker = ProcessInfo.processInfo.environment["HOLDFAST_TEST_BROKER"]

/// What the mock does not have: topics that are not made by asking for them, records that are deleted, transactions.
/// `Tests/servers/start-broker.sh` starts a broker and prints its address.
@Suite(
    "Events from a broker of its own", .enabled(if: broker != nil, "HOLDFAST_TEST_BROKER names no broker"),
    .timeLimit(.minutes(30)))
struct RealBrokerTests {
    private let brokers: String
    /// A topic and group of its own for each test, so that they can share the broker.
    private let topic = "events-\(UUID().uuidString.prefix(8))"
    init() throws { brokers = try #require(broker) }

    private func source(_ topics: [String]? = nil, group: String? = nil) -> KafkaSource {
        KafkaSource(configuration(brokers, topics: topics ?? [topic], group: group ?? "group-\(topic)"), name: "kafka")
    }

    private func create(partitions: Int) throws {
        try KafkaProducer(brokers: brokers).createTopic(topic, partitions: partitions)
    }

    @Test("Every message comes once, through a crash and a change of the group")
    func once() async throws {
        try create(partitions: 4)
        try send(0..<3000, to: topic, partitions: 4, at: brokers)
        let offsets = Offsets()
        var texts: [String] = []
        // Another group each time: this broker never notices that a member is gone, and positions are ours anyway.
        for (crash, count) in [900, 1100, 1000].enumerated() {
            var crashing: KafkaSource? = source(group: "group-\(crash)-\(topic)")
            try await crashing?.resume(from: await offsets.all)
            let rest = 3000 - texts.count
            let received = try await crashing?.receive(min(count, rest), into: offsets)
            texts += received?.texts ?? []
            if texts.count < 3000 { _ = try await crashing?.nextBatch() }
            crashing = nil
        }
        let last = source(group: "group-last-\(topic)")
        try await last.resume(from: await offsets.all)
        texts += try await last.receive(3000 - texts.count, into: offsets).texts
        #expect(texts.count == 3000)
        #expect(texts.sorted() == (0..<3000).map(text).sorted())
        #expect(await offsets.all.map(\.next) == [750, 750, 750, 750])
        await last.close()
    }

    @Test("A topic that is not there is told of, and is not made")
    func missingTopic() async throws {
        for _ in 0..<2 {
            let error = await #expect(throws: SourceError.self) { try await source().resume(from: []) }
            #expect(error?.code == "no-such-topic")
            #expect(error?.message.contains("no topic \"\(topic)\" at \(brokers)") == true)
        }
    }

    @Test("An offset that the log does not have is told of, and reading goes on at its beginning")
    func outOfRange() async throws {
        try create(partitions: 1)
        try send(0..<5, to: topic, at: brokers)
        let source = source()
        try await source.resume(from: [SourcePosition(source: "kafka", partition: "\(topic)/0", next: 77)])
        let received = try await source.receive(5, into: Offsets())
        #expect(received.errors.map(\.code) == ["offset-out-of-range"])
        #expect(
            received.errors.first?.message.contains("offset 77 of \(topic)/0 is not in the log, which goes from 0 to 5")
                == true)
        #expect(received.texts == (0..<5).map(text))
        await source.close()
    }

    @Test(
        "A message of 900 KB passes, packed or not, and a tombstone is told of",
        arguments: ["none", "gzip", "lz4", "zstd", "snappy"])
    func payloads(compression: String) async throws {
        try create(partitions: 1)
        let producer = try KafkaProducer(brokers: brokers, options: ["compression.type": compression])
        let great = (0..<900_000).map { UInt8(truncatingIfNeeded: 32 + $0 % 90) }
        try producer.send(great, to: topic)
        try producer.send(nil, to: topic)
        try producer.flush()
        let source = source()
        try await source.resume(from: [])
        let received = try await source.receive(2, into: Offsets())
        #expect(received.texts == [String(decoding: great, as: UTF8.self)])
        #expect(received.unreadable.map(\.place) == ["\(topic)/0@1"])
        await source.close()
    }

    @Test("Credentials are passed on")
    func credentials() async throws {
        try create(partitions: 1)
        try send(0..<1, to: topic, at: brokers)
        let options = [
            "security.protocol": "SASL_PLAINTEXT", "sasl.mechanism": "PLAIN", "sasl.username": "user",
            "sasl.password": "word",
        ]
        let source = KafkaSource(configuration(brokers, topics: [topic], group: topic, options: options))
        try await source.resume(from: [])
        #expect(try await source.receive(1, into: Offsets()).texts == [text(0)])
        await source.close()
    }

    @Test("Two instances share the partitions, and the one that stays gets all")
    func rebalance() async throws {
        try create(partitions: 4)
        let offsets = Offsets()
        let sources = (0..<2).map { _ in
            KafkaSource(
                configuration(brokers, topics: [topic], group: "group-\(topic)"), name: "kafka",
                takeOver: { await offsets.take($0) })
        }
        let readers = sources.map { source in
            Task {
                try await source.resume(from: [])
                return try await source.receive(.max, into: offsets)
            }
        }
        func held() async -> [Int] { await [sources[0].lag().count, sources[1].lag().count] }
        while await held() != [2, 2] {}
        try send(0..<200, to: topic, partitions: 4, at: brokers)
        while await offsets.all.reduce(0, { $0 + $1.next }) < 200 { _ = await held() }
        await sources[0].close()
        while await held() != [0, 4] {}
        try send(200..<400, to: topic, partitions: 4, at: brokers)
        while await offsets.all.reduce(0, { $0 + $1.next }) < 400 { _ = await held() }
        await sources[1].close()
        let texts = try await readers[0].value.texts + readers[1].value.texts
        #expect(texts.sorted() == (0..<400).map(text).sorted())
    }
}
