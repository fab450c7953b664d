internal import ArgumentParser
internal import CSimdjson
internal import Foundation
internal import HoldfastJSON

/// Times the readers of event JSON against each other, after checking that they find the same.
struct JSONBench: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "json", abstract: "Time the readers of event JSON: scanner, simdjson On-Demand, strict parser.")

    @Option(help: "A file with one event a line; made-up events without it.")
    var events: String?
    @Option(help: "How many events at most.")
    var count = 20_000
    @Option(help: "How many rounds; the median counts.")
    var rounds = 5

    func run() throws {
        let events = try loadEvents()
        guard !events.isEmpty else { throw ValidationError("there is no event to read") }
        let total = events.reduce(0) { $0 + $1.count }
        print("\(events.count) events, mean \(total / events.count) bytes; simdjson \(simdjsonKernel)")
        let differences = events.count { !Self.agree(on: $0) }
        print("events on which scanner and simdjson differ: \(differences)")

        var contenders = Self.contenders()
        measure(&contenders, on: events, rounds: rounds)
        print(table(of: contenders, size: Double(total) / Double(events.count)))
        let ratios = zip(contenders[1].rounds, contenders[0].rounds).map { $0 / $1 }
        print("scanner is \(percent(ratios.median)) of the speed of simdjson On-Demand with its copy")
        print("(rounds: \(ratios.map(percent).joined(separator: ", ")); sums \(contenders.map(\.sum)))")
        if differences > 0 { throw ExitCode.failure }
    }

    private var simdjsonKernel: String { String(cString: holdfast_reader_kernel()) }

    private func percent(_ ratio: Double) -> String { "\(Int((ratio * 100).rounded())) %" }

    /// The events, one after the other in memory as they lie in a message set.
    private func loadEvents() throws -> [UnsafeRawBufferPointer] {
        var lines: [[UInt8]]
        if let events {
            let file = try Data(contentsOf: URL(filePath: events))
            lines = file.split(separator: UInt8(ascii: "\n")).prefix(count).map { Array($0) }
        } else {
            var made = AuditEvents(seed: 7)
            lines = (0..<count).map { _ in Array(made.next().utf8) }
        }
        lines.removeAll(where: \.isEmpty)
        let memory = UnsafeMutableRawBufferPointer.allocate(
            byteCount: lines.reduce(0) { $0 + $1.count }, alignment: 64)
        var at = 0
        return lines.map { line in
            let place = UnsafeMutableRawBufferPointer(rebasing: memory[at..<(at + line.count)])
            place.copyBytes(from: line)
            at += line.count
            return UnsafeRawBufferPointer(place)
        }
    }

    /// In the order of the shim's fields, then the list of resources.
    private static let paths: [[String]] = [
        ["eventName"], ["eventSource"], ["eventTime"], ["awsRegion"], ["eventID"], ["errorCode"], ["readOnly"],
        ["recipientAccountId"], ["userIdentity", "arn"], ["userIdentity", "type"], ["requestParameters"],
        ["responseElements"], ["resources"],
    ]
    /// The order in which the service writes the members of its events.
    private static let usual: [[String]] =
        [
            "eventVersion", "userIdentity", "eventTime", "eventSource", "eventName", "awsRegion", "sourceIPAddress",
            "userAgent", "requestParameters", "responseElements", "requestID", "eventID", "readOnly", "resources",
            "eventType", "managementEvent", "recipientAccountId", "eventCategory", "tlsDetails",
        ].map { [$0] }
        + ["type", "principalId", "arn", "accountId", "accessKeyId"].map { ["userIdentity", $0] }
    static let fields = FieldSet(paths: paths, usual: usual)
    private static let unordered = FieldSet(paths: paths)
    private static let resourceFields = FieldSet(["ARN"])

    private static func contenders() -> [Contender<UnsafeRawBufferPointer>] {
        let reader = holdfast_reader_new()
        return [
            Contender("scanner, slices") { scan($0, fields) },
            Contender("simdjson On-Demand with copy") { events in
                var sum = 0
                var found = holdfast_event()
                for event in events {
                    guard holdfast_reader_read(reader, event.baseAddress, event.count, &found) else { continue }
                    withUnsafeBytes(of: &found.fields) { fields in
                        for field in fields.assumingMemoryBound(to: holdfast_bytes.self) { sum &+= field.count }
                    }
                    sum &+= found.arn_bytes
                }
                return sum
            },
            Contender("scanner, slices and 10 strings") { events in
                var sum = 0
                var slots: [JSONSlice] = []
                for event in events {
                    guard case .fields = fields.scan(event, into: &slots) else { continue }
                    let bytes = event.bindMemory(to: UInt8.self).span
                    for slot in slots where slot.kind == .string { sum &+= slot.string(in: bytes)?.utf8.count ?? 0 }
                }
                return sum
            },
            Contender("scanner, slices, no usual order") { scan($0, unordered) },
            Contender("strict parser, tree") { events in
                var sum = 0
                for event in events { sum &+= (try? JSON.parse(event))?.object?.count ?? 0 }
                return sum
            },
        ]
    }

    /// The bytes of all fields of some events.
    private static func scan(_ events: ArraySlice<UnsafeRawBufferPointer>, _ fields: FieldSet) -> Int {
        var sum = 0
        var slots: [JSONSlice] = []
        var inner: [JSONSlice] = []
        for event in events {
            guard case .fields = fields.scan(event, into: &slots) else { continue }
            for slot in slots[..<12] { sum &+= slot.range.count }
            sum &+= arns(slots[12], event, &inner).bytes
        }
        return sum
    }

    /// The ARNs among the resources of an event: how many, and how many bytes.
    private static func arns(
        _ resources: JSONSlice, _ event: UnsafeRawBufferPointer, _ slots: inout [JSONSlice]
    ) -> (count: Int, bytes: Int) {
        var arns = (count: 0, bytes: 0)
        var elements = JSONElements(resources)
        let bytes = event.bindMemory(to: UInt8.self).span
        while elements.next(in: bytes, fields: resourceFields, into: &slots) != nil {
            guard !slots[0].isAbsent else { continue }
            arns.count += 1
            arns.bytes += slots[0].range.count
        }
        return arns
    }

    /// Whether the scanner and simdjson find the same bytes in an event.
    private static func agree(on event: UnsafeRawBufferPointer) -> Bool {
        var slots: [JSONSlice] = []
        var found = holdfast_event()
        let reader = holdfast_reader_new()
        defer { holdfast_reader_free(reader) }
        guard fields.scan(event, into: &slots) == .fields,
            holdfast_reader_read(reader, event.baseAddress, event.count, &found)
        else { return false }
        let same = withUnsafeBytes(of: &found.fields) { fields in
            zip(slots, fields.assumingMemoryBound(to: holdfast_bytes.self)).allSatisfy { slot, field in
                guard let start = field.start else { return slot.isAbsent }
                return !slot.isAbsent
                    && event[slot.range].elementsEqual(UnsafeRawBufferPointer(start: start, count: field.count))
            }
        }
        var inner: [JSONSlice] = []
        let arns = Self.arns(slots[12], event, &inner)
        return same && arns.count == found.arn_count && arns.bytes == found.arn_bytes
    }
}
