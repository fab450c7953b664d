internal import CRdKafka
internal import HoldfastEngine

/// A batch's messages, as librdkafka received them: nothing is copied, and they are freed with the batch.
final class KafkaMessages: RecordStorage, @unchecked Sendable {  // nothing changes between the first and the last use
    private let messages: [UnsafeMutablePointer<rd_kafka_message_t>]
    /// Messages lean on their consumer.
    private let consumer: KafkaConsumer

    init(_ messages: [UnsafeMutablePointer<rd_kafka_message_t>], of consumer: KafkaConsumer) {
        self.messages = messages
        self.consumer = consumer
    }

    deinit { for message in messages { rd_kafka_message_destroy(message) } }

    var count: Int { messages.count }

    func withBytes<R>(at index: Int, _ body: (Swift.Span<UInt8>) -> R) -> R {
        let message = messages[index].pointee
        let bytes = UnsafeBufferPointer(
            start: message.payload?.assumingMemoryBound(to: UInt8.self), count: message.payload == nil ? 0 : message.len
        )
        return body(bytes.span)
    }

    func place(at index: Int) -> String { messages[index].place }
}

extension UnsafeMutablePointer<rd_kafka_message_t> {
    var partition: Partition {
        let topic = pointee.rkt.flatMap { rd_kafka_topic_name($0) }.map(String.init(cString:)) ?? ""
        return Partition(topic: topic, number: pointee.partition)
    }
    /// `cloudtrail/3@1042`
    var place: String { "\(partition)@\(pointee.offset)" }
}
