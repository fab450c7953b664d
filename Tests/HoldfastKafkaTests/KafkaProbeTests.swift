import HoldfastEngine
import Testing

@testable import HoldfastKafka

@Suite("Looking at Kafka without reading", .timeLimit(.minutes(5)))
struct KafkaProbeTests {
    private let cluster: MockKafkaCluster
    init() throws { cluster = try MockKafkaCluster() }

    @Test("A look says how many partitions there are, and takes none from who reads")
    func topics() async throws {
        cluster.createTopic("events", partitions: 3)
        try send(0..<3, at: cluster.brokers)
        let source = KafkaSource(configuration(cluster.brokers))
        try await source.resumeAtLast(from: [])
        let offsets = Offsets()
        #expect(try await source.receive(3, into: offsets).count == 3)
        let held = await source.lag().map(\.partition)
        let found = try await KafkaProbe().look(configuration(cluster.brokers), name: "kafka:test")
        #expect(found.map(\.topic) == ["events"] && found.map(\.partitions) == [3])
        try send(3..<6, at: cluster.brokers)
        #expect(try await source.receive(3, into: offsets).errors.isEmpty)
        #expect(await source.lag().map(\.partition) == held)
        await source.close()
    }

    @Test("A broker that is away is an error with its reason")
    func away() async {
        cluster.setBroker(1, isUp: false)
        let error = await #expect(throws: SourceError.self) {
            _ = try await KafkaProbe().look(configuration(cluster.brokers, patience: .seconds(1)), name: "kafka:test")
        }
        #expect(error?.code == "broker-down")
    }

    @Test("What a version and a build of the library rule out is said, and nothing else is")
    func library() {
        let all: Set<String> = ["ssl", "sasl_plain", "sasl_scram", "sasl_oauthbearer", "gzip", "lz4", "snappy", "zstd"]
        let old = KafkaLibrary.ruledOut(version: 0x0200_02FF, features: all)
        #expect(old.contains { $0.contains("cooperative-sticky") } && old.contains { $0.contains("Read underflow") })
        let new = KafkaLibrary.ruledOut(version: 0x0204_00FF, features: all)
        #expect(new.count == 1 && new[0].contains("IAM"))
        let bare = KafkaLibrary.ruledOut(version: 0x0204_00FF, features: all.subtracting(["zstd"]))
        #expect(bare.contains { $0.contains("without zstd") } && bare.count == 2)
    }
}
