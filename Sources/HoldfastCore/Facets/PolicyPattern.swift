/// A list of patterns of a policy (`Action`, `Resource`), or all that none of them matches (`NotAction`).
struct PolicyPatterns: Sendable, Hashable {
    var texts: [String]
    var isNegated: Bool

    static let everything = PolicyPatterns(texts: ["*"], isNegated: false)

    /// The texts for a facet; a negated list is one text, `* except iam:*, sts:*`, which no pattern equals.
    var shown: [String] { isNegated ? ["* except \(texts.joined(separator: ", "))"] : texts }

    /// Everything that the pattern matches is in here.
    func covers(_ pattern: String) -> Bool {
        if isNegated { return texts.allSatisfy { !PolicyPatterns.mayMeet($0, pattern) } }
        return texts.contains { PolicyPatterns.contains($0, pattern) }
    }

    func covers(_ other: PolicyPatterns) -> Bool {
        if !other.isNegated { return other.texts.allSatisfy(covers) }
        // All but some is covered by everything, and by all but fewer of the same.
        return covers("*") || isNegated && texts.allSatisfy { own in other.texts.contains(own) }
    }

    /// Whether the first pattern matches all that the second does: `*` in it stands for any run of the second's
    /// characters, wildcards among them, `?` for any one but `*`.
    static func contains(_ pattern: String, _ text: String) -> Bool {
        let pattern = Array(pattern.utf8)
        let text = Array(text.utf8)
        let (star, one) = (UInt8(ascii: "*"), UInt8(ascii: "?"))
        var (p, t) = (0, 0)
        var retry: (p: Int, t: Int)?
        while t < text.count {
            if p < pattern.count, pattern[p] == star {
                retry = (p, t)
                p += 1
            } else if p < pattern.count, pattern[p] == text[t] || pattern[p] == one && text[t] != star {
                p += 1
                t += 1
            } else if let last = retry {
                p = last.p + 1
                t = last.t + 1
                retry = (last.p, t)
            } else {
                return false
            }
        }
        return pattern[p...].allSatisfy { $0 == star }
    }

    static func isPattern(_ text: String) -> Bool { text.contains { $0 == "*" || $0 == "?" } }

    /// `false` only where no text matches both: their parts before the first wildcard differ, or one has no wildcard
    /// and the other does not match it.
    private static func mayMeet(_ a: String, _ b: String) -> Bool {
        if !isPattern(b) { return contains(a, b) }
        if !isPattern(a) { return contains(b, a) }
        let heads = (a.prefix { $0 != "*" && $0 != "?" }, b.prefix { $0 != "*" && $0 != "?" })
        return heads.0.hasPrefix(heads.1) || heads.1.hasPrefix(heads.0)
    }
}
