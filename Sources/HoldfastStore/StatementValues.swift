internal import Foundation
internal import GRDB
internal import HoldfastCore
internal import HoldfastEngine
internal import HoldfastJSON

/// The values that statements are given. Nothing else is bound, so that every text passes through `text(_:)`.
extension DatabaseValue {
    static func int(_ value: Int64) -> DatabaseValue { value.databaseValue }
    static func int(_ value: Int) -> DatabaseValue { Int64(value).databaseValue }
    static func bool(_ value: Bool) -> DatabaseValue { Int64(value ? 1 : 0).databaseValue }
    static func time(_ value: Timestamp) -> DatabaseValue { value.nanoseconds.databaseValue }
    static func bytes(_ value: [UInt8]) -> DatabaseValue { Data(value).databaseValue }
    static func json(_ value: JSON) -> DatabaseValue { .text(value.canonicalText) }

    /// A text, whole: the SQLite wrapper ends texts at U+0000, so that two forged names could become one row.
    static func text(_ value: String) -> DatabaseValue { storedText(value).databaseValue }
}

/// U+0000 as `U+0001 0` and U+0001 as `U+0001 1`; every other text is itself.
func storedText(_ text: String) -> String {
    guard text.utf8.contains(where: { $0 <= 1 }) else { return text }
    var out = String.UnicodeScalarView()
    for scalar in text.unicodeScalars {
        guard scalar.value <= 1 else {
            out.append(scalar)
            continue
        }
        out.append("\u{1}")
        out.append(scalar.value == 0 ? "0" : "1")
    }
    return String(out)
}

/// The text that ``storedText(_:)`` was given.
func plainText(_ stored: String) -> String {
    guard stored.utf8.contains(1) else { return stored }
    var out = String.UnicodeScalarView()
    var isEscaped = false
    for scalar in stored.unicodeScalars {
        if isEscaped {
            out.append(scalar == "0" ? "\u{0}" : "\u{1}")
            isEscaped = false
        } else if scalar == "\u{1}" {
            isEscaped = true
        } else {
            out.append(scalar)
        }
    }
    return String(out)
}

/// A statement that the connection keeps compiled.
struct Prepared {
    let statement: Statement

    /// Runs it; every `?` of its text must have its value here.
    func run(_ values: [DatabaseValue]) throws {
        try bind(values)
        try statement.execute()
    }

    /// The first column of the first row, without the cost of a row.
    func integer(_ values: [DatabaseValue]) throws -> Int64? {
        try bind(values)
        return try Int64.fetchOne(statement)
    }

    /// Likewise for a blob.
    func blob(_ values: [DatabaseValue]) throws -> [UInt8]? {
        try bind(values)
        return try Data.fetchOne(statement).map { [UInt8]($0) }
    }

    /// Without `StatementArguments` around each value, which cost as much as SQLite's own work for a row.
    private func bind(_ values: [DatabaseValue]) throws {
        statement.setUncheckedArguments(StatementArguments())
        for (index, value) in values.enumerated() {
            guard value.bind(to: statement.sqliteStatement, at: CInt(index + 1)) == 0 else {
                throw JournalError(.failed, "value \(index + 1) cannot be bound to \(statement.sql)")
            }
        }
    }

    func rows<T>(_ values: [DatabaseValue], _ read: (StoredRow) throws -> T) throws -> [T] {
        try bind(values)
        let cursor = try Row.fetchCursor(statement)
        var out: [T] = []
        while let row = try cursor.next() { out.append(try read(StoredRow(row: row))) }
        return out
    }

    /// The first row, of a query that has one at most.
    func first<T>(_ values: [DatabaseValue], _ read: (StoredRow) throws -> T) throws -> T? {
        try rows(values, read).first
    }
}

extension Database {
    func prepared(_ sql: String) throws -> Prepared { Prepared(statement: try cachedStatement(sql: sql)) }
}

/// A row under a cursor. A value that cannot be there by the schema is a corrupt journal, never a trap.
struct StoredRow {
    let row: Row

    func isNull(_ column: Int) -> Bool { row.hasNull(atIndex: column) }
    func int(_ column: Int) throws -> Int64 {
        guard let value: Int64 = row[column] else { throw missing(column) }
        return value
    }
    func text(_ column: Int) throws -> String {
        guard let value: String = row[column] else { throw missing(column) }
        return plainText(value)
    }
    /// The bytes of a blob, or of a text as stored.
    func bytes(_ column: Int) throws -> [UInt8] {
        guard let value: Data = row[column] else { throw missing(column) }
        return [UInt8](value)
    }
    func bool(_ column: Int) throws -> Bool { try int(column) != 0 }
    func time(_ column: Int) throws -> Timestamp { Timestamp(nanoseconds: try int(column)) }
    func optionalTime(_ column: Int) throws -> Timestamp? { isNull(column) ? nil : try time(column) }
    /// A choice that is stored as its raw value.
    func choice<T: RawRepresentable>(_ column: Int, _ type: T.Type) throws -> T where T.RawValue == String {
        let text = try text(column)
        guard let value = T(rawValue: text) else {
            throw JournalError(.corrupt, "the journal has \"\(text)\" where a \(type) should be")
        }
        return value
    }
    func json(_ column: Int) throws -> JSON {
        do {
            return try JSON.parse(try text(column), limits: JSONLimits(depth: 512))
        } catch let error as JSONError {
            throw JournalError(.corrupt, "a body in the journal cannot be read: \(error)")
        }
    }
    func resource(_ type: Int, _ id: Int) throws -> ResourceID { ResourceID(type: try text(type), id: try text(id)) }
    /// Cloud, account and region, which stand side by side in every table that has them.
    func context(from column: Int) throws -> ResourceContext {
        ResourceContext(
            cloud: try choice(column, Cloud.self), account: try text(column + 1), region: try text(column + 2))
    }

    private func missing(_ column: Int) -> JournalError {
        JournalError(.corrupt, "the journal has nothing in column \(column) of a row that must have it")
    }
}

/// Texts one after another, each behind its length in bytes (4, the lowest first).
enum PackedTexts {
    static func pack(_ texts: [String]) -> [UInt8] {
        var out: [UInt8] = []
        out.reserveCapacity(texts.reduce(0) { $0 + 4 + $1.utf8.count })
        for text in texts {
            let count = UInt32(text.utf8.count)
            for shift in [0, 8, 16, 24] as [UInt32] { out.append(UInt8(truncatingIfNeeded: count >> shift)) }
            out.append(contentsOf: text.utf8)
        }
        return out
    }

    static func unpack(_ bytes: [UInt8]) throws -> [String] {
        var out: [String] = []
        var index = 0
        while index < bytes.count {
            guard index + 4 <= bytes.count else { throw cut }
            let count = (0..<4).reduce(0) { $0 | Int(bytes[index + $1]) << (8 * $1) }
            index += 4
            guard index + count <= bytes.count else { throw cut }
            out.append(String(decoding: bytes[index..<index + count], as: UTF8.self))
            index += count
        }
        return out
    }

    private static var cut: JournalError { JournalError(.corrupt, "a list of texts in the journal ends too early") }
}
