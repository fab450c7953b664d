import HoldfastCloud
import HoldfastCore
import HoldfastEngine
import Testing

private struct BucketBench {
    static let start = time("2026-11-22T23:30:00Z")
    let clock = PassingClock(start)
    let bucket: FakeBucket
    var committed = Committed()
    var told: [SourceError] = []
    var overlap = Span(seconds: 3600)

    init(seed: UInt64 = 0, faultEvery: Int = 0, pageSize: Int = 1000) {
        bucket = FakeBucket(clock: clock, seed: seed, faultEvery: faultEvery, pageSize: pageSize)
    }

    func source() -> BucketSource<PassingClock> {
        BucketSource(
            name: "bucket", bucket: "trail", prefix: "", overlap: overlap, every: Span(seconds: 300),
            scope: CallScope(cloud: .aws, account: "012345670123", region: "eu-west-1"),
            list: .named("s3.ListObjectsV2"), get: .named("s3.GetObject"), sender: bucket, inflate: FakeBucket.inflate,
            clock: clock, start: Self.start)
    }

    enum Crash { case none, before, after }

    mutating func run(until end: Timestamp, crashes: (RecordBatch) -> Crash = { _ in .none }) async throws {
        var source = source()
        await source.resume(from: committed.all)
        while clock.wallTime() < end {
            do throws(SourceError) {
                guard let batch = try await source.nextBatch() else { return }
                #expect(batch.records.count <= 500)
                let crash = crashes(batch)
                if crash != .before { committed.commit(batch) }
                if crash != .none {
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
}

@Suite("CloudTrail's files by listing")
struct BucketSourceTests {
    private static let start = BucketBench.start

    @Test("Late files, faults and crashes at any batch: each record is given once", arguments: 0..<150 as Range<UInt64>)
    func exactlyOnce(seed: UInt64) async throws {
        var random = SplitMix(seed: seed)
        var bench = BucketBench(seed: seed, faultEvery: 15, pageSize: random.number(1...6))
        bench.overlap = Span(seconds: random.number(5...60) * 60)
        let accounts = ["012345670123", "111122223333"]
        let regions = ["eu-west-1", "us-east-1"]
        var wanted: [String] = []
        for number in 0..<random.number(1...40) {
            let records = random.once(in: 8) ? random.number(400...1300) : random.number(0...9)
            var file = TrailFile(
                written: Self.start.plus(random.number(0...90) * 60_000), number: number, records: records)
            file.account = accounts[random.number(0...1)]
            file.region = regions[random.number(0...1)]
            let latest = Int(bench.overlap.nanoseconds / 1_000_000)
            let late = random.once(in: 3) ? random.number(0...latest) : random.number(0...60_000)
            await bench.bucket.put(file.key, file.bytes, at: file.written.plus(late))
            wanted += file.texts
        }
        let end = Self.start + Span(seconds: 5400 + 3600 + 7200)
        try await bench.run(until: end) { _ in
            random.once(in: 6) ? (random.once(in: 2) ? .before : .after) : .none
        }
        #expect(bench.committed.records.sorted() == wanted.sorted())
        #expect(bench.told.isEmpty)
    }

    @Test("Files of the past are left alone at the first start, and read from the position on at a later one")
    func firstStart() async throws {
        var bench = BucketBench()
        let old = TrailFile(written: Self.start - Span(seconds: 7 * 86_400), number: 1, records: 1)
        let new = TrailFile(written: Self.start, number: 2, records: 1)
        for file in [old, new] { await bench.bucket.put(file.key, file.bytes) }
        try await bench.run(until: Self.start + Span(seconds: 7200))
        #expect(bench.committed.records == new.texts)

        let days = (1..<6).map {
            TrailFile(written: Self.start + Span(seconds: $0 * 86_400), number: $0 + 9, records: 1)
        }
        for file in days { await bench.bucket.put(file.key, file.bytes) }
        bench.clock.pass(.seconds(6 * 86_400))
        try await bench.run(until: Self.start + Span(seconds: 7 * 86_400))
        #expect(bench.committed.records == new.texts + days.flatMap(\.texts))
        #expect(await bench.bucket.fetched.count == 6)
    }

    @Test("Folders of an organisation are found, and new accounts within the hour")
    func folders() async throws {
        var bench = BucketBench()
        let first = TrailFile(written: Self.start, number: 1, records: 1)
        var second = TrailFile(written: Self.start.plus(600_000), number: 2, records: 1)
        second.account = "111122223333"
        let inside = { (key: String) in key.replacing("AWSLogs/", with: "AWSLogs/o-a1b2c3/") }
        await bench.bucket.put(inside(first.key), first.bytes)
        await bench.bucket.put(inside(second.key), second.bytes, at: Self.start.plus(600_000))
        let digest = first.key.replacing("/CloudTrail/", with: "/CloudTrail-Digest/")
        await bench.bucket.put(digest, first.bytes)
        try await bench.run(until: Self.start + Span(seconds: 7200))
        #expect(bench.committed.records == first.texts + second.texts)
        #expect(await !bench.bucket.fetched.contains(digest))
    }

    @Test("A file that is not allowed holds up its own folder alone, and is read once it is allowed")
    func denied() async throws {
        var bench = BucketBench()
        let files = ["eu-west-1", "us-east-1"].enumerated().map { number, region in
            var file = TrailFile(written: Self.start, number: number, records: 2)
            file.region = region
            return file
        }
        for file in files { await bench.bucket.put(file.key, file.bytes) }
        await bench.bucket.deny(files[0].key)
        try await bench.run(until: Self.start + Span(seconds: 3600))
        #expect(bench.committed.records == files[1].texts)
        #expect(!bench.told.isEmpty && bench.told.count < 8)
        #expect(bench.told.first?.message.contains(files[0].key) == true)
        await bench.bucket.deny(files[0].key, false)
        try await bench.run(until: Self.start + Span(seconds: 30_000))
        #expect(bench.committed.records.sorted() == files.flatMap(\.texts).sorted())
    }
}
