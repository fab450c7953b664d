/// The files that a source of files would read.
package struct EventFiles: Sendable {
    /// One of them.
    package struct Entry: Sendable, Hashable {
        package var path: String
        /// Bytes on the disk.
        package var size: Int64
    }

    /// In the order in which they are read. What cannot be looked at is left out: reading tells of it.
    ///
    /// - Parameter paths: files, folders and patterns.
    package static func list(_ paths: [String]) -> [Entry] {
        FileListing(paths).entries.map { Entry(path: $0.path, size: $0.facts.size) }
    }
}
