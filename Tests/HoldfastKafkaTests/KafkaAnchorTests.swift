import Foundation
import HoldfastCore
import HoldfastEngine
import HoldfastKafka
import Testing

private let broker = ProcessInfo.processInfo.environment["HOLDFAST_TEST_BROKER"]

private func checkpoint(_ number: Int64) -> AuditCheckpoint {
    AuditCheckpoint(
        at: Timestamp(seconds: 1_780_000_000 + number), auditSequence: number, auditDigest: "a\(number)",
        batchSequence: number, batchSeal: "b")
}

@Suite("Checkpoints in a topic", .timeLimit(.minutes(5)))
struct KafkaAnchorTests {
    @Test(
        "A topic keeps what the brokers have acknowledged, in order",
        .enabled(if: broker != nil, "HOLDFAST_TEST_BROKER names no broker"))
    func kept() async throws {
        let brokers = try #require(broker)
        let topic = "anchor-\(UUID().uuidString.prefix(8))"
        try KafkaProducer(brokers: brokers).createTopic(topic, partitions: 1)
        let anchor = try KafkaAnchor(brokers: brokers, topic: topic)
        #expect(anchor.name == "kafka \(topic)")
        for number in 1...3 as ClosedRange<Int64> { try await anchor.put(checkpoint(number)) }
        let source = KafkaSource(configuration(brokers, topics: [topic], group: "group-\(topic)"), name: "kafka")
        try await source.resume(from: [])
        let received = try await source.receive(3, into: Offsets())
        #expect(received.texts.map { AuditCheckpoint(line: Array($0.utf8)) } == (1...3).map { checkpoint($0) })
        await source.close()
    }

    @Test("A message that no broker takes is a failure, and is not sent later")
    func nobody() async throws {
        let anchor = try KafkaAnchor(
            brokers: "127.0.0.1:1", topic: "anchor", options: ["message.timeout.ms": "300"])
        for _ in 0..<2 {
            let error = await #expect(throws: AnchorError.self) { try await anchor.put(checkpoint(1)) }
            #expect(error?.description.contains("are the brokers there") == true)
        }
    }

    @Test("A setting that librdkafka does not know is refused at once")
    func badOption() {
        #expect(throws: SourceError.self) {
            try KafkaAnchor(brokers: "127.0.0.1:1", topic: "anchor", options: ["no.such": "1"])
        }
    }
}
