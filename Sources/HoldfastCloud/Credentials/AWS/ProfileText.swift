package import HoldfastCrypto

/// The text of an AWS configuration or credentials file, read as the AWS CLI reads it (Python's configparser): sections
/// in brackets, `key = value` or `key: value`, comments on lines of their own, values that go on in indented lines.
/// Keys are in lower case. All values are kept as secrets: some are.
package struct ProfileText: Sendable {
    package typealias Section = [String: Secret]

    /// In the order of the file.
    package private(set) var sections: [(name: String, values: Section)] = []

    private var key: String?
    private var indentation = 0

    /// - Parameter path: for messages.
    package init(_ text: Secret, path: String) throws(CredentialFailure) {
        // To Swift CR and LF are one character.
        let lines = text.revealed.split(omittingEmptySubsequences: false) { $0 == "\n" || $0 == "\r\n" || $0 == "\r" }
        for (index, line) in lines.enumerated() {
            do {
                try read(line)
            } catch {
                // Lines are never quoted: a broken one may be a key.
                throw .misconfigured("\(path):\(index + 1): \(error.message)")
            }
        }
    }

    package func section(_ name: String) -> Section? { sections.last { $0.name == name }?.values }

    private mutating func read(_ line: Substring) throws(CredentialFailure) {
        let content = line.drop { $0 == " " || $0 == "\t" }
        guard let first = content.first, first != "#", first != ";" else { return }
        let indent = line.count - content.count
        if let key, indent > indentation {
            let before = sections[sections.count - 1].values[key]?.revealed ?? ""
            sections[sections.count - 1].values[key] = Secret(before + "\n" + trimmed(content))
            return
        }
        indentation = indent
        if first == "[" { return try readHeader(content) }
        try readOption(content)
    }

    private mutating func readHeader(_ content: Substring) throws(CredentialFailure) {
        guard let end = content.lastIndex(of: "]"), end > content.index(after: content.startIndex) else {
            throw .misconfigured("a section is a name in brackets: [profile NAME]")
        }
        let name = String(content[content.index(after: content.startIndex)..<end])
        guard !sections.contains(where: { $0.name == name }) else {
            throw .misconfigured("the section [\(name)] is there twice; join the two")
        }
        sections.append((name, [:]))
        key = nil
    }

    private mutating func readOption(_ content: Substring) throws(CredentialFailure) {
        guard let mark = content.firstIndex(where: { $0 == "=" || $0 == ":" }), mark != content.startIndex else {
            throw .misconfigured("a line is neither [section] nor key = value")
        }
        guard !sections.isEmpty else { throw .misconfigured("a key stands before any [section]") }
        let name = trimmed(content[..<mark]).lowercased()
        guard sections[sections.count - 1].values[name] == nil else {
            throw .misconfigured("a key is there twice in [\(sections[sections.count - 1].name)]")
        }
        sections[sections.count - 1].values[name] = Secret(trimmed(content[content.index(after: mark)...]))
        key = name
    }
}

private func trimmed(_ text: Substring) -> String {
    var text = text.drop { $0.isWhitespace }
    while text.last?.isWhitespace == true { text.removeLast() }
    return String(text)
}

/// The words of a command line, as a POSIX shell splits them: quotes and backslashes are taken away, nothing is
/// expanded. `nil` where a quote does not end.
package func shellWords(_ line: String) -> [String]? {
    var words: [String] = []
    var word: String?
    var quote: Character?
    var escaped = false
    for character in line {
        if escaped {
            // Within double quotes a backslash stays, unless it stands before one of these.
            if quote == "\"", character != "\"", character != "\\" { word?.append("\\") }
            word = (word ?? "") + String(character)
            escaped = false
        } else if character == "\\", quote != "'" {
            escaped = true
            word = word ?? ""
        } else if let open = quote {
            if character == open { quote = nil } else { word?.append(character) }
        } else if character == "'" || character == "\"" {
            quote = character
            word = word ?? ""
        } else if character.isWhitespace {
            if let done = word { words.append(done) }
            word = nil
        } else {
            word = (word ?? "") + String(character)
        }
    }
    guard quote == nil, !escaped else { return nil }
    if let word { words.append(word) }
    return words
}
