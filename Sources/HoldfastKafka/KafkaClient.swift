internal import CRdKafka
internal import Foundation

/// A line of librdkafka's own log.
package struct KafkaLogLine: Sendable, Hashable {
    /// As in syslog: 3 is an error, 4 a warning, 6 information, 7 debugging.
    package var level: Int
    /// What part of the library speaks: `FAIL`, `CONNECT`.
    package var facility: String
    package var text: String
}

/// What librdkafka says is wrong.
struct KafkaError: Error, Sendable, Hashable {
    var code: rd_kafka_resp_err_t
    var text: String
    /// Whether librdkafka does nothing more after this.
    var isFatal = false

    init(_ code: rd_kafka_resp_err_t, _ text: String? = nil) {
        self.code = code
        self.text = text ?? String(cString: rd_kafka_err2str(code))
    }
}

/// What librdkafka's callbacks tell. They are called on the thread that polls and nowhere else, but for the log's,
/// which only uses what never changes.
final class KafkaEvents: @unchecked Sendable {
    enum Change {
        case assigned([Partition])
        case revoked([Partition])
        /// All that was held.
        case revokedAll
    }

    let log: @Sendable (KafkaLogLine) -> Void
    /// Signalled once the handle is gone and nothing is called any more.
    let isGone = DispatchSemaphore(value: 0)
    /// Changes of the assignment, in their order, until they are taken.
    var changes: [Change] = []
    /// Errors that are no message's, until they are taken; at most one of each code.
    var errors: [KafkaError] = []
    /// Why a message did not reach the brokers, of the last such message, until it is taken.
    var undelivered: KafkaError?
    /// Whether a connection failed since this was last cleared.
    var isDisturbed = false
    /// The last thing that went wrong with a connection, for messages.
    var lastFault: String?
    var isClosing = false

    init(log: @escaping @Sendable (KafkaLogLine) -> Void) { self.log = log }
}

/// Owns one `rd_kafka_t`. librdkafka's handles may be used by any thread (INTRODUCTION.md, "Threads and callbacks").
struct KafkaHandle: ~Copyable, @unchecked Sendable {
    let pointer: OpaquePointer
    let events: KafkaEvents

    /// - Throws: what librdkafka says of a setting; of a secret's it says no more than its name.
    init(
        _ type: rd_kafka_type_t, settings: [(name: String, value: String)], events: KafkaEvents
    ) throws(KafkaError) {
        guard let conf = rd_kafka_conf_new() else { throw KafkaError(RD_KAFKA_RESP_ERR__CRIT_SYS_RESOURCE) }
        var text = [CChar](repeating: 0, count: 512)
        for (name, value) in settings {
            let result = rd_kafka_conf_set(conf, name, value, &text, text.count)
            guard result == RD_KAFKA_CONF_OK else {
                rd_kafka_conf_destroy(conf)
                let reason =
                    KafkaConfiguration.isSecret(name) ? "its value is not one that it can have" : Self.string(text)
                throw KafkaError(RD_KAFKA_RESP_ERR__INVALID_ARG, "the option \"\(name)\": \(reason)")
            }
        }
        Self.setCallbacks(conf, type)
        let context = Unmanaged.passRetained(events)
        rd_kafka_conf_set_opaque(conf, context.toOpaque())
        guard let pointer = rd_kafka_new(type, conf, &text, text.count) else {
            // rd_kafka_new keeps the settings only when it succeeds.
            rd_kafka_conf_destroy(conf)
            context.release()
            throw KafkaError(RD_KAFKA_RESP_ERR__INVALID_ARG, Self.string(text))
        }
        self.pointer = pointer
        self.events = events
    }

    /// Ends the handle on a thread of its own: librdkafka 2.0.2 may take its time where no broker answers.
    deinit {
        let address = UInt(bitPattern: pointer), events = events
        Thread.detachNewThread {
            // Leaving the group is for `close`, which has a deadline.
            rd_kafka_destroy_flags(OpaquePointer(bitPattern: address), RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE)
            Unmanaged.passUnretained(events).release()  // the callbacks' own reference
            events.isGone.signal()
        }
    }

    private static func string(_ buffer: [CChar]) -> String {
        String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    private static func setCallbacks(_ conf: OpaquePointer, _ type: rd_kafka_type_t) {
        rd_kafka_conf_set_log_cb(conf) { handle, level, facility, text in
            guard let handle, let context = rd_kafka_opaque(handle) else { return }
            let line = KafkaLogLine(
                level: Int(level), facility: facility.map(String.init(cString:)) ?? "",
                text: text.map(String.init(cString:)) ?? "")
            Unmanaged<KafkaEvents>.fromOpaque(context).takeUnretainedValue().log(line)
        }
        rd_kafka_conf_set_error_cb(conf) { handle, code, reason, context in
            guard let handle, let context else { return }
            let events = Unmanaged<KafkaEvents>.fromOpaque(context).takeUnretainedValue()
            KafkaHandle.note(rd_kafka_resp_err_t(code), reason.map(String.init(cString:)), handle, events)
        }
        guard type == RD_KAFKA_CONSUMER else {
            rd_kafka_conf_set_dr_msg_cb(conf) { _, message, context in
                guard let message, let context, message.pointee.err != RD_KAFKA_RESP_ERR_NO_ERROR else { return }
                let events = Unmanaged<KafkaEvents>.fromOpaque(context).takeUnretainedValue()
                events.undelivered = KafkaError(message.pointee.err)
            }
            return
        }
        rd_kafka_conf_set_rebalance_cb(conf) { handle, code, list, context in
            guard let handle, let context else { return }
            let events = Unmanaged<KafkaEvents>.fromOpaque(context).takeUnretainedValue()
            KafkaHandle.rebalance(handle, code, list, events)
        }
    }

    private static func note(
        _ code: rd_kafka_resp_err_t, _ reason: String?, _ handle: OpaquePointer, _ events: KafkaEvents
    ) {
        var error = KafkaError(code, reason)
        switch code {
        case RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN: events.isDisturbed = true
        case RD_KAFKA_RESP_ERR__TRANSPORT, RD_KAFKA_RESP_ERR__RESOLVE, RD_KAFKA_RESP_ERR__TIMED_OUT:
            events.isDisturbed = true
            events.lastFault = error.text
        default:
            if code == RD_KAFKA_RESP_ERR__FATAL { error = fatalError(handle) }
            events.lastFault = error.text
            events.errors.removeAll { $0.code == error.code }
            events.errors.append(error)
        }
    }

    /// What has ended the handle for good.
    static func fatalError(_ handle: OpaquePointer) -> KafkaError {
        var text = [CChar](repeating: 0, count: 512)
        var error = KafkaError(rd_kafka_fatal_error(handle, &text, text.count))
        error.text = string(text)
        error.isFatal = true
        return error
    }

    /// What is taken away is let go at once; what is given is taken up by the source, once it knows where to begin.
    static func rebalance(
        _ handle: OpaquePointer, _ code: rd_kafka_resp_err_t,
        _ list: UnsafeMutablePointer<rd_kafka_topic_partition_list_t>?, _ events: KafkaEvents
    ) {
        let isIncremental = rd_kafka_rebalance_protocol(handle).map { String(cString: $0) } == "COOPERATIVE"
        if code == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS, !events.isClosing {
            events.changes.append(.assigned(PartitionList.partitions(of: list)))
        } else if code == RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS, isIncremental {
            rd_kafka_error_destroy(rd_kafka_incremental_unassign(handle, list))
            events.changes.append(.revoked(PartitionList.partitions(of: list)))
        } else {
            rd_kafka_assign(handle, nil)
            events.changes.append(.revokedAll)
        }
    }
}
