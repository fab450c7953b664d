internal import HoldfastJSON

/// The items of one record, as envelope after envelope is opened: texts here, trees in the extension.
struct Unfolding {
    var detail = DecodeDetail.intake
    var items: [DecodedItem] = []
    /// What operations mean, by action: of an event that has been scanned only what they look into is kept, and what
    /// is dropped is counted in ``tally``. `nil`: of each record there is an item that has it all.
    private let meanings: [String: EventMeaning]?
    var tally = DropTally()
    private var slots: [JSONSlice] = []
    private var scratch: [JSONSlice] = []
    private var pool = TextPool()

    /// Here, for what is static is looked for anew each time.
    private let fields = Unfolding.fields

    init(meanings: [String: EventMeaning]? = nil) { self.meanings = meanings }

    /// The members that decide how a text is read: of a CloudTrail record, of one in EventBridge's envelope, and lists.
    private static let fields = FieldSet(
        paths: CloudTrailScan.paths + CloudTrailScan.paths.map { ["detail"] + $0 } + [["detail-type"], ["detail"]]
            + RecordShape.lists.map { [$0.name] },
        usual: CloudTrailScan.usual + CloudTrailScan.usual.map { ["detail"] + $0 })
    private static let inDetail = CloudTrailScan.paths.count
    private static let detailType = inDetail * 2

    /// A text that should be JSON: an event or an envelope.
    mutating func document(_ bytes: Swift.Span<UInt8>, at place: RecordPlace) {
        guard place.depth <= RecordPlace.deepest else { return fail(RecordPlace.tooDeep, at: place, bytes) }
        // Nearly every text is an object with nothing around it; to look at its end first would wait for memory.
        if bytes.count > 0, bytes[0] == UInt8(ascii: "{"), fields.scan(bytes, into: &slots) == .fields,
            takeScanned(in: bytes, .whole(bytes.count))
        {
            return
        }
        let text = bytes.extracting(LenientText.content(of: bytes))
        if text.isEmpty { return fail("is empty, where an event in JSON is needed", at: place, bytes) }
        if text[0] == UInt8(ascii: "[") { return split(text, after: 1, at: .nested(place)) }
        guard text[0] == UInt8(ascii: "{") else { return tree(text, at: place) }
        switch fields.scan(text, into: &slots) {
        case .fields:
            if takeScanned(in: text, .whole(text.count)) { return }
            if let list = scannedList() {
                elements(of: list.slice, in: text, at: place.member(list.name))
            } else {
                tree(text, at: place)
            }
        case .unusual:
            guard let list = LenientText.list(in: text) else { return tree(text, at: place) }
            split(text, after: list.start, at: place.member(list.name))
        }
    }

    /// Makes an item of a record that has just been scanned, where its fields are enough for one.
    ///
    /// - Parameters:
    ///   - text: what the slots count from.
    ///   - whole: where the record stands in it.
    private mutating func takeScanned(in text: Swift.Span<UInt8>, _ whole: JSONSlice) -> Bool {
        guard detail == .intake, whole.range.count <= EventDecoder.largestEvent else { return false }
        var first = 0
        var record = whole
        if case .string = slots[Unfolding.detailType].kind {
            first = Unfolding.inDetail
            record = slots[Unfolding.detailType + 1]
        }
        switch CloudTrailScan.kind(slots, first, in: text) {
        case .tree: return false
        case .session:
            let opening = CloudTrailScan.opening(slots, first, in: text, scratch: &scratch, pool: &pool)
            guard let opening else { return false }
            items.append(.session(opening))
        case .ordinary:
            if let drop = CloudTrailScan.drop(slots, first, in: text, pool: &pool) {
                if meanings != nil {
                    tally.add(drop, in: text)
                } else {
                    items.append(
                        .dropped(CloudTrailScan.record(of: drop, slots, first, in: text, pool: &pool)))
                }
                return true
            }
            guard CloudTrailScan.isChange(slots, first) else { return false }
            let action = CloudTrailScan.action(slots, first, in: text, pool: &pool)
            let body = body(of: action, first, record, in: text)
            let event = CloudTrailScan.event(
                slots, first, in: text, action: action, body: body, pool: &pool)
            guard let event else { return false }
            items.append(.event(event))
        }
        return true
    }

    /// What is kept of an event that has been scanned.
    private mutating func body(
        of action: String, _ first: Int, _ record: JSONSlice, in text: Swift.Span<UInt8>
    ) -> EventBody {
        if let meanings {
            guard let meaning = meanings[action] else { return .tree(.null) }
            let excerpt = meaning.places.excerpt(slots, first, in: text, of: record, scratch: &scratch)
            if let excerpt {
                return .excerpt(EventExcerpt(text: excerpt.text, slots: excerpt.slots, meaning: meaning))
            }
        }
        return .text(TextPool.copied(text, record.range))
    }

    /// The list of records in an object that has just been scanned.
    private func scannedList() -> (slice: JSONSlice, name: String)? {
        guard slots[0].kind != .string, slots[Unfolding.detailType].isAbsent else { return nil }
        let lists = slots[(Unfolding.detailType + 2)...]
        for (slot, list) in zip(lists, RecordShape.lists) where slot.kind == .array { return (slot, list.name) }
        return nil
    }

    /// The records in a list within a text that is known to be JSON.
    private mutating func elements(of list: JSONSlice, in text: Swift.Span<UInt8>, at place: RecordPlace) {
        var elements = JSONElements(list)
        var index = 0
        while let next = elements.next(in: text, fields: fields, into: &slots) {
            let quote = next.element.kind == .string ? 1 : 0
            let range = next.element.range
            if next.outcome != .fields || !takeScanned(in: text, next.element) {
                let record = text.extracting((range.lowerBound - quote)..<(range.upperBound + quote))
                document(record, at: .element(place, index))
            }
            index += 1
        }
        if index == 0 { empty(place) }
    }

    /// The records in a list within a text that may be broken: each for itself, so that what is broken stays alone.
    private mutating func split(_ text: Swift.Span<UInt8>, after start: Int, at place: RecordPlace) {
        var splitter = RecordSplitter(after: start)
        var index = 0
        while let element = splitter.next(in: text) {
            document(text.extracting(element), at: .element(place, index))
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
