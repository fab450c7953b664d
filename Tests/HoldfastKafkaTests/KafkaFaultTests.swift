import HoldfastCore
import HoldfastEngine
import HoldfastKafka
import Synchronization
import Testing

@Suite("What goes wrong with Kafka", .timeLimit(.minutes(30)))
struct KafkaFaultTests {
    private let cluster: MockKafkaCluster
    init() throws { cluster = try MockKafkaCluster() }

    private func errorOfResume(_ source: KafkaSource) async -> SourceError? {
        await #expect(throws: SourceError.self) { try await source.resume(from: []) }
    }

    @Test("Topics that are not there are named, with the nearest that is")
    func missingTopic() async throws {
        cluster.createTopic("cloudtrail", partitions: 1)
        cluster.setError(3, ofTopic: "cloudtrial")  // UNKNOWN_TOPIC_OR_PART; the mock makes topics that are asked for
        cluster.setError(3, ofTopic: "nothing-like-it")
        let source = KafkaSource(
            configuration(cluster.brokers, topics: ["cloudtrail", "cloudtrial", "nothing-like-it"]))
        let error = await errorOfResume(source)
        #expect(error?.code == "no-such-topic")
        #expect(error?.message.contains("no topic \"cloudtrial\", \"nothing-like-it\" at 127.0.0.1") == true)
        #expect(error?.message.contains("did you mean \"cloudtrail\"?") == true)
    }

    @Test("A broker that is down at the start is told of with the reason, and the source can be resumed later")
    func downAtStart() async throws {
        cluster.createTopic("events", partitions: 1)
        try send(0..<3, at: cluster.brokers)
        cluster.setBroker(1, isUp: false)
        let source = KafkaSource(configuration(cluster.brokers, patience: .seconds(2)))
        let error = await errorOfResume(source)
        #expect(error?.code == "broker-down")
        #expect(error?.message.contains("no broker at \(cluster.brokers) has answered for 2 s") == true)
        #expect(error?.retry == .after(.init(seconds: 5)))
        cluster.setBroker(1, isUp: true)
        try await source.resumeAtLast(from: [])
        #expect(try await source.receive(3, into: Offsets()).texts == (0..<3).map(text))
        await source.close()
    }

    @Test(
        "A broker that goes away is told of, and reading goes on when it is back, with nothing twice",
        arguments: [false, true])
    func downInTheMiddle(resumes: Bool) async throws {
        cluster.createTopic("events", partitions: 1)
        try send(0..<10, at: cluster.brokers)
        let source = KafkaSource(configuration(cluster.brokers, patience: .seconds(2)))
        try await source.resumeAtLast(from: [])
        let offsets = Offsets()
        var texts = try await source.receive(10, into: offsets).texts
        cluster.setBroker(1, isUp: false)
        let error = await #expect(throws: SourceError.self) { try await source.nextBatch() }
        #expect(error?.code == "broker-down")
        cluster.setBroker(1, isUp: true)
        try send(10..<20, at: cluster.brokers)
        if resumes { try await source.resumeAtLast(from: await offsets.all) }
        let rest = try await source.receive(10, into: offsets, resumesAfterErrors: resumes)
        texts += rest.texts
        #expect(rest.errors.allSatisfy { $0.code == "broker-down" })
        #expect(texts == (0..<20).map(text))
        await source.close()
    }

    @Test(
        "An offset that the log does not have is told of with all numbers, and reading goes on at its beginning",
        arguments: [false, true])
    func outOfRange(resumes: Bool) async throws {
        cluster.createTopic("events", partitions: 2)
        try send(0..<10, partitions: 2, at: cluster.brokers)
        let source = KafkaSource(configuration(cluster.brokers))
        let offsets = Offsets([
            SourcePosition(source: source.name, partition: "events/1", next: 1000),
            SourcePosition(source: source.name, partition: "events/0", next: 4),
        ])
        try await source.resume(from: await offsets.all)
        let received = try await source.receive(6, into: offsets, resumesAfterErrors: resumes)
        let errors = received.errors, places = received.places
        #expect(errors.map(\.code) == ["offset-out-of-range"])
        #expect(
            errors.first?.message.contains("offset 1000 of events/1 is not in the log, which goes from 0 to 5") == true)
        #expect(errors.first?.retry == .after(.init(seconds: 0)))
        #expect(places.sorted() == ["events/0@4"] + (0..<5).map { "events/1@\($0)" })
        await source.close()
    }

    @Test("Records that were deleted before they were read are counted")
    func deleted() async throws {
        cluster.createTopic("events", partitions: 1)
        // The mock keeps 5 MB of a partition.
        let producer = try KafkaProducer(brokers: cluster.brokers)
        for _ in 0..<12 {
            try producer.send([UInt8](repeating: 0x20, count: 900_000), to: "events")
            try producer.flush()
        }
        let source = KafkaSource(configuration(cluster.brokers))
        try await source.resume(from: [SourcePosition(source: source.name, partition: "events/0", next: 1)])
        let error = await #expect(throws: SourceError.self) { try await source.nextBatch() }
        #expect(error?.code == "offset-out-of-range")
        let places = try await source.receive(2, into: Offsets()).places
        let first = try #require(places.first?.split(separator: "@").last.flatMap { Int($0) })
        #expect(first > 1)
        #expect(error?.message.contains("\(first - 1) records were deleted before they were read") == true)
        await source.close()
    }

    @Test("A source that its group has forgotten joins again, and nothing comes twice")
    func forgotten() async throws {
        cluster.createTopic("events", partitions: 2)
        try send(0..<10, partitions: 2, at: cluster.brokers)
        let offsets = Offsets()
        let source = KafkaSource(configuration(cluster.brokers), takeOver: { await offsets.take($0) })
        try await source.resume(from: [])
        var texts = try await source.receive(10, into: offsets).texts
        cluster.answer(apiKey: 12, with: [25])  // Heartbeat: UNKNOWN_MEMBER_ID
        let waiting = Task { try await source.receive(10, into: offsets).texts }
        while await offsets.taken.count < 4 { _ = await source.lag() }
        try send(10..<20, partitions: 2, at: cluster.brokers)
        texts += try await waiting.value
        #expect(texts.sorted() == (0..<20).map(text).sorted())
        await source.close()
    }

    @Test("Another process with the same instance id is told of, and ends the source")
    func fenced() async throws {
        cluster.createTopic("events", partitions: 1)
        try send(0..<1, at: cluster.brokers)
        let source = KafkaSource(configuration(cluster.brokers, options: ["group.instance.id": "one"]))
        try await source.resume(from: [])
        _ = try await source.receive(1, into: Offsets())
        cluster.answer(apiKey: 12, with: [82])  // Heartbeat: FENCED_INSTANCE_ID
        let error = await #expect(throws: SourceError.self) { try await source.nextBatch() }
        #expect(error?.code == "fenced")
        #expect(error?.retry == .never)
        await source.close()
    }

    @Test("A topic that may not be read is told of")
    func notAllowed() async throws {
        cluster.createTopic("events", partitions: 1)
        cluster.setError(29, ofTopic: "events")  // TOPIC_AUTHORIZATION_FAILED
        let error = await errorOfResume(KafkaSource(configuration(cluster.brokers)))
        #expect(error?.code == "not-allowed")
        #expect(error?.message.contains("at events") == true)
    }

    @Test("Closing does not wait for a broker that is gone")
    func closeWithoutBroker() async throws {
        cluster.createTopic("events", partitions: 1)
        try send(0..<1, at: cluster.brokers)
        let source = KafkaSource(configuration(cluster.brokers))
        try await source.resume(from: [])
        let batch = try await source.nextBatch()
        cluster.setBroker(1, isUp: false)
        let time = await ContinuousClock().measure { await source.close() }
        #expect(time < .seconds(60))
        #expect(batch?.records.count == 1)
    }

    @Test("librdkafka's log goes where it is told to")
    func log() async throws {
        let lines = Mutex<[KafkaLogLine]>([])
        cluster.createTopic("events", partitions: 1)
        cluster.setBroker(1, isUp: false)
        let source = KafkaSource(
            configuration(cluster.brokers, patience: .seconds(2)), log: { line in lines.withLock { $0.append(line) } })
        _ = await errorOfResume(source)
        #expect(
            lines.withLock { $0 }.contains { $0.facility == "FAIL" && $0.level <= 4 && $0.text.contains("127.0.0.1") })
    }

    @Test("A source that was not resumed says so")
    func notResumed() async throws {
        let source = KafkaSource(configuration(cluster.brokers))
        let error = await #expect(throws: SourceError.self) { try await source.nextBatch() }
        #expect(error?.code == "not-resumed")
    }
}

@Suite("The configuration of Kafka")
struct KafkaConfigurationTests {
    private func message(_ configuration: KafkaConfiguration) async -> String {
        let error = await #expect(throws: SourceError.self) { try await KafkaSource(configuration).resume(from: []) }
        #expect(error?.code == "bad-option")
        #expect(error?.retry == .never)
        return error?.message ?? ""
    }

    @Test(
        "An option that is not passed on is refused with the reason",
        arguments: [
            (
                "sesion.timeout.ms", "10",
                "\"sesion.timeout.ms\" is no option that is passed on to Kafka; did you mean \"session.timeout.ms\"?"
            ),
            ("plugin.library.paths", "x", "\"plugin.library.paths\" is no option"),
            (
                "auto.offset.reset", "latest",
                "the option \"auto.offset.reset\" cannot be set: an offset outside the log is told of"
            ),
            ("enable.auto.commit", "true", "cannot be set: offsets are kept with what the events led to"),
            ("group.id", "x", "it is the source's group"),
            ("partition.assignment.strategy", "cooperative-sticky", "needs librdkafka 2.4 or newer"),
            (
                "session.timeout.ms", "soon",
                "the option \"session.timeout.ms\": Invalid value for configuration property \"session.timeout.ms\""
            ),
            ("security.protocol", "tls", "the option \"security.protocol\": Invalid value \"tls\""),
        ])
    func refused(name: String, value: String, reason: String) async {
        let found = await message(configuration("127.0.0.1:1", options: [name: value]))
        #expect(found.contains(reason), "\(found)")
    }

    @Test("All that is wrong is told at once")
    func allAtOnce() async {
        let found = await message(configuration("", topics: [], group: "", options: ["a": "1", "b": "2"]))
        for word in [
            "brokers is empty", "topics has no name", "group is empty", "\"a\" is no option", "\"b\" is no option",
        ] {
            #expect(found.contains(word))
        }
    }

    @Test("A secret is in no error", arguments: ["ssl.key.password", "sasl.password", "ssl.key.pem"])
    func secrets(name: String) async {
        let options = [
            name: "s3cr3t-word", "security.protocol": "SASL_SSL", "sasl.mechanism": "NOT-KNOWN", "sasl.username": "u",
            "ssl.ca.location": "/nowhere/ca.pem",
        ]
        let found = await message(configuration("127.0.0.1:1", options: options))
        #expect(!found.contains("s3cr3t-word"), "\(found)")
    }

    @Test("The options that are passed on are known to this librdkafka or to a newer one, and none is ours")
    func names() {
        #expect(KafkaConfiguration.optionNames == KafkaConfiguration.optionNames.sorted())
        for name in ["sasl.password", "ssl.ca.location", "group.instance.id", "security.protocol"] {
            #expect(KafkaConfiguration.optionNames.contains(name))
        }
        #expect(!KafkaConfiguration.optionNames.contains("auto.offset.reset"))
    }
}
