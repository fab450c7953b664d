internal import ArgumentParser
internal import Foundation
internal import HoldfastCore
internal import HoldfastEngine
internal import HoldfastFiles
internal import HoldfastJSON
internal import HoldfastStore

/// CPU of one changed resource among few and among many: it must not grow with the estate.
struct FlatBench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "flat", abstract: "Time one change in a small and in a large estate.")

    @Option(help: "Resources in the small estate.")
    var small = 1_000
    @Option(help: "Resources in the large estate.")
    var large = 1_000_000
    @Option(help: "Changes that are timed, each a batch of its own.")
    var changes = 2_000

    func run() async throws {
        let folders = DataFolders(catalog: ["catalog"], baseline: ["baseline"], playbooks: ["playbooks"])
        let policy = DataSet(
            folders, configuration: Configuration(folder: "."), now: Timestamp(seconds: 1_780_000_000)
        ).policy()
        let few = try await Estate(size: small, policy: policy)
        let many = try await Estate(size: large, policy: policy)
        var times: [[Double]] = [[], []]
        for round in 0..<6 {
            for (index, estate) in [few, many].enumerated() {
                let time = try await estate.change(changes, round: round)
                if round > 0 { times[index].append(time) }
            }
        }
        for (size, rounds) in zip([small, large], times) {
            print("\(size) resources: \(Int(rounds.median)) ns CPU a change (\(rounds.map { Int($0) }))")
        }
        print("ratio \((times[1].median / times[0].median * 100).rounded() / 100)")
    }
}

/// A journal with some buckets, and a keeper of it.
private struct Estate {
    let keeper: Keeper
    let size: Int
    private static let now = Timestamp(seconds: 1_780_000_000)

    init(size: Int, policy: Policy) async throws {
        self.size = size
        let path = FileManager.default.temporaryDirectory.appending(path: "holdfast-flat-\(size).db").path
        for ending in ["", "-wal", "-shm", ".lock"] { try? FileManager.default.removeItem(atPath: path + ending) }
        keeper = try Keeper(journal: SQLiteJournal(.file(path)), policy: policy, limits: Limits())
        _ = try await keeper.positions(of: "bench")
        for start in stride(from: 0, to: size, by: 500) {
            let records = (start..<min(start + 500, size)).map {
                Estate.record(bucket: $0, event: "made-\($0)", on: true)
            }
            try await keeper.intake(
                RecordBatch(records: BenchRecords(records: records), positions: []), from: "bench", now: Estate.now)
        }
    }

    /// CPU of this process for each change, in nanoseconds.
    func change(_ count: Int, round: Int) async throws -> Double {
        let batches = (0..<count).map { number -> RecordBatch in
            let bucket = number &* 7919 % size
            let record = Estate.record(bucket: bucket, event: "change-\(round)-\(number)", on: round % 2 == 0)
            return RecordBatch(records: BenchRecords(records: [record]), positions: [])
        }
        let start = processNanoseconds()
        for batch in batches { try await keeper.intake(batch, from: "bench", now: Estate.now) }
        return Double(processNanoseconds() - start) / Double(count)
    }

    private static func record(bucket: Int, event: String, on: Bool) -> [UInt8] {
        let value = JSON.bool(on)
        let block: JSON = [
            "BlockPublicAcls": value, "BlockPublicPolicy": value, "IgnorePublicAcls": value,
            "RestrictPublicBuckets": value,
        ]
        let time = Timestamp(seconds: 1_779_000_000 + Int64(event.utf8.count))
        let record: JSON = [
            "eventTime": .string(time.description), "eventSource": "s3.amazonaws.com",
            "eventName": "PutBucketPublicAccessBlock", "awsRegion": "eu-west-1", "eventID": .string(event),
            "readOnly": false, "recipientAccountId": "111122223333",
            "userIdentity": ["type": "IAMUser", "arn": "arn:aws:iam::111122223333:user/someone"],
            "requestParameters": [
                "bucketName": .string("bucket-\(bucket)"), "PublicAccessBlockConfiguration": block,
            ],
        ]
        return record.canonicalBytes
    }
}

private struct BenchRecords: RecordStorage {
    var records: [[UInt8]]
    var count: Int { records.count }
    func withBytes<R>(at index: Int, _ body: (Swift.Span<UInt8>) -> R) -> R {
        let record = records[index]
        return body(record.span)
    }
    func place(at index: Int) -> String { "bench@\(index)" }
}
