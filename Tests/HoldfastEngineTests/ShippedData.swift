import Foundation
import HoldfastCore
import HoldfastEngine
import HoldfastFiles
import HoldfastStore

/// The repository's own data files.
enum ShippedData {
    static let policy: Policy = {
        let top = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().path
        let folders = DataFolders(
            catalog: ["\(top)/catalog"], baseline: ["\(top)/baseline"], playbooks: ["\(top)/playbooks"])
        return DataSet(folders, configuration: Configuration(folder: top), now: Timestamp(seconds: 1_780_000_000))
            .policy()
    }()
}

struct Records: RecordStorage {
    var records: [[UInt8]]
    var count: Int { records.count }
    func withBytes<R>(at index: Int, _ body: (Swift.Span<UInt8>) -> R) -> R {
        let record = records[index]
        return body(record.span)
    }
    func place(at index: Int) -> String { "test@\(index)" }
}
