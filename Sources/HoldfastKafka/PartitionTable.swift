/// The partitions that are ours, and how far each was read.
struct PartitionTable {
    private struct Entry {
        var partition: Partition
        /// The next offset to take; `nil` before the first record of a partition that was never read.
        var next: Int64?
        var isTouched = false
    }

    /// How a message names its partition: by librdkafka's own object for the topic, which lives while it is assigned.
    struct Key: Hashable {
        var topic: OpaquePointer?
        var number: Int32
    }

    private var entries: [Entry] = []
    private var indexes: [Partition: Int] = [:]
    /// Found once for each of librdkafka's topics, so that no name is made for each message.
    private var byKey: [Key: Int] = [:]
    private var last: (key: Key, index: Int)?

    var isEmpty: Bool { indexes.isEmpty }

    /// All partitions with where to go on, in the order of their names.
    var assignment: [(partition: Partition, offset: Int64)] { assignment(of: indexes.keys.sorted()) }

    func assignment(of partitions: [Partition]) -> [(partition: Partition, offset: Int64)] {
        partitions.map { ($0, next(of: $0) ?? PartitionList.beginning) }
    }

    func next(of partition: Partition) -> Int64? { indexes[partition].flatMap { entries[$0].next } }
    func contains(_ partition: Partition) -> Bool { indexes[partition] != nil }

    mutating func add(_ partition: Partition, next: Int64?) {
        if let index = indexes[partition] {
            entries[index].next = next
        } else {
            indexes[partition] = entries.count
            entries.append(Entry(partition: partition, next: next))
        }
        forgetKeys()
    }

    mutating func remove(_ partitions: [Partition]) {
        for partition in partitions { indexes[partition] = nil }
        let kept = indexes.values.sorted().map { entries[$0] }
        entries = kept
        indexes = Dictionary(uniqueKeysWithValues: kept.enumerated().map { ($1.partition, $0) })
        forgetKeys()
    }

    private mutating func forgetKeys() {
        byKey = [:]
        last = nil
    }

    /// Whether a record is ours and new; if so, it counts as taken.
    mutating func take(_ key: Key, offset: Int64, partition: () -> Partition) -> Bool {
        guard let index = index(of: key, partition) else { return false }
        guard offset >= entries[index].next ?? 0 else { return false }
        entries[index].next = offset + 1
        entries[index].isTouched = true
        return true
    }

    private mutating func index(of key: Key, _ partition: () -> Partition) -> Int? {
        if let last, last.key == key { return last.index }
        guard let index = byKey[key] ?? indexes[partition()] else { return nil }
        byKey[key] = index
        last = (key, index)
        return index
    }

    /// Where the partitions stand from which records were taken since the last call.
    mutating func takePositions() -> [(partition: Partition, next: Int64)] {
        var positions: [(partition: Partition, next: Int64)] = []
        for index in entries.indices where entries[index].isTouched {
            entries[index].isTouched = false
            if let next = entries[index].next { positions.append((entries[index].partition, next)) }
        }
        return positions.sorted { $0.partition < $1.partition }
    }
}
