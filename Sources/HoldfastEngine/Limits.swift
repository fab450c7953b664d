package import HoldfastCore

/// Bounds of the engine, with their units; `limits:` in the configuration.
package struct Limits: Sendable, Hashable {
    /// Ids of events that are remembered to know a redelivery.
    package var knownEvents = 1_000_000
    /// Resources described at one time.
    package var describesAtOnce = 16
    /// How long after a change a resource is described, so that one read serves a burst.
    package var settleTime = Span(seconds: 2)
    /// How far ahead of our clock an event's time may be before it is cut to ours and noticed.
    package var clockTolerance = Span(seconds: 300)
    /// Dirty for longer than this is a notice.
    package var dirtyAge = Span(seconds: 3600)
    /// The longest wait between two attempts to read one resource.
    package static let longestBackoff = Span(seconds: 900)

    package init() {}
}
