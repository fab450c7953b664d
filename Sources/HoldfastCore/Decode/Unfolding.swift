internal import HoldfastJSON

/// The items of one record, as envelope after envelope is opened: texts here, trees in the extension.
struct Unfolding {
    var detail = DecodeDetail.intake
    var items: [DecodedItem] = []
    private var slots: [JSONSlice] = []

    /// The members that decide how a text is read.
    private static let fields = FieldSet(["eventSource", "detail-type"] + RecordShape.lists.map(\.name))

    /// A text that should be JSON: an event or an envelope.
    mutating func document(_ bytes: Swift.Span<UInt8>, at place: RecordPlace) {
        guard place.depth <= RecordPlace.deepest else { return fail(RecordPlace.tooDeep, at: place, bytes) }
        let text = bytes.extracting(LenientText.content(of: bytes))
        if text.isEmpty { return fail("is empty, where an event in JSON is needed", at: place, bytes) }
        if text[0] == UInt8(ascii: "[") { return split(text, after: 1, at: place.nested()) }
        guard text[0] == UInt8(ascii: "{") else { return tree(text, at: place) }
        switch Unfolding.fields.scan(text, into: &slots) {
        case .fields:
            guard let list = scannedList() else { return tree(text, at: place) }
            elements(of: list.slice, in: text, at: place.member(list.name))
        case .unusual:
            guard let list = LenientText.list(in: text) else { return tree(text, at: place) }
            split(text, after: list.start, at: place.member(list.name))
        }
    }

    /// The list of records in an object that has just been scanned.
    private func scannedList() -> (slice: JSONSlice, name: String)? {
        guard slots[0].kind != .string, slots[1].isAbsent else { return nil }
        for (slot, list) in zip(slots[2...], RecordShape.lists) where slot.kind == .array { return (slot, list.name) }
        return nil
    }

    /// The records in a list within a text that is known to be JSON.
    private mutating func elements(of list: JSONSlice, in text: Swift.Span<UInt8>, at place: RecordPlace) {
        var elements = JSONElements(list)
        var index = 0
        while let element = elements.next(in: text) {
            let quote = element.kind == .string ? 1 : 0
            let whole = (element.range.lowerBound - quote)..<(element.range.upperBound + quote)
            document(text.extracting(whole), at: place.element(index))
            index += 1
        }
        if index == 0 { empty(place) }
    }

    /// The records in a list within a text that may be broken: each for itself, so that what is broken stays alone.
    private mutating func split(_ text: Swift.Span<UInt8>, after start: Int, at place: RecordPlace) {
        var splitter = RecordSplitter(after: start)
        var index = 0
        while let element = splitter.next(in: text) {
            document(text.extracting(element), at: place.element(index))
            index += 1
        }
        if let fault = splitter.faultOutside(in: text) {
            fail("\(fault); the \(index) records before that were read", at: place, text)
        } else if index == 0 {
            empty(place)
        }
    }

    /// An event, or an envelope that is no list of them.
    private mutating func tree(_ text: Swift.Span<UInt8>, at place: RecordPlace) {
        guard text.count <= EventDecoder.largestEvent else {
            let reason =
                "has \(text.count) bytes, and \(EventDecoder.largestEvent) are the most that an event may have; send "
                + "what it holds in events of their own"
            return fail(reason, at: place, text)
        }
        do {
            unfold(try JSON.parse(text, limits: JSONLimits(rejectsDuplicateKeys: true)), at: place)
        } catch {
            fail(String(describing: error), at: place, text)
        }
    }

    mutating func empty(_ place: RecordPlace) {
        let list = RecordShape.lists.first { place.path.hasSuffix($0.name) }
        items.append(.dropped(DroppedRecord(.noRecords, cloud: list?.cloud)))
    }

    mutating func fail(_ reason: String, at place: RecordPlace, _ bytes: Swift.Span<UInt8>) {
        items.append(.undecodable(UndecodableRecord(reason, place: place.path, copying: bytes)))
    }
}
