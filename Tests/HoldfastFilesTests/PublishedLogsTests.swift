import Foundation
import HoldfastEngine
import HoldfastFiles
import Testing

private let data = ProcessInfo.processInfo.environment["HOLDFAST_TEST_DATA"]

/// Logs that others published, where they are present.
@Suite("Published logs", .enabled(if: data != nil, "HOLDFAST_TEST_DATA names no folder"))
struct PublishedLogsTests {
    @Test(
        "Every record of a published log comes out, and each is JSON",
        arguments: [
            "aws-cloudtrail-invictus", "aws-cloudtrail-stratus", "aws-cloudtrail-cribl", "plaso-3cloud-jsonl",
            "azure-eventhub-dynatrace", "azure-rest-xplat-cli", "c7n-gcp-events", "c7n-aws-events",
            "aws-eventbridge-manageiq", "azure-rest-manageiq", "gcp-cloudevents-audit",
        ])
    func complete(folder: String) async throws {
        let path = try #require(data) + "/" + folder
        let taken = try await take(FileSource(paths: [path], wait: neverWaits))
        #expect(taken.unreadable.isEmpty)
        for (record, place) in zip(taken.records, taken.places) {
            let parsed = try? JSONSerialization.jsonObject(with: Data(record.utf8), options: .fragmentsAllowed)
            #expect(parsed != nil, "\(place)")
        }
        #expect(taken.records.count == count(path))
        #expect(!taken.records.isEmpty)
    }

    /// Records by another way: each file parsed whole, or else counted by its lines.
    private func count(_ path: String) -> Int {
        let names = FileManager.default.enumerator(atPath: path)?.compactMap { $0 as? String } ?? []
        let files = names.filter { name in
            !["md", "txt", "csv"].contains((name as NSString).pathExtension) && !name.contains("LICENSE")
        }
        return files.reduce(0) { sum, name in
            guard let bytes = FileManager.default.contents(atPath: "\(path)/\(name)") else { return sum }
            switch try? JSONSerialization.jsonObject(with: bytes) {
            case let list as [Any]: return sum + list.count
            case let object as [String: Any]:
                let list = object["Records"] as? [Any] ?? object["records"] as? [Any]
                return sum + (list?.count ?? 1)
            default:
                return sum + bytes.split(separator: UInt8(ascii: "\n")).filter { !$0.allSatisfy { $0 == 32 } }.count
            }
        }
    }

    @Test("No broken JSON file stops the rest, and what is one document comes out as one")
    func brokenFiles() async throws {
        let path = try #require(data) + "/json-parsing/test_parsing"
        let names = try FileManager.default.contentsOfDirectory(atPath: path).sorted()
        let taken = try await take(FileSource(paths: [path + "/*.json"], wait: neverWaits))
        let seen = Set((taken.places + taken.unreadable.map(\.place)).map { $0.split(separator: "@")[0] })
        for name in names where name.hasPrefix("y_object") {
            #expect(seen.contains("\(path)/\(name)"[...]), "\(name)")
            #expect(taken.places.filter { $0.hasPrefix("\(path)/\(name)@") }.count == 1, "\(name)")
        }
    }
}
