import HoldfastCore
import HoldfastFiles
import HoldfastJSON
import Testing

private let put = "event s3.amazonaws.com/PutBucketPolicy"

@Suite("Decoding bad input")
struct DecodeBadInputTests {
    private let good = trail()

    @Test(
        "What is no event is a dead letter that says why",
        arguments: [
            ("", "is empty, where an event in JSON is needed"), (" \n", "is empty, where an event in JSON is needed"),
            ("7", "is a number, where an event is a map"), ("[null]", "is null, where an event is a map"),
            ("{", "the JSON ends in the middle of a value, at byte 1"),
            ("{}", "is no event of a shape that is known here: a map with no members"),
            (#"{"b":1,"a":2}"#, "is no event of a shape that is known here: a map with a, b"),
            (#"{"CloudTrailEvent":null}"#, "is null, where an event is a map"),
            (#"{"detail-type":"AWS API Call via CloudTrail"}"#, "has no detail"),
            (#"{"message":{"messageId":"1"},"subscription":"s"}"#, "has no data"),
            ("hello", "the JSON has a byte that cannot stand here, at byte 0"),
        ])
    func reasons(text: String, reason: String) {
        for detail in [DecodeDetail.full, .intake] {
            let items = decode(text, detail: detail)
            guard items.count == 1, case .undecodable(let record) = items[0] else {
                Issue.record("\(words(items))")
                continue
            }
            #expect(record.reason == reason)
        }
    }

    @Test(
        "A time that cannot be held is a dead letter that names it",
        arguments: [
            ("9999-12-31T23:59:59Z", "year 9999 lies outside of 1678 to 2262"),
            ("0001-01-01T00:00:00Z", "year 1 lies outside of 1678 to 2262"),
            ("2026-02-30T00:00:00Z", #"has "2026-02-30T00:00:00Z" in eventTime, which is no time by RFC 3339"#),
            ("yesterday", #"has "yesterday" in eventTime, which is no time by RFC 3339"#),
        ])
    func times(time: String, reason: String) {
        for readOnly in [true, false] {
            let text = trail(["eventTime": .string(time), "readOnly": .bool(readOnly)])
            let found = words(decode(text, detail: .intake))
            #expect(found.count == 1 && found[0].hasPrefix("undecodable") && found[0].contains(reason), "\(found)")
        }
        #expect(words(decode(trail(["eventTime": .null])))[0].contains("has no time: it lacks eventTime"))
        #expect(words(decode(trail(["eventTime": true])))[0].contains("has a boolean for eventTime"))
    }

    @Test("A time without its zone is UTC, as data lakes write it")
    func zoneless() throws {
        let event = try onlyEvent(trail(["eventTime": "2026-01-02 03:04:05.000000000"]))
        #expect(event.time == Timestamp("2026-01-02T03:04:05Z"))
    }

    @Test(
        "A broken record in a list is one dead letter with its place, and the others go on",
        arguments: [
            (#"{"eventName":}"#, "has a byte that cannot stand here"),
            (#"{"eventVersion":"1","x":"\q"}"#, "has an escape that JSON does not know"),
            (#"{"eventVersion":"1","eventVersion":"2"}"#, "has two members of one name"),
            (#"{"eventVersion":"1","x":[1,2}"#, "has a byte that cannot stand here"),
            (#"{"eventVersion":"1","x":{"y":1}"#, "JSON"),
            (#"{"eventVersion":"1","x":1}}"#, "goes on after the value"),
            (#"{"eventVersion":"1","x":"open}"#, "JSON"),
            (#"{"eventVersion":"1","x":]}"#, "JSON"),
            (#"{"eventVersion":"1" "x":1}"#, "has a byte that cannot stand here"),
            (#"{"eventVersion":"1","x":01}"#, "has a number that is not written"),
            ("{\"eventVersion\":\"1\",\"x\":\"a\u{1}\"}", "has a raw control character in a string"),
            (String(repeating: "[", count: 10_000), "is wrapped in more than 6 envelopes"),
            (
                #"{"eventVersion":"1","x":"# + String(repeating: "[", count: 10_000)
                    + String(repeating: "]", count: 10_000) + "}", "nests deeper than the limit"
            ),
            ("true", "is a boolean"),
        ])
    func isolation(broken: String, reason: String) {
        // Members sorted by name begin with awsRegion; records in the wild begin with eventVersion.
        let first = #"{"eventVersion":"1.08",\#(good.dropFirst())"#.replacing(
            #","eventVersion":"1.08","read"#, with: #","read"#)
        for (head, tail, path) in [
            ("[", "]", ""), (#"{"Records":["#, "]}", "Records"), ("{\"records\" : [\n", "]}", "records"),
        ] {
            let text = head + [first, broken, first].joined(separator: ",\n") + tail
            let found = words(decode(text))
            #expect(found.count == 3, "\(found)")
            #expect(found.first == put && found.last == put, "\(found)")
            #expect(found.dropFirst().first?.hasPrefix("undecodable \(path)[1]") == true, "\(found)")
            #expect(found.dropFirst().first?.contains(reason) == true, "\(found)")
        }
    }

    @Test("A list that is cut off gives the records before the cut and a dead letter for the rest")
    func cutOff() {
        let whole = #"{"Records":[\#(good),\#(good)]}"#
        for cut in [1, 2, 3, 40, 200] {
            let found = words(decode(String(whole.dropLast(cut))))
            #expect(found.first == put, "\(found)")
            #expect(found.last?.hasPrefix("undecodable Records") == true, "\(found)")
            #expect(found.last?.contains("ends in the middle of a value") == true, "\(found)")
        }
        #expect(
            words(decode(whole + "x")).last?.contains("goes on after the value, at byte \(whole.utf8.count)") == true)
        #expect(words(decode(#"{"Records":[\#(good)],"Records":[\#(good)]}"#)).count == 2)
    }

    @Test("Bytes that are not UTF-8 spoil their own record only")
    func notUTF8() {
        var bytes = Array(#"{"Records":["#.utf8)
        var bad = Array(good.utf8)
        bad.replaceSubrange(bad.count - 4..<bad.count - 3, with: [0xFF])
        bytes +=
            Array(good.utf8) + [UInt8(ascii: ",")] + bad + [UInt8(ascii: ",")] + Array(good.utf8) + Array("]}".utf8)
        let found = words(decode(bytes))
        #expect(found.count == 3)
        #expect(found.dropFirst().first?.contains("JSON") == true)
        #expect([found.first, found.last] == [put, put])
        var inText = Array(trail(["userAgent": "XX"]).utf8)
        if let place = inText.firstIndex(of: UInt8(ascii: "X")) { inText[place] = 0xFF }
        #expect(
            words(decode(inText)) == [
                "undecodable : the JSON is not UTF-8, at byte \(inText.firstIndex(of: 0xFF) ?? -1)"
            ])
    }

    @Test("Two members of one name in an event that is looked into are a dead letter")
    func duplicates() throws {
        let text = #"{"requestParameters":{"a":1,"a":2},\#(trail(["requestParameters": .null]).dropFirst())"#
        #expect(words(decode(text)) == ["undecodable : the JSON has two members of one name, at byte 28"])
        guard case .event(let event)? = decode(text, detail: .intake).first else {
            Issue.record("intake leaves the body for later")
            return
        }
        let node = try YAMLReader.read(
            """
            types:
              T:
                {id: "arn:aws:t:::{Name}", example: "arn:aws:t:::a", scope: global, properties: cloudformation,
                 paths: [P]}
            events:
              s3.amazonaws.com/PutBucketPolicy: {changes: T, name: requestParameters, carries: {touched: P}}
            """, file: "t.yaml")
        let catalog = Catalog.load([("aws/t", node)], operations: nil).catalog
        let error = #expect(throws: UndecodableRecord.self) { _ = try catalog.changes(reading: event) }
        #expect(error?.reason == "the JSON has two members of one name, at byte 28")
        #expect(error?.bytes == Array(text.utf8))
        let own = #"{"eventName":"DeleteBucket",\#(good.dropFirst())"#
        #expect(
            words(decode(own, detail: .intake)) == [
                "undecodable : the JSON has two members of one name, at byte \(offset(own))"
            ])
    }

    /// Of the second `eventName`.
    private func offset(_ text: String) -> Int {
        let mark = text.ranges(of: #""eventName""#)[1].lowerBound
        return text.utf8.distance(from: text.startIndex, to: mark)
    }

    @Test("A body that was left as text is the tree that a full decode gives")
    func lazyBody() throws {
        guard case .event(let event)? = decode(good, detail: .intake).first else {
            Issue.record("a write is an event")
            return
        }
        #expect(event.body == (try JSON.parse(good)))
    }

    @Test("An event of 50 MB is a dead letter that keeps its first 64 KiB, and the next event goes on")
    func huge() {
        let filler = String(repeating: "a", count: 50_000_000)
        let text = #"{"Records":[{"x":"\#(filler)"},\#(good)]}"#
        let items = decode(text, detail: .intake)
        #expect(items.count == 2)
        #expect(words(items)[0].hasPrefix("undecodable Records[0]: has 50000008 bytes, and 16777216 are the most"))
        #expect(words(items)[1] == put)
        guard case .undecodable(let record) = items[0] else { return }
        #expect(record.bytes.count == 64 << 10)
    }

    @Test("A record with random bytes in it never crashes, always gives an item, and the same one to both lanes")
    func fuzz() {
        let shapes = [
            good, trail(["readOnly": true]), #"{"Records":[\#(good),\#(trail(["readOnly": true]))]}"#,
            #"{"Type":"Notification","TopicArn":"t","Message":\#(quoted(good))}"#,
            #"{"detail-type":"AWS API Call via CloudTrail","detail":\#(trail(["readOnly": true]))}"#,
            azureRow(), googleEntry(), #"{"message":{"data":"\#(base64(googleEntry()))","messageId":"1"}}"#,
            #"[\#(azureRow()),\#(googleEntry())]"#,
        ].map { Array($0.utf8) }
        var random = SeededRandom(seed: 7)
        var decoder = EventDecoder()
        for round in 0..<6_000 {
            let bytes = spoilt(shapes[Int.random(in: 0..<shapes.count, using: &random)], &random)
            let full = decoder.decode(bytes.span, detail: .full)
            let intake = decoder.decode(bytes.span, detail: .intake)
            #expect(!full.isEmpty && full.count == intake.count, "round \(round)")
            for (one, other) in zip(full, intake) where intakeView(one) != intakeView(other) {
                // Intake judges by an event's own fields: two members of one name further inside come to light later.
                if case .undecodable(let record) = one, record.reason.contains("two members") { continue }
                Issue.record(
                    "round \(round): \(words([one])) and \(words([other])) of \(String(decoding: bytes, as: UTF8.self))"
                )
            }
        }
    }

    /// One to four changes at random places.
    private func spoilt(_ text: [UInt8], _ random: inout SeededRandom) -> [UInt8] {
        var bytes = text
        for _ in 0..<Int.random(in: 1...4, using: &random) {
            let place = Int.random(in: 0..<bytes.count, using: &random)
            switch Int.random(in: 0..<4, using: &random) {
            case 0: bytes[place] = UInt8.random(in: 0...255, using: &random)
            case 1: bytes.remove(at: place)
            case 2: bytes.insert(Array(#""\{}[],:x0"#.utf8).randomElement(using: &random) ?? 0, at: place)
            default: bytes.removeSubrange(place..<min(bytes.count, place + Int.random(in: 0..<40, using: &random)))
            }
            if bytes.isEmpty { bytes = [0] }
        }
        return bytes
    }
}
