internal import HoldfastCore
internal import HoldfastCrypto

/// Browsers that are signed in. An id is 256 random bits; only its digest is kept.
struct Sessions: Sendable {
    struct Session: Sendable {
        var person: Person
        /// What every form that it posts must carry.
        var formToken: String
        var began: Timestamp
        var used: Timestamp
    }

    private var sessions: [String: Session] = [:]
    private let idle: Span
    private let length: Span
    /// Sessions at one time; with more, the one unused for longest ends.
    private let limit: Int

    init(idle: Span, length: Span, limit: Int = 1000) {
        self.idle = idle
        self.length = length
        self.limit = limit
    }

    /// - Returns: the id, which only the browser keeps.
    mutating func begin(_ person: Person, now: Timestamp) -> String {
        sessions = sessions.filter { isLive($0.value, now) }
        if sessions.count >= limit, let oldest = sessions.min(by: { $0.value.used < $1.value.used }) {
            sessions[oldest.key] = nil
        }
        let id = base64URLText(randomBytes(32))
        sessions[Self.key(id)] = Session(
            person: person, formToken: base64URLText(randomBytes(32)), began: now, used: now)
        return id
    }

    /// The session of an id, where it has not ended; it counts as used.
    mutating func use(_ id: String, now: Timestamp) -> Session? {
        let key = Self.key(id)
        guard var session = sessions[key] else { return nil }
        guard isLive(session, now) else {
            sessions[key] = nil
            return nil
        }
        session.used = now
        sessions[key] = session
        return session
    }

    mutating func end(_ id: String) { sessions[Self.key(id)] = nil }

    private func isLive(_ session: Session, _ now: Timestamp) -> Bool {
        now < session.used + idle && now < session.began + length
    }

    private static func key(_ id: String) -> String { sha256(id.utf8).description }
}

/// Things that may be taken once, within a time, by who knows their code: one-time links, sign-ins under way.
struct OneTimes<Thing: Sendable>: Sendable {
    private var things: [String: (thing: Thing, until: Timestamp)] = [:]
    private let lasting: Span
    private let limit: Int

    init(lasting: Span, limit: Int = 1000) {
        self.lasting = lasting
        self.limit = limit
    }

    /// - Returns: the code, 256 random bits, of which only the digest is kept.
    mutating func put(_ thing: Thing, now: Timestamp) -> String {
        things = things.filter { $0.value.until > now }
        if things.count >= limit, let oldest = things.min(by: { $0.value.until < $1.value.until }) {
            things[oldest.key] = nil
        }
        let code = base64URLText(randomBytes(32))
        things[sha256(code.utf8).description] = (thing, now + lasting)
        return code
    }

    /// What a code stands for; it stays.
    func look(_ code: String, now: Timestamp) -> Thing? {
        things[sha256(code.utf8).description].flatMap { $0.until > now ? $0.thing : nil }
    }

    mutating func take(_ code: String, now: Timestamp) -> Thing? {
        let key = sha256(code.utf8).description
        guard let found = things.removeValue(forKey: key), found.until > now else { return nil }
        return found.thing
    }
}
