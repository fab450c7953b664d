/// Where the records stand in a document that a source has whole: the elements of its list, or all of it where it is no
/// list. A record can then be decoded for itself, and a document with many of them fill several batches.
package struct RecordRanges: Sendable {
    /// In the document's order.
    package private(set) var ranges: [Range<Int>] = []
    /// What is wrong with the document around its records, as a phrase: "ends in the middle of a value, at byte 7".
    package private(set) var fault: String?

    /// - Parameter text: JSON in UTF-8, which may be broken somewhere: what is whole is found.
    package init(in text: Swift.Span<UInt8>) {
        let content = LenientText.content(of: text)
        let inner = text.extracting(content)
        guard !inner.isEmpty, inner[0] == UInt8(ascii: "{"), let list = LenientText.list(in: inner) else {
            if !inner.isEmpty { ranges = [content] }
            return
        }
        var splitter = RecordSplitter(after: list.start)
        while let element = splitter.next(in: inner) {
            ranges.append((element.lowerBound + content.lowerBound)..<(element.upperBound + content.lowerBound))
        }
        fault = splitter.faultOutside(in: inner).map(String.init(describing:))
    }
}
