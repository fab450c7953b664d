import Foundation
import HoldfastEngine

/// A folder of its own for one test, removed with it.
final class TemporaryFolder: Sendable {
    let path: String

    init() throws {
        let url = FileManager.default.temporaryDirectory.appending(path: "holdfast-files-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        path = url.path
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func at(_ name: String) -> String { "\(path)/\(name)" }

    func write(_ name: String, _ text: String) throws { try write(name, bytes: Array(text.utf8)) }

    /// Writes in place: the file stays the same one.
    func write(_ name: String, bytes: [UInt8]) throws {
        let folder = URL(filePath: at(name)).deletingLastPathComponent()
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try Data(bytes).write(to: URL(filePath: at(name)))
    }

    func append(_ name: String, _ text: String) throws { try append(name, bytes: Array(text.utf8)) }

    func append(_ name: String, bytes: [UInt8]) throws {
        let handle = try FileHandle(forWritingTo: URL(filePath: at(name)))
        try handle.seekToEnd()
        try handle.write(contentsOf: Data(bytes))
        try handle.close()
    }

    func move(_ from: String, to: String) throws {
        try FileManager.default.moveItem(atPath: at(from), toPath: at(to))
    }

    func remove(_ name: String) throws { try FileManager.default.removeItem(atPath: at(name)) }

    /// The path without this folder's own, so that expectations can be written down.
    func short(_ text: String) -> String { text.replacingOccurrences(of: path + "/", with: "") }
}

/// What came of a source: texts of records with their places, dead letters, and the journal's positions.
struct Taken {
    var records: [String] = []
    var places: [String] = []
    var unreadable: [UnreadableRecord] = []
    var positions: [String: SourcePosition] = [:]
    var batches: [Int] = []

    mutating func add(_ batch: RecordBatch) {
        batches.append(batch.records.count)
        for index in 0..<batch.records.count {
            records.append(
                batch.records.withBytes(at: index) { span in
                    span.withUnsafeBufferPointer { String(decoding: $0, as: UTF8.self) }
                })
            places.append(batch.records.place(at: index))
        }
        unreadable += batch.unreadable
        for position in batch.positions { positions[position.partition] = position }
    }
}

/// Reads a source until it ends, is cancelled, or has given so many batches.
func take(
    _ source: some EventSource, from positions: [SourcePosition] = [], batches: Int = .max
) async throws -> Taken {
    try await source.resume(from: positions)
    var taken = Taken()
    while taken.batches.count < batches {
        do {
            guard let batch = try await source.nextBatch() else { break }
            taken.add(batch)
        } catch {
            guard error.code == "cancelled" else { throw error }
            break
        }
    }
    return taken
}

/// What happens at each look of a source that waits: the steps in turn, and then a cancellation.
actor Script {
    private var steps: [@Sendable () throws -> Void]
    init(_ steps: [@Sendable () throws -> Void]) { self.steps = steps }

    func next() throws {
        guard !steps.isEmpty else { throw CancellationError() }
        try steps.removeFirst()()
    }
}

/// For sources that never wait.
struct Waited: Error {}
func neverWaits() async throws { throw Waited() }

func symbolicLink(_ path: String, to target: String) throws {
    try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: target)
}
