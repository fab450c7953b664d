import HoldfastCloud
import HoldfastCore
import HoldfastEngine
import HoldfastJSON
import TestOracles
import Testing

private struct QueueBench {
    static let start = time("2026-11-22T12:00:00Z")
    let clock = PassingClock(start)
    let bucket: FakeBucket
    var committed = Committed()
    var told: [SourceError] = []

    init(seed: UInt64 = 0, faultEvery: Int = 0) {
        bucket = FakeBucket(clock: clock, seed: seed, faultEvery: faultEvery)
    }

    func source() -> QueueSource<PassingClock> {
        QueueSource(
            name: "queue", queue: "https://sqs.eu-west-1.amazonaws.com/012345670123/trail",
            scope: CallScope(cloud: .aws, account: "012345670123", region: "eu-west-1"),
            calls: QueueCalls(
                receive: .named("sqs.ReceiveMessage"), delete: .named("sqs.DeleteMessageBatch"),
                extend: .named("sqs.ChangeMessageVisibilityBatch"), get: .named("s3.GetObject")),
            sender: bucket, inflate: FakeBucket.inflate, clock: clock)
    }

    enum Crash { case none, before, after }

    /// Reads until nothing waits in the queue, or a moment.
    mutating func run(until end: Timestamp, crashes: (RecordBatch) async -> Crash = { _ in .none }) async throws {
        let stop = LastMessage(end: end, clock: clock, bucket: bucket)
        var source = source()
        await source.resume(from: committed.all)
        while await !stop.isReached {
            do throws(SourceError) {
                guard let batch = try await nextBatch(source, stop) else { return }
                #expect(batch.records.count <= 500)
                let crash = await crashes(batch)
                if crash != .before { committed.commit(batch) }
                if crash == .none {
                    await source.committed(batch.positions)
                } else {
                    source = self.source()
                    await source.resume(from: committed.all)
                }
            } catch {
                told.append(error)
                guard case .after(let wait) = error.retry else { return }
                clock.pass(.nanoseconds(wait.nanoseconds))
                await source.resume(from: committed.all)
            }
        }
    }

    /// The next batch; `nil` where the end comes first. An idle queue gives none, so a task of its own waits for it.
    private func nextBatch(
        _ source: QueueSource<PassingClock>, _ stop: LastMessage
    ) async throws(SourceError) -> RecordBatch? {
        do {
            return try await withThrowingTaskGroup(of: RecordBatch?.self) { group in
                group.addTask { try await source.nextBatch() }
                group.addTask {
                    while !Task.isCancelled, await !stop.isReached { await Task.yield() }
                    return nil
                }
                let first = try await group.next() ?? nil
                group.cancelAll()
                return first
            }
        } catch let error as SourceError {
            throw error
        } catch {
            return nil
        }
    }
}

private struct LastMessage {
    var end: Timestamp
    var clock: PassingClock
    var bucket: FakeBucket
    var isReached: Bool {
        get async {
            let waiting = await bucket.waiting
            return waiting == 0 || clock.wallTime() >= end
        }
    }
}

@Suite("CloudTrail's files by a queue")
struct QueueSourceTests {
    private static let start = QueueBench.start

    @Test(
        "Doubled messages, faults and crashes at any batch: each record is given once",
        arguments: 0..<150 as Range<UInt64>)
    func exactlyOnce(seed: UInt64) async throws {
        var random = SplitMix(seed: seed)
        var bench = QueueBench(seed: seed, faultEvery: 10)
        var wanted: [String] = []
        var gone = 0
        for number in 0..<random.number(1...25) {
            let records = random.once(in: 5) ? random.number(400...1300) : random.number(0...20)
            let file = TrailFile(
                written: Self.start.plus(number * 60_000), number: number, records: records)
            if random.once(in: 10) {
                gone += 1
            } else {
                await bench.bucket.put(file.key, file.bytes)
                wanted += file.texts
            }
            let notification = file.notification
            await bench.bucket.tell(notification, at: file.written)
            if random.once(in: 5) { await bench.bucket.tell(notification, at: file.written) }
            if random.once(in: 5) { await bench.bucket.tell("not a message", at: file.written) }
        }
        try await bench.run(until: Self.start + Span(seconds: 36_000)) { _ in
            random.once(in: 5) ? (random.once(in: 2) ? .before : .after) : .none
        }
        #expect(bench.committed.records.filter { $0.contains("eventID") }.sorted() == wanted.sorted())
        #expect(bench.committed.unreadable.filter { $0.place.hasPrefix("s3:") }.count == gone)
        #expect(await bench.bucket.waiting == 0)
    }

    @Test("A message is deleted when the journal has all records of its files, and not before")
    func deletion() async throws {
        var bench = QueueBench()
        let file = TrailFile(written: Self.start, number: 1, records: 1100)
        await bench.bucket.put(file.key, file.bytes)
        await bench.bucket.tell(file.notification)
        let bucket = bench.bucket
        var batches = 0
        try await bench.run(until: Self.start + Span(seconds: 3600)) { _ in
            batches += 1
            #expect(await bucket.waiting == 1)
            return .none
        }
        #expect(batches == 3)
        #expect(bench.committed.records == file.texts)
        #expect(await bucket.waiting == 0)
    }

    @Test("A crash in the middle of a file goes on behind the last committed record, whatever comes between")
    func middle() async throws {
        var bench = QueueBench()
        let big = TrailFile(written: Self.start, number: 1, records: 1100)
        let small = TrailFile(written: Self.start.plus(60_000), number: 2, records: 3)
        for file in [big, small] { await bench.bucket.put(file.key, file.bytes) }
        await bench.bucket.tell(big.notification)
        await bench.bucket.tell(small.notification, at: Self.start.plus(1000))
        var batches = 0
        // The big file's message is ours for a minute still, so the small one comes first.
        try await bench.run(until: Self.start + Span(seconds: 3600)) { _ in
            batches += 1
            return batches == 1 ? .after : .none
        }
        #expect(bench.committed.records.sorted() == (big.texts + small.texts).sorted())
        #expect(bench.committed.records.dropFirst(500).first == small.texts.first)
    }

    @Test("What is no file of CloudTrail is counted, what cannot be understood is a dead letter, and both are deleted")
    func others() async throws {
        var bench = QueueBench()
        let file = TrailFile(written: Self.start, number: 1, records: 1)
        await bench.bucket.tell("{\"Service\":\"Amazon S3\",\"Event\":\"s3:TestEvent\",\"Bucket\":\"trail\"}")
        await bench.bucket.tell(file.notification.replacing("/CloudTrail/", with: "/CloudTrail-Digest/"))
        await bench.bucket.tell("what?")
        try await bench.run(until: Self.start + Span(seconds: 3600))
        #expect(bench.committed.unreadable.map(\.place) == ["sqs:m2"])
        var decoder = EventDecoder()
        let reasons = bench.committed.records.flatMap { text in
            decoder.decode(text.utf8.span, detail: .intake).map { item -> String in
                if case .dropped(let dropped) = item { "\(dropped.reason)" } else { "other" }
            }
        }
        #expect(reasons == ["not-an-audit-event: S3 test event", "not-an-audit-event: S3 notification"])
        #expect(await bench.bucket.waiting == 0)
    }

    @Test("A damaged file is a dead letter with what is whole in it kept, and does not come back")
    func damaged() async throws {
        var bench = QueueBench()
        let file = TrailFile(written: Self.start, number: 1, records: 2)
        await bench.bucket.put(file.key, Array(file.bytes.dropLast(12)))
        let cut = TrailFile(written: Self.start, number: 2, records: 2)
        await bench.bucket.put(cut.key, gzipped("{\"Records\":[\(cut.texts[0]),{\"eve"))
        for file in [file, cut] { await bench.bucket.tell(file.notification) }
        try await bench.run(until: Self.start + Span(seconds: 3600))
        #expect(bench.committed.unreadable.map(\.place) == ["s3://trail/\(file.key)"])
        #expect(bench.committed.unreadable.first?.reason.contains("gzip that ends too soon") == true)
        // What is cut off is a record too: decoding it makes a dead letter of it.
        #expect(bench.committed.records == [cut.texts[0], "{\"eve"])
        #expect(await bench.bucket.waiting == 0)
    }

    @Test("A file that is not allowed is told and left to the queue; the others are read, and it is once it is allowed")
    func denied() async throws {
        var bench = QueueBench()
        let files = (0..<3).map { TrailFile(written: Self.start.plus($0 * 60_000), number: $0, records: 2) }
        for file in files {
            await bench.bucket.put(file.key, file.bytes)
            await bench.bucket.tell(file.notification)
        }
        await bench.bucket.deny(files[0].key)
        try await bench.run(until: Self.start + Span(seconds: 900))
        #expect(bench.committed.records.sorted() == (files[1].texts + files[2].texts).sorted())
        // At most every ten minutes, though the queue gives it every minute.
        let passed = bench.clock.now.offset.components.seconds
        #expect((1...Int(passed / 600) + 1).contains(bench.told.count))
        #expect(bench.told.allSatisfy { $0.code == "not-allowed" })
        #expect(bench.told.first?.message.contains(files[0].key) == true)
        await bench.bucket.deny(files[0].key, false)
        try await bench.run(until: Self.start + Span(seconds: 3600))
        #expect(bench.committed.records.count == 6)
        #expect(await bench.bucket.waiting == 0)
    }

    @Test("Messages whose files take long stay ours")
    func visibility() async throws {
        var bench = QueueBench()
        let files = (0..<3).map { TrailFile(written: Self.start.plus($0 * 60_000), number: $0, records: 1200) }
        for file in files {
            await bench.bucket.put(file.key, file.bytes)
            await bench.bucket.tell(file.notification)
        }
        let clock = bench.clock
        // The journal is slow.
        try await bench.run(until: Self.start + Span(seconds: 36_000)) { _ in
            clock.pass(.seconds(120))
            return .none
        }
        #expect(bench.committed.records == files.flatMap(\.texts))
        #expect(await bench.bucket.extended >= 4)
        #expect(await bench.bucket.fetched.count == 3)
    }
}
