/// Makes items of what sources deliver: opens envelopes, tells the shapes of the three clouds apart and reads each
/// event into a ``ChangeEvent``. A value with scratch storage: a reader keeps one and uses it again and again.
package struct EventDecoder: Sendable {
    /// The largest single event that is read, in bytes. The clouds' own limits are a tenth of it and less.
    package static let largestEvent = 16 << 20

    private var unfolding: Unfolding

    /// For reading whole records.
    package init() { unfolding = Unfolding() }

    /// For intake by a catalog: of most events only what it looks into is kept, and most of what is dropped is no
    /// item but a count, see ``takeDropped()``.
    package init(for catalog: Catalog) { unfolding = Unfolding(meanings: catalog.meanings) }

    /// Everything that a record holds, in the record's order. Never empty: what cannot be understood is an item too.
    ///
    /// - Parameter bytes: JSON text in UTF-8: an event, or envelopes with any number of them.
    package mutating func decode(_ bytes: Swift.Span<UInt8>, detail: DecodeDetail) -> [DecodedItem] {
        var items: [DecodedItem] = []
        decode(bytes, detail: detail, into: &items)
        return items
    }

    /// Appends what ``decode(_:detail:)`` gives, so that one array can serve a batch.
    package mutating func decode(_ bytes: Swift.Span<UInt8>, detail: DecodeDetail, into items: inout [DecodedItem]) {
        swap(&items, &unfolding.items)
        unfolding.detail = detail
        unfolding.document(bytes, at: .whole)
        swap(&items, &unfolding.items)
    }

    /// Gives what was dropped and counted since the last call, in the order in which it came first.
    package mutating func takeDropped(_ body: (DropCount) -> Void) { unfolding.tally.take(body) }
}
