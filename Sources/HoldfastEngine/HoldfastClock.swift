package import HoldfastCore

/// The clock of a service: waits, and the time on the wall. The simulation passes its own.
package protocol HoldfastClock: Clock<Duration> {
    /// Now, in UTC.
    func wallTime() -> Timestamp
}
