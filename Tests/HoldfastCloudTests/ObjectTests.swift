import HoldfastCloud
import HoldfastCore
import HoldfastJSON
import Testing

@Suite("Files of CloudTrail")
struct ObjectTests {
    private static let file = TrailFile(written: time("2026-11-22T08:05:00Z"), number: 1, records: 1)

    @Test(
        "A key of CloudTrail's says account, region and minute, with a prefix and in an organisation too",
        arguments: ["", "logs/all/", "AWSLogs/"])
    func keys(prefix: String) throws {
        let plain = try #require(TrailKey(prefix + Self.file.key))
        #expect(plain.account == "012345670123" && plain.region == "eu-west-1")
        #expect(plain.written == Self.file.written)
        let inside = Self.file.key.replacing("AWSLogs/", with: "AWSLogs/o-a1b2c3/")
        let organisation = try #require(TrailKey(prefix + inside))
        #expect(organisation.base == prefix + "AWSLogs/o-a1b2c3/012345670123/CloudTrail/eu-west-1/")
        #expect(TrailFolder(base: organisation.base).name == "012345670123/eu-west-1")
    }

    @Test(
        "Digests, insights, other services' logs and anything else are no files of CloudTrail",
        arguments: [
            "", "x.json.gz", "AWSLogs/012345670123/CloudTrail/",
            "AWSLogs/012345670123/CloudTrail/eu-west-1/2026/11/22/",
            "AWSLogs/1/CloudTrail-Digest/eu-west-1/2026/11/22/1_CloudTrail-Digest_eu-west-1_t_20261122T080500Z.json.gz",
            "AWSLogs/1/CloudTrail-Insight/eu-west-1/2026/11/22/1_CloudTrail-Insight_eu-west-1_20261122T0805Z_x.json.gz",
            "AWSLogs/1/vpcflowlogs/eu-west-1/2026/11/22/1_vpcflowlogs_eu-west-1_fl-1_20261122T0805Z_x.log.gz",
            "AWSLogs/1/CloudTrail/eu-west-1/2026/11/22/2_CloudTrail_eu-west-1_20261122T0805Z_x.json.gz",
            "AWSLogs/1/CloudTrail/eu-west-1/2026/11/22/1_CloudTrail_eu-west-1_20261322T0805Z_x.json.gz",
            "other/1/CloudTrail/eu-west-1/2026/11/22/1_CloudTrail_eu-west-1_20261122T0805Z_x.json.gz",
        ])
    func otherKeys(key: String) { #expect(TrailKey(key) == nil) }

    @Test("A folder's marker stands before every file of its minute and behind every file before")
    func markers() {
        let folder = TrailFolder(base: "AWSLogs/012345670123/CloudTrail/eu-west-1/")
        let marker = folder.marker(Self.file.written.plus(30_000))
        var before = Self.file
        before.written = time("2026-11-22T08:04:00Z")
        before.number = 999_999
        #expect(marker.precedesInUTF8(Self.file.key))
        #expect(before.key.precedesInUTF8(marker))
    }

    private func objects(_ body: String) -> (objects: [LogObject], others: Int)? {
        guard case .objects(let objects, let others) = ObjectNotification(body: body) else { return nil }
        return (objects, others.count)
    }

    @Test("Notifications of S3, in SNS, by EventBridge and CloudTrail's own name the same file")
    func notifications() throws {
        let key = Self.file.key
        let sns = JSON.object(
            JSONObject([
                ("Type", "Notification"), ("MessageId", "1"), ("TopicArn", "arn:aws:sns:eu-west-1:1:t"),
                ("Message", .string(Self.file.notification)),
            ])
        ).canonicalText
        for body in [Self.file.notification, sns] {
            let found = try #require(objects(body))
            #expect(found.objects == [LogObject(bucket: "trail", key: key, etag: "0f", region: "eu-west-1")])
        }
        let bridge: JSON = [
            "detail-type": "Object Created", "source": "aws.s3", "region": "eu-west-1",
            "detail": ["bucket": ["name": "trail"], "object": ["key": .string(key), "etag": "0f"]],
        ]
        #expect(objects(bridge.canonicalText)?.objects.first?.key == key)
        let own: JSON = ["s3Bucket": "trail", "s3ObjectKey": [.string(key), .string(key + "x")]]
        let found = try #require(objects(own.canonicalText))
        #expect(found.objects == [LogObject(bucket: "trail", key: key)] && found.others == 1)
    }

    @Test("A key that a notification encodes as a form is the key itself")
    func encoding() throws {
        let body = Self.file.notification.replacing("AWSLogs", with: "a+b%2Bc+%C3%BC/AWSLogs")
        #expect(try #require(objects(body)).objects.first?.key == "a b+c ü/" + Self.file.key)
    }

    @Test("Several records of one message each count, and what is no file of CloudTrail is told apart")
    func several() throws {
        let record = Self.file.notification.dropFirst("{\"Records\":[".count).dropLast(2)
        let digest = record.replacing("/CloudTrail/", with: "/CloudTrail-Digest/")
        let removed = record.replacing("ObjectCreated:Put", with: "ObjectRemoved:Delete")
        let found = try #require(objects("{\"Records\":[\(record),\(digest),\(removed),\(record)]}"))
        #expect(found.objects.count == 2 && found.others == 2)
        let test = "{\"Service\":\"Amazon S3\",\"Event\":\"s3:TestEvent\",\"Bucket\":\"trail\"}"
        let tested = try #require(objects(test))
        #expect(tested.objects.isEmpty && tested.others == 1)
    }

    @Test(
        "A message that names no object says why",
        arguments: [
            "", "hello", "{}", "[]", "{\"Records\":[{\"eventSource\":\"aws:sqs\"}]}", "{\"Records\":[1]}",
            "{\"Records\":[{\"eventSource\":\"aws:s3\",\"eventName\":\"ObjectCreated:Put\",\"s3\":{}}]}",
            "{\"Type\":\"Notification\",\"TopicArn\":\"t\",\"Message\":\"no\"}",
        ])
    func unreadable(body: String) {
        guard case .unreadable(let reason) = ObjectNotification(body: body) else {
            Issue.record("\(body) was read")
            return
        }
        #expect(!reason.isEmpty)
    }

    @Test("A broken file gives its whole records, and says what is wrong with the rest")
    func ranges() {
        func texts(_ text: String) -> ([String], Bool) {
            let records = RecordRanges(in: text.utf8.span)
            let bytes = Array(text.utf8)
            return (records.ranges.map { String(decoding: bytes[$0], as: UTF8.self) }, records.fault != nil)
        }
        #expect(texts("{\"Records\":[{\"a\":1}, {\"a\":2}\n]}\n") == (["{\"a\":1}", "{\"a\":2}\n"], false))
        #expect(texts("\u{FEFF}{\"Records\": [{\"a\":1}]}") == (["{\"a\":1}"], false))
        #expect(texts("{\"Records\":[]}") == ([], false))
        #expect(texts("{\"a\":1}") == (["{\"a\":1}"], false))
        #expect(texts("") == ([], false))
        let cut = texts("{\"Records\":[{\"a\":1},{\"a\":2}")
        #expect(cut.0.count == 2 && cut.1)
    }
}
