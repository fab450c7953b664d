package import HoldfastCore

/// Bounds of the engine, with their units; `limits:` in the configuration.
package struct Limits: Sendable, Hashable {
    /// Ids of events that are remembered to know a redelivery.
    package var knownEvents = 1_000_000
    /// Resources described at one time.
    package var describesAtOnce = 16
    /// Of these, places that only resources of the most severe rules may take.
    package static let reservedDescribes = 2
    /// How long after the last change of a burst a resource is described, so that one read serves all of it.
    package var settleTime = Span(seconds: 2)
    /// How long after its first change it is described at the latest.
    package static let longestSettle = Span(seconds: 10)
    /// How far ahead of our clock an event's time may be before it is cut to ours and noticed.
    package var clockTolerance = Span(seconds: 300)
    /// Dirty for longer than this is a notice.
    package var dirtyAge = Span(seconds: 3600)
    /// How long a cloud may answer with old data, where that is not as the catalog says.
    package var margin: Span?
    /// Of the times in events, where that is not the cloud's usual one.
    package var resolution: Span?
    /// How long batches of the evidence log are kept; `nil`: for good.
    package var evidenceRetention: Span?
    /// The longest wait between two attempts to read one resource.
    package static let longestBackoff = Span(seconds: 900)

    /// The wait after so many attempts, 1 at least: doubled with each.
    static func backoff(_ wait: Span, attempts: Int) -> Span {
        let doublings = Int64(min(max(attempts - 1, 0), 10))
        return Span(nanoseconds: min(wait.nanoseconds << doublings, longestBackoff.nanoseconds))
    }

    package init() {}
}
