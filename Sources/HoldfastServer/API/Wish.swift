internal import HoldfastCore
internal import HoldfastJSON
internal import Hummingbird

/// The body of a request that asks for something to be done: one JSON object, of which everything is known.
struct Wish: Sendable {
    private var left: JSONObject

    /// Letters of a reason or a note.
    static let longest = 2000

    /// - Throws: 415 for another type, 413 for more than 64 KiB, 400 for what is no JSON object.
    init(_ request: Request) async throws {
        // A page of another site can post forms and texts without asking, and JSON it can not.
        let type = request.headers[.contentType]?.split(separator: ";").first.map { $0.lowercased() }
        guard type == "application/json" else {
            throw Refusal(415, "malformed", "the body must be application/json")
        }
        let body = try await request.body.collect(upTo: Visit.bodyLimit)
        let limits = JSONLimits(depth: 8, rejectsDuplicateKeys: true)
        do throws(JSONError) {
            guard let object = try JSON.parse(Array(body.readableBytesView), limits: limits).object else {
                throw JSONError(.unexpectedByte, at: 0)
            }
            left = object
        } catch {
            throw Refusal.malformed("the body is no JSON object: \(error)")
        }
    }

    mutating func text(_ name: String) throws(Refusal) -> String {
        guard let text = try optional(name), !text.isEmpty else { throw .malformed("\"\(name)\" is missing") }
        return text
    }

    mutating func optional(_ name: String) throws(Refusal) -> String? {
        guard let value = take(name) else { return nil }
        guard let text = value.string, text.count <= Self.longest else {
            throw .malformed("\"\(name)\" is no text of at most \(Self.longest) letters")
        }
        return text
    }

    mutating func texts(_ name: String) throws(Refusal) -> [String] {
        guard let values = take(name)?.array, !values.isEmpty, values.count <= 500,
            values.allSatisfy({ $0.string != nil })
        else { throw .malformed("\"\(name)\" is no list of 1 to 500 texts") }
        return values.compactMap(\.string)
    }

    mutating func number(_ name: String, in range: ClosedRange<Int>, default usual: Int) throws(Refusal) -> Int {
        guard let value = take(name) else { return usual }
        guard let number = value.int, range.contains(number) else {
            throw .malformed("\"\(name)\" is no number from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    mutating func moment(_ name: String) throws(Refusal) -> Timestamp? {
        guard let text = try optional(name) else { return nil }
        guard let moment = Timestamp(text) else {
            throw .malformed("\"\(name)\" is no moment, such as 2026-11-22T08:00:00Z")
        }
        return moment
    }

    /// Why something is to be done: words, not spaces.
    mutating func reason() throws(Refusal) -> String {
        let text = try optional("reason") ?? ""
        guard text.contains(where: { !$0.isWhitespace }) else { throw .malformed("give a reason") }
        return text
    }

    private mutating func take(_ name: String) -> JSON? {
        let value = left[name]
        left[name] = nil
        return value == .null ? nil : value
    }

    func finish() throws(Refusal) {
        guard let other = left.names.first else { return }
        throw .malformed("unknown member \"\(printable(other))\"")
    }
}
