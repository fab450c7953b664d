package import HoldfastCore
package import HoldfastJSON

/// What a read of a resource gave.
package struct Description: Sendable {
    package enum Result: Sendable {
        /// The sections that were read, by path; the root is the whole configuration.
        case sections([(path: PropertyPath, value: JSON)])
        /// The cloud says that there is no such resource.
        case gone
        /// What was named by an alias is this resource, which is yet to be read.
        case identified(ResourceID, ResourceContext)
    }
    /// A part that could not be read, though others could.
    package struct Unread: Sendable {
        package var paths: [PropertyPath]
        package var error: ReadError
        package init(paths: [PropertyPath], error: ReadError) {
            self.paths = paths
            self.error = error
        }
    }
    package var result: Result
    package var unread: [Unread]
    /// When the read began, by the provider's clock.
    package var started: Timestamp
    /// Names this read in the history: unique.
    package var id: String
    /// What the calls of the read gave, as they gave it: what a restore is made of. They hold what the catalog calls
    /// secret too, so they go nowhere but, as far as an undo needs them, into an encrypted capture.
    package var answers: [RawAnswer] = []

    package init(result: Result, started: Timestamp, id: String, unread: [Unread] = []) {
        self.result = result
        self.unread = unread
        self.started = started
        self.id = id
    }
}

extension Description {
    /// The permissions that parts of the read lacked; `nil` where another failure hides whether one lacks.
    var lacks: [String]? {
        let lacks = unread.map(\.error.lacks)
        return lacks.contains("") ? nil : lacks
    }
}

/// Why a read gave nothing. Never the same as "not there".
package struct ReadError: Error, Sendable, CustomStringConvertible {
    package enum Retry: Sendable, Hashable {
        case never
        case after(Span)
    }
    /// `denied`, `throttled`, `unreachable`, `not-recorded`.
    package var code: String
    package var message: String
    package var retry: Retry
    /// Of what is denied: the permission and where it lacks (`s3:GetBucketPolicy in 111122223333`); else empty.
    package var lacks: String
    package init(code: String, message: String, retry: Retry, lacks: String = "") {
        self.code = code
        self.message = message
        self.retry = retry
        self.lacks = lacks
    }
    package var description: String { message }
}

/// Reads the state of resources: where they stand in a cloud, or as they were recorded.
package protocol StateReader: Sendable {
    func describe(_ resource: ResourceID, context: ResourceContext) async throws(ReadError) -> Description
}

/// For a service with no way to read: raw logs of accounts that nobody gave it the keys to.
package struct NoReader: StateReader {
    package init() {}
    package func describe(_ resource: ResourceID, context: ResourceContext) async throws(ReadError) -> Description {
        throw ReadError(
            code: "no-reader", message: "no reader is configured; findings rest on what events reported",
            retry: .never)
    }
}
