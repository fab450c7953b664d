/// What the clouds do not let us read, by what was being read: a notice ends when nothing lacks that permission any
/// more.
struct Denials {
    private var lacks: [String: Set<String>] = [:]

    /// What a read of this lacked; nothing where all of it could be read.
    ///
    /// - Returns: what nothing lacks any more, sorted.
    mutating func take(_ lacking: [String], reading what: String) -> [String] {
        let before = lacks[what] ?? []
        lacks[what] = lacking.isEmpty ? nil : Set(lacking)
        return before.filter { lack in !lacks.values.contains { $0.contains(lack) } }.sorted()
    }
}
