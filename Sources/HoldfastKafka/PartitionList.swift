internal import CRdKafka

/// A partition of a topic.
struct Partition: Sendable, Hashable, Comparable, CustomStringConvertible {
    var topic: String
    var number: Int32

    init(topic: String, number: Int32) {
        self.topic = topic
        self.number = number
    }

    /// From its name in positions, `cloudtrail/3`; `nil` where the text is something else.
    init?(_ name: String) {
        guard let slash = name.lastIndex(of: "/"), let number = Int32(name[name.index(after: slash)...]) else {
            return nil
        }
        self.init(topic: String(name[..<slash]), number: number)
    }

    /// `cloudtrail/3`
    var description: String { "\(topic)/\(number)" }
    static func < (a: Partition, b: Partition) -> Bool { (a.topic, a.number) < (b.topic, b.number) }
}

/// A list of partitions with offsets, in librdkafka's form; freed when it goes out of scope.
struct PartitionList: ~Copyable {
    /// Where a partition begins that was never read.
    static let beginning: Int64 = -2  // RD_KAFKA_OFFSET_BEGINNING

    let pointer: UnsafeMutablePointer<rd_kafka_topic_partition_list_t>

    init(_ partitions: [(partition: Partition, offset: Int64)]) {
        pointer = rd_kafka_topic_partition_list_new(Int32(partitions.count))
        for (partition, offset) in partitions {
            rd_kafka_topic_partition_list_add(pointer, partition.topic, partition.number).pointee.offset = offset
        }
    }

    deinit { rd_kafka_topic_partition_list_destroy(pointer) }

    /// The partitions of a list that librdkafka lends.
    static func partitions(of list: UnsafeMutablePointer<rd_kafka_topic_partition_list_t>?) -> [Partition] {
        guard let list else { return [] }
        return (0..<Int(list.pointee.cnt)).map { index in
            let element = list.pointee.elems[index]
            return Partition(topic: String(cString: element.topic), number: element.partition)
        }
    }
}
