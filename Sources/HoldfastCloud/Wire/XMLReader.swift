/// An element of an XML document, without comments and processing instructions; names without their namespace prefix.
struct XMLElement: Sendable, Hashable {
    struct Attribute: Sendable, Hashable {
        /// As written, with the prefix: `xsi:type`.
        var name: String
        var value: String
    }
    var name = ""
    /// Without declarations of namespaces, in the order of the document.
    var attributes: [Attribute] = []
    var children: [XMLElement] = []
    /// What stands in front of the first child.
    var text = ""

    func child(_ name: String) -> XMLElement? { children.first { $0.name == name } }
}

/// Why a text is not read as XML: what is wrong, and at which byte.
struct XMLFault: Error, Sendable, Hashable, CustomStringConvertible {
    var reason: String
    var offset: Int
    var description: String { "the XML \(reason), at byte \(offset)" }
}

/// Reads XML 1.0 in UTF-8 as web services answer with it. Strict, with one thing that XML has and this refuses: a
/// document type, and with it entities beyond the five, which is where a small text can grow without bound.
struct XMLReader {
    private let bytes: [UInt8]
    private var index = 0
    /// Elements that are open at one time.
    private static let deepest = 200

    /// The root element.
    static func read(_ bytes: [UInt8]) throws(XMLFault) -> XMLElement {
        var reader = XMLReader(bytes: bytes)
        return try reader.document()
    }

    private init(bytes: [UInt8]) { self.bytes = bytes }

    private func fault(_ reason: String, at offset: Int? = nil) -> XMLFault {
        XMLFault(reason: reason, offset: offset ?? index)
    }

    // MARK: Document

    private mutating func document() throws(XMLFault) -> XMLElement {
        if String(validating: bytes, as: UTF8.self) == nil { throw fault("is not UTF-8") }
        if starts(with: "\u{FEFF}") { index += 3 }
        if starts(with: "<?xml"), index + 5 < bytes.count, isSpace(bytes[index + 5]) { try declaration() }
        try passMisc()
        guard index < bytes.count, bytes[index] == UInt8(ascii: "<") else { throw fault("has no root element") }
        if starts(with: "<!DOCTYPE") { throw fault("has a document type, which is not taken") }
        let root = try tree()
        try passMisc()
        guard index == bytes.count else { throw fault("goes on after its root element") }
        return root
    }

    /// The version must be 1, and an encoding one of which UTF-8 is the superset.
    private mutating func declaration() throws(XMLFault) {
        index += 5
        var found: [XMLElement.Attribute] = []
        while try passSpace(), !starts(with: "?>") { found.append(try attribute()) }
        guard starts(with: "?>") else { throw fault("declares itself wrongly") }
        index += 2
        let names = found.map(\.name)
        guard names.first == "version", found[0].value.hasPrefix("1."),
            [["version"], ["version", "encoding"], ["version", "standalone"], ["version", "encoding", "standalone"]]
                .contains(names)
        else { throw fault("declares itself wrongly") }
        let encoding = found.first { $0.name == "encoding" }?.value.lowercased() ?? "utf-8"
        guard ["utf-8", "utf8", "us-ascii"].contains(encoding) else { throw fault("is in \(encoding), not UTF-8") }
        if let alone = found.first(where: { $0.name == "standalone" })?.value, alone != "yes", alone != "no" {
            throw fault("declares itself wrongly")
        }
    }

    /// Space, comments and processing instructions around the root.
    private mutating func passMisc() throws(XMLFault) {
        while true {
            while index < bytes.count, isSpace(bytes[index]) { index += 1 }
            if starts(with: "<!--") {
                try passComment()
            } else if starts(with: "<?") {
                try passInstruction()
            } else {
                return
            }
        }
    }

    // MARK: Elements

    private typealias Open = [(element: XMLElement, tag: ArraySlice<UInt8>)]

    /// The element that begins here, with all within: a stack in place of recursion.
    private mutating func tree() throws(XMLFault) -> XMLElement {
        var open: Open = []
        var text: [UInt8] = []
        if let root = try begin(&open, text: &text) { return root }
        while true {
            guard index < bytes.count else { throw fault("ends within an element") }
            let isKept = open[open.count - 1].element.children.isEmpty
            if bytes[index] != UInt8(ascii: "<") {
                if isKept { try appendText(to: &text) } else { try passText() }
            } else if starts(with: "<!--") {
                try passComment()
            } else if starts(with: "<![CDATA[") {
                try appendSection(to: &text, isKept: isKept)
            } else if starts(with: "<?") {
                try passInstruction()
            } else if starts(with: "</") {
                if let root = try endTag(&open, text: &text) { return root }
            } else {
                keep(&text, in: &open[open.count - 1].element)
                if let root = try begin(&open, text: &text) { return root }
            }
        }
    }

    /// A start tag; gives the root when it is that, and empty.
    private mutating func begin(_ open: inout Open, text: inout [UInt8]) throws(XMLFault) -> XMLElement? {
        let (element, tag, isEmpty) = try startTag()
        open.append((element, tag))
        if open.count > XMLReader.deepest { throw fault("is nested deeper than \(XMLReader.deepest)") }
        return isEmpty ? close(&open, text: &text) : nil
    }

    private func keep(_ text: inout [UInt8], in element: inout XMLElement) {
        guard !text.isEmpty else { return }
        element.text = String(decoding: text, as: UTF8.self)
        text = []
    }

    /// Closes the innermost element; gives the root when it is that.
    private func close(_ open: inout Open, text: inout [UInt8]) -> XMLElement? {
        var (element, _) = open.removeLast()
        keep(&text, in: &element)
        guard !open.isEmpty else { return element }
        open[open.count - 1].element.children.append(element)
        return nil
    }

    private mutating func endTag(_ open: inout Open, text: inout [UInt8]) throws(XMLFault) -> XMLElement? {
        let start = index
        index += 2
        let tag = try name()
        _ = try passSpace()
        guard index < bytes.count, bytes[index] == UInt8(ascii: ">") else {
            throw fault("has an end tag without its end")
        }
        index += 1
        guard let expected = open.last?.tag, expected == tag else {
            throw fault("closes \"\(String(decoding: tag, as: UTF8.self))\", which is not what is open", at: start)
        }
        return close(&open, text: &text)
    }

    private mutating func startTag() throws(XMLFault) -> (XMLElement, tag: ArraySlice<UInt8>, isEmpty: Bool) {
        index += 1
        let tag = try name()
        var element = XMLElement(name: XMLReader.local(tag))
        var seen: Set<String> = []
        while true {
            let hadSpace = try passSpace()
            if starts(with: "/>") {
                index += 2
                return (element, tag, true)
            }
            if index < bytes.count, bytes[index] == UInt8(ascii: ">") {
                index += 1
                return (element, tag, false)
            }
            guard hadSpace else { throw fault("has no space in front of an attribute") }
            let found = try attribute()
            guard seen.insert(found.name).inserted else { throw fault("has the attribute \"\(found.name)\" twice") }
            if found.name != "xmlns", !found.name.hasPrefix("xmlns:") { element.attributes.append(found) }
        }
    }

    private mutating func attribute() throws(XMLFault) -> XMLElement.Attribute {
        let key = String(decoding: try name(), as: UTF8.self)
        _ = try passSpace()
        guard index < bytes.count, bytes[index] == UInt8(ascii: "=") else { throw fault("has an attribute without =") }
        index += 1
        _ = try passSpace()
        guard index < bytes.count, case let quote = bytes[index],
            quote == UInt8(ascii: "\"") || quote == UInt8(ascii: "'")
        else { throw fault("has an attribute without quotes") }
        index += 1
        var value: [UInt8] = []
        while true {
            guard index < bytes.count else { throw fault("ends within an attribute") }
            let byte = bytes[index]
            switch byte {
            case quote:
                index += 1
                return XMLElement.Attribute(name: key, value: String(decoding: value, as: UTF8.self))
            case UInt8(ascii: "<"): throw fault("has a < in an attribute")
            case UInt8(ascii: "&"): try appendReference(to: &value)
            case 0x09, 0x0A, 0x0D:
                value.append(0x20)
                index += byte == 0x0D && index + 1 < bytes.count && bytes[index + 1] == 0x0A ? 2 : 1
            default: try appendCharacter(to: &value)
            }
        }
    }

    /// A name, with its prefix. Every byte above ASCII counts as a letter.
    private mutating func name() throws(XMLFault) -> ArraySlice<UInt8> {
        let start = index
        while index < bytes.count {
            switch bytes[index] {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "_"),
                UInt8(ascii: ":"), 0x80...:
                index += 1
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."):
                if index == start { throw fault("has a name that begins with no letter") }
                index += 1
            default:
                if index == start { throw fault("has no name where one belongs") }
                return bytes[start..<index]
            }
        }
        throw fault("ends within a name")
    }

    private static func local(_ tag: ArraySlice<UInt8>) -> String {
        let start = tag.firstIndex(of: UInt8(ascii: ":")).map { $0 + 1 } ?? tag.startIndex
        return String(decoding: tag[start...], as: UTF8.self)
    }
}

// MARK: Text

extension XMLReader {
    private mutating func appendText(to text: inout [UInt8]) throws(XMLFault) {
        while index < bytes.count, bytes[index] != UInt8(ascii: "<") {
            switch bytes[index] {
            case UInt8(ascii: "&"): try appendReference(to: &text)
            case UInt8(ascii: "]") where starts(with: "]]>"): throw fault("has ]]> in a text")
            case 0x0D: appendLineBreak(to: &text)
            default: try appendCharacter(to: &text)
            }
        }
    }

    private mutating func passText() throws(XMLFault) {
        var unused: [UInt8] = []
        try appendText(to: &unused)
    }

    private mutating func appendLineBreak(to text: inout [UInt8]) {
        text.append(0x0A)
        index += index + 1 < bytes.count && bytes[index + 1] == 0x0A ? 2 : 1
    }

    private mutating func appendCharacter(to text: inout [UInt8]) throws(XMLFault) {
        let byte = bytes[index]
        guard byte >= 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D else {
            throw fault("has a control character")
        }
        // U+FFFE and U+FFFF are no characters of XML.
        if byte == 0xEF, index + 2 < bytes.count, bytes[index + 1] == 0xBF, bytes[index + 2] >= 0xBE {
            throw fault("has a character that XML does not have")
        }
        text.append(byte)
        index += 1
    }

    /// `&amp;`, `&#38;`, `&#x26;`
    private mutating func appendReference(to text: inout [UInt8]) throws(XMLFault) {
        let start = index
        guard let end = bytes[start...].prefix(12).firstIndex(of: UInt8(ascii: ";")) else {
            throw fault("has an & that begins no reference")
        }
        let name = String(decoding: bytes[(start + 1)..<end], as: UTF8.self)
        index = end + 1
        if let character = ["amp": "&", "lt": "<", "gt": ">", "quot": "\"", "apos": "'"][name] {
            text.append(contentsOf: character.utf8)
            return
        }
        let digits = name.hasPrefix("#x") ? name.dropFirst(2) : name.hasPrefix("#") ? name.dropFirst() : ""
        guard !digits.isEmpty, digits.allSatisfy(\.isHexDigit), digits.allSatisfy(\.isASCII),
            let number = UInt32(digits, radix: name.hasPrefix("#x") ? 16 : 10), let scalar = Unicode.Scalar(number),
            number >= 0x20 || number == 9 || number == 10 || number == 13, number != 0xFFFE, number != 0xFFFF
        else { throw fault("has a reference to nothing: &\(name);", at: start) }
        text.append(contentsOf: String(Character(scalar)).utf8)
    }

    private mutating func appendSection(to text: inout [UInt8], isKept: Bool) throws(XMLFault) {
        index += 9
        while !starts(with: "]]>") {
            guard index < bytes.count else { throw fault("ends within a section of text") }
            var character: [UInt8] = []
            if bytes[index] == 0x0D { appendLineBreak(to: &character) } else { try appendCharacter(to: &character) }
            if isKept { text += character }
        }
        index += 3
    }

    private mutating func passComment() throws(XMLFault) {
        index += 4
        var unused: [UInt8] = []
        while !starts(with: "--") {
            guard index < bytes.count else { throw fault("ends within a comment") }
            try appendCharacter(to: &unused)
            unused.removeAll(keepingCapacity: true)
        }
        guard starts(with: "-->") else { throw fault("has -- in a comment") }
        index += 3
    }

    private mutating func passInstruction() throws(XMLFault) {
        let start = index
        index += 2
        let target = try name()
        if String(decoding: target, as: UTF8.self).lowercased() == "xml" {
            throw fault("declares itself in its midst", at: start)
        }
        if !starts(with: "?>"), try !passSpace() { throw fault("has no space after an instruction's name") }
        var unused: [UInt8] = []
        while !starts(with: "?>") {
            guard index < bytes.count else { throw fault("ends within an instruction") }
            try appendCharacter(to: &unused)
            unused.removeAll(keepingCapacity: true)
        }
        index += 2
    }

    /// Whether there was any; a text that ends here is a fault.
    private mutating func passSpace() throws(XMLFault) -> Bool {
        let start = index
        while index < bytes.count, isSpace(bytes[index]) { index += 1 }
        guard index < bytes.count else { throw fault("ends within a tag") }
        return index > start
    }

    private func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D }

    private func starts(with text: String) -> Bool {
        text.utf8.count <= bytes.count - index && bytes[index...].starts(with: text.utf8)
    }
}
