internal import Foundation
package import HoldfastEngine

/// Gives what another source gives, and writes the records to a file as they go by: for sources that should not be
/// asked twice.
package actor CopyingSource: EventSource {
    package nonisolated let name: String
    private let source: any EventSource
    private let path: String
    private var file: FileHandle?

    /// - Parameter path: of a file that is made or emptied.
    package init(_ source: any EventSource, to path: String) {
        name = source.name
        self.source = source
        self.path = path
    }

    package func resume(from positions: [SourcePosition]) async throws(SourceError) {
        _ = FileManager.default.createFile(atPath: path, contents: nil, attributes: [.posixPermissions: 0o600])
        file = FileHandle(forWritingAtPath: path)
        guard file != nil else {
            throw SourceError(code: "no-room", message: "\(path) cannot be written; is the temporary folder there?")
        }
        try await source.resume(from: positions)
    }

    package func nextBatch() async throws(SourceError) -> RecordBatch? {
        guard let batch = try await source.nextBatch() else { return nil }
        var bytes: [UInt8] = []
        for index in 0..<batch.records.count {
            batch.records.withBytes(at: index) { record in
                for at in record.indices { bytes.append(record[at]) }
            }
            bytes.append(UInt8(ascii: "\n"))
        }
        do {
            try file?.write(contentsOf: Data(bytes))
        } catch {
            throw SourceError(code: "no-room", message: "\(path) cannot be written: \(error)")
        }
        return batch
    }

    package func committed(_ positions: [SourcePosition]) async { await source.committed(positions) }

    package func close() async {
        try? file?.close()
        file = nil
        await source.close()
    }
}
