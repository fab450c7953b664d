import HoldfastCore
import HoldfastJSON
import Testing

private let put = "event s3.amazonaws.com/PutBucketPolicy"
private let read = "dropped read-only"

@Suite("Opening envelopes")
struct DecodeEnvelopeTests {
    private let a = trail(["eventID": "a"])
    private let b = trail(["eventID": "b", "readOnly": true])

    private func bridge(_ detail: String, type: String = "AWS API Call via CloudTrail") -> String {
        #"{"version":"0","id":"env-1","detail-type":\#(quoted(type)),"source":"aws.s3","account":"444455556666","#
            + #""time":"2026-02-03T04:05:06Z","region":"us-east-2","resources":[],"detail":\#(detail)}"#
    }
    private func sns(_ message: String) -> String {
        #"{"Type":"Notification","MessageId":"m","TopicArn":"arn:aws:sns:x","Message":\#(quoted(message)),"#
            + #""Timestamp":"2026-02-03T04:05:07.000Z","SignatureVersion":"1"}"#
    }

    @Test("Every way in which CloudTrail's records arrive leads to the same events")
    func cloudTrail() {
        let both = #"{"Records":[\#(a),\#(b)]}"#
        let rows = [a, b].map { #"{"EventId":"row","ReadOnly":"false","CloudTrailEvent":\#(quoted($0))}"# }
        let shapes: [String] = [
            both, "[\(a), \(b)]", " \n\u{FEFF}[\(a)\n,\n\(b)]\n".replacing("\u{FEFF}", with: ""), "\u{FEFF}\(both)",
            #"{"Events":[\#(rows.joined(separator: ","))],"NextToken":"t"}"#, "[\(bridge(a)),\(bridge(b))]",
            sns(both), sns(sns(both)),
            #"{"Records":[{"messageId":"1","body":\#(quoted(both)),"eventSource":"aws:sqs"}]}"#,
            #"{"Messages":[{"MessageId":"1","Body":\#(quoted(a))},{"Body":\#(quoted(sns(bridge(b))))}]}"#,
            #"{"Records":[{"EventSource":"aws:sns","Sns":\#(sns(both))}]}"#,
            #"[{"_raw":\#(quoted(a)),"_time":1},{"_raw":\#(b)}]"#,
            #"{"Records":[{"eventSource":"aws:kinesis","kinesis":{"sequenceNumber":"1","data":"\#(base64(both))"}}]}"#,
            #"{"message":{"data":"\#(base64(both))","messageId":"1"},"subscription":"projects/p/subscriptions/s"}"#,
            #"{"specversion":"1.0","id":"1","source":"s","type":"com.example.trail","data":\#(both)}"#,
            #"{"specversion":"1.0","id":"1","source":"s","type":"com.example","data_base64":"\#(base64(both))"}"#,
            quoted(both), "[\(quoted(a)),\(quoted(b))]",
        ]
        for shape in shapes {
            for detail in [DecodeDetail.full, .intake] {
                #expect(words(decode(shape, detail: detail)) == [put, read], "\(shape)")
            }
        }
    }

    @Test("Of two events in an envelope each keeps its own id, in the order of the envelope")
    func order() {
        let ids = decode(#"{"Records":[\#(b),\#(a),\#(b)]}"#).compactMap { $0.event?.id }
        #expect(ids == ["b", "a", "b"])
    }

    @Test("What an event leaves out is taken from its envelope, and what it says stays")
    func facts() throws {
        let bare = trail([
            "eventTime": .null, "eventID": .null, "awsRegion": .null, "recipientAccountId": .null,
            "userIdentity": .null,
        ])
        let event = try onlyEvent(bridge(bare))
        #expect(event.id == "env-1")
        #expect(event.time == Timestamp("2026-02-03T04:05:06Z"))
        #expect(event.account == "444455556666")
        #expect(event.region == "us-east-2")
        #expect(try onlyEvent(bridge(a)).region == "eu-west-1")
        let row = #"{"EventId":"row","EventTime":1769916123.5,"ReadOnly":"true","CloudTrailEvent":"#
        let looked = try onlyEvent(
            row + quoted(trail(["eventTime": .null, "readOnly": .null, "eventID": .null])) + "}")
        #expect(looked.id == "row")
        #expect(looked.time == Timestamp("2026-02-01T03:22:03.5Z"))
        #expect(looked.readOnly)
    }

    @Test(
        "What is known and no audit event is dropped by its name",
        arguments: [
            (#"{"Service":"Amazon S3","Event":"s3:TestEvent","Bucket":"b"}"#, "S3 test event"),
            (#"{"Records":[{"eventSource":"aws:s3","eventName":"ObjectCreated:Put","s3":{}}]}"#, "S3 notification"),
            (#"{"s3Bucket":"b","s3ObjectKey":["k"]}"#, "CloudTrail delivery notice"),
            (#"{"digestS3Bucket":"b","logFiles":[],"digestEndTime":"x"}"#, "CloudTrail digest file"),
            (#"{"Records":[{"eventType":"AwsCloudTrailInsight","eventID":"1"}]}"#, "CloudTrail Insights event"),
            (
                #"{"configurationItem":{},"messageType":"ConfigurationItemChangeNotification"}"#,
                "AWS Config ConfigurationItemChangeNotification"
            ),
            (#"{"invokingEvent":"{}","configRuleName":"r"}"#, "AWS Config rule invocation"),
            (
                #"{"Type":"SubscriptionConfirmation","MessageId":"1","TopicArn":"t","Token":"x"}"#,
                "SNS SubscriptionConfirmation"
            ),
            (
                #"{"Type":"Notification","MessageId":"1","TopicArn":"t","Message":"all is well"}"#,
                "SNS message in plain text"
            ),
            (
                #"{"detail-type":"GuardDuty Finding","detail":{"a":1},"time":"2026-01-01T00:00:00Z","id":"g"}"#,
                "GuardDuty Finding"
            ),
            (
                #"{"detail-type":"AWS Insight via CloudTrail","detail":{"eventCategory":"Insight"}}"#,
                "CloudTrail Insights event"
            ),
            (#"{"apiVersion":"audit.k8s.io/v1","kind":"Event","verb":"create"}"#, "Kubernetes audit record"),
            (#"{"insertId":"1","logName":"projects/p/logs/x","jsonPayload":{"a":1}}"#, "Google Cloud log entry"),
            (#"{"insertId":"1","textPayload":"hello"}"#, "Google Cloud log entry"),
            (#"{"records":[{"metricName":"m","resourceId":"/s","time":"2026-01-01T00:00:00Z"}]}"#, "Azure metric"),
            (
                #"{"schemaId":"azureMonitorCommonAlertSchema","data":{"essentials":{}}}"#,
                "Azure alert (azureMonitorCommonAlertSchema)"
            ),
        ])
    func foreign(text: String, what: String) {
        #expect(words(decode(text)) == ["dropped not-an-audit-event: \(what)"])
        #expect(words(decode(text, detail: .intake)) == ["dropped not-an-audit-event: \(what)"])
    }

    @Test("Of what is no audit event its envelope is still shown")
    func foreignFacts() throws {
        let event = try onlyEvent(bridge(#"{"severity":5}"#, type: "GuardDuty Finding"))
        #expect(event.id == "env-1")
        #expect(event.account == "444455556666")
        #expect(event.time == Timestamp("2026-02-03T04:05:06Z"))
    }

    @Test(
        "An envelope that holds nothing says so",
        arguments: [#"{"Records":[]}"#, "[]", #"{"value":[],"nextLink":"x"}"#, #"{"records":[ ]}"#, #"{"entries":[]}"#])
    func empty(text: String) {
        #expect(words(decode(text)) == ["dropped no-records"])
    }

    @Test("Six envelopes are opened, and the seventh is a dead letter with its place")
    func depth() {
        var text = trail()
        for _ in 0..<6 { text = #"{"_raw":\#(text)}"# }
        #expect(words(decode(text)) == [put])
        text = #"{"_raw":\#(text)}"#
        let path = Array(repeating: "_raw", count: 7).joined(separator: ".")
        #expect(words(decode(text)) == ["undecodable \(path): is wrapped in more than 6 envelopes, which no event is"])
    }
}
