internal import CRdKafka
package import HoldfastEngine

/// librdkafka's own brokers for tests, in this process and on loopback: what they hold goes with them. They keep 5 MB
/// of a partition at most, and drop what is older.
package final class MockKafkaCluster: @unchecked Sendable {  // its calls are handed to the cluster's own thread
    private let handle: KafkaHandle
    private let cluster: OpaquePointer

    package init(brokers: Int = 1) throws(SourceError) {
        do throws(KafkaError) {
            handle = try KafkaHandle(RD_KAFKA_PRODUCER, settings: [], events: KafkaEvents { _ in })
            guard let cluster = rd_kafka_mock_cluster_new(handle.pointer, Int32(brokers)) else {
                throw KafkaError(RD_KAFKA_RESP_ERR__CRIT_SYS_RESOURCE)
            }
            self.cluster = cluster
        } catch {
            throw SourceError(code: "kafka-failed", message: "librdkafka's mock cluster does not start: \(error.text)")
        }
    }

    deinit { rd_kafka_mock_cluster_destroy(cluster) }

    /// `127.0.0.1:41931,…`
    package var brokers: String { String(cString: rd_kafka_mock_cluster_bootstraps(cluster)) }

    package func createTopic(_ name: String, partitions: Int) {
        rd_kafka_mock_topic_create(cluster, name, Int32(partitions), 1)
    }

    /// Stops or starts a broker; its address stays. Brokers count from 1.
    package func setBroker(_ number: Int32, isUp: Bool) {
        if isUp { rd_kafka_mock_broker_set_up(cluster, number) } else { rd_kafka_mock_broker_set_down(cluster, number) }
    }

    /// Answers the next requests of a kind (`ApiKey` of the protocol) with these errors (of the protocol), in turn.
    package func answer(apiKey: Int16, with errors: [Int32]) {
        let codes = errors.map { rd_kafka_resp_err_t($0) }
        rd_kafka_mock_push_request_errors_array(cluster, apiKey, codes.count, codes)
    }

    /// Answers every request for a topic with an error of the protocol; 0 ends that.
    package func setError(_ error: Int32, ofTopic topic: String) {
        rd_kafka_mock_topic_set_error(cluster, topic, rd_kafka_resp_err_t(error))
    }
}
